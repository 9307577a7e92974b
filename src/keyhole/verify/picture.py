"""The picture of an app's access as plain data: workloads, grants, buckets, every claim and proof with its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keyhole.blueprint import Blueprint, Claim
from keyhole.blueprint.workloads import workload_names
from keyhole.iam.symbolic.question import Verdict
from keyhole.iam.symbolic.telling import describe_request
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.role import Role
from keyhole.spec import Spec
from keyhole.spec.model import AccessKeyWorkload
from keyhole.verify.prove import Proof, prove
from keyhole.verify.rehearse import rehearse


def access_picture(spec: Spec, blueprint: Blueprint) -> dict[str, Any]:
    """Give what a person needs to see who can do what, and why that is believed; nothing is tried yet.

    Shape: {app, environment, account, workloads: [{name, kind, runs_as, grants:
    [{bucket, prefix, verbs}]}], buckets: [{key, name, public_prefixes, encryption, versioning}], claims: [{id, who,
    sentence, action, resource, expected, why, place, on_paper: {holds, reason} | None, probed: {verdict, got, reason}
    | None}], nothing_more: [{id, sentence, why, place, on_paper}], probed_at}. `holds` is None where it is not known.
    """
    proofs = () if _needs_aws_policies(blueprint) else prove(spec, blueprint)
    app, scope = blueprint.app, blueprint.scope
    return {
        "app": app.name,
        "environment": app.environment,
        "account": scope.account,
        "workloads": [_workload(blueprint, key) for key in app.workloads],
        "buckets": [
            {
                "key": key,
                "name": app.bucket_name(key, scope.account),
                "public_prefixes": list(bucket.public_read),
                "encryption": bucket.encryption,
                "versioning": bucket.versioning,
            }
            for key, bucket in app.buckets.items()
        ],
        "claims": _claims(blueprint, proofs),
        "nothing_more": [_nothing_more(proof) for proof in proofs if proof.claim is None],
        "probed_at": None,
    }


def _workload(blueprint: Blueprint, key: str) -> dict[str, Any]:
    app = blueprint.app
    workload = app.workloads[key]
    names = workload_names(app, key, blueprint.scope.account)
    is_user = isinstance(workload, AccessKeyWorkload)
    return {
        "name": key,
        "kind": workload.kind,
        "runs_as": f"user {names.user}" if is_user else f"role {names.role}",
        "grants": [
            {"bucket": grant.bucket, "prefix": grant.prefix, "verbs": list(grant.verbs)} for grant in workload.grants
        ],
    }


def _claims(blueprint: Blueprint, proofs: Sequence[Proof]) -> list[dict[str, Any]]:
    decided = {}
    if proofs:
        # What one request is decided by says why all of them are.
        reasons = {rehearsal.claim.id: rehearsal.reason for rehearsal in rehearse(blueprint)}
        decided = {proof.id: _on_paper(proof, reasons[proof.id]) for proof in proofs if proof.claim is not None}
    return [_claim(claim, decided.get(claim.id)) for claim in blueprint.claims]


def _nothing_more(proof: Proof) -> dict[str, Any]:
    return {
        "id": proof.id,
        "sentence": proof.sentence,
        "why": proof.why,
        "place": proof.place,
        "on_paper": _on_paper(proof, ""),
    }


def _on_paper(proof: Proof, reason: str) -> dict[str, Any]:
    answer = proof.answer
    if answer.verdict is Verdict.HOLDS:
        return {"holds": True, "reason": reason}
    if answer.witness is None:
        return {"holds": None, "reason": answer.reason}
    return {"holds": False, "reason": "; ".join([*describe_request(answer.witness), *([proof.by] if proof.by else [])])}


def _claim(claim: Claim, on_paper: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": claim.id,
        "who": claim.who,
        "sentence": claim.sentence,
        "action": claim.action,
        "resource": claim.resource,
        "expected": str(claim.expected),
        "why": claim.why,
        "place": claim.place,
        "on_paper": on_paper,
        "probed": None,
    }


def _needs_aws_policies(blueprint: Blueprint) -> bool:
    """Hold iff a role has a policy that AWS keeps: without it nothing can be decided on paper here."""
    own = {resource.arn for resource in blueprint.resources if isinstance(resource, ManagedPolicy)}
    return any(set(role.policy_arns) - own for role in blueprint.resources if isinstance(role, Role))
