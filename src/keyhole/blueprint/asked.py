"""What the file asks for, as policies: nothing of it is provisioned; it is what proofs hold the real ones against.

It is derived from the file alone, apart from the policies that are made, so that a mistake in making them shows.
"""

from __future__ import annotations

from keyhole.blueprint.access_logs import log_statements
from keyhole.blueprint.audit import trail_statements
from keyhole.blueprint.claims import CALLERS
from keyhole.blueprint.encryption import key_statements
from keyhole.blueprint.policies import account_trust
from keyhole.blueprint.policy_files import file_statements
from keyhole.blueprint.terraform import lock_statements
from keyhole.blueprint.uploads import upload_statements
from keyhole.blueprint.workloads import holder_arn, trust_policy
from keyhole.iam import (
    Condition,
    Effect,
    Element,
    Policy,
    PolicyKind,
    PrincipalElement,
    PrincipalPattern,
    Statement,
    parse_policy,
)
from keyhole.naming import Scope
from keyhole.spec import App, Spec
from keyhole.spec.model import AccessKeyWorkload, Ec2Workload, Verb
from keyhole.spec.upload_rules import QUARANTINE

VERB_ACTIONS: dict[Verb, tuple[str, ...]] = {
    "read": ("s3:GetObject",),
    "write": ("s3:PutObject", "s3:AbortMultipartUpload"),
    "delete": ("s3:DeleteObject",),
}
"""What each verb means on objects; `list` is s3:ListBucket on the bucket, under the prefix."""


def asked_of_workload(spec: Spec, key: str, scope: Scope) -> Policy:
    """Give the policy that allows exactly what the file grants this workload."""
    statements: list[Statement] = []
    for grant in spec.app.workloads[key].grants:
        arn = bucket_arn(spec.app, grant.bucket, scope)
        actions = tuple(action for verb in grant.verbs for action in VERB_ACTIONS.get(verb, ()))
        if actions:
            statements.append(allow(actions, (f"{arn}/{grant.prefix}*",)))
        if "list" in grant.verbs:
            under = (Condition("StringLike", "s3:prefix", (f"{grant.prefix}*",)),) if grant.prefix else ()
            statements.append(allow(("s3:ListBucket",), (arn,), under))
    more = [
        *(*key_statements(spec.app, key, scope), *lock_statements(spec.app, key, scope)),
        *(*file_statements(spec, key, scope), *upload_statements(spec.app, key, scope)),
    ]
    if more:
        given = parse_policy({"Version": "2012-10-17", "Statement": more}, PolicyKind.IDENTITY)
        statements.extend(given.statements)
    return Policy(tuple(statements), name=f"what the file grants {key}")


def asked_of_launcher(app: App, key: str, scope: Scope) -> Policy:
    """Give the policy of who launches this workload: to pass exactly its role, to exactly its service."""
    service = "ecs-tasks.amazonaws.com"
    if isinstance(app.workloads[key], Ec2Workload):
        service = "ec2.amazonaws.com" + (".cn" if scope.partition == "aws-cn" else "")
    passed = Condition("StringEquals", "iam:PassedToService", (service,))
    statement = allow(("iam:PassRole",), (holder_arn(app, key, scope),), (passed,))
    return Policy((statement,), name=f"what launching {key} takes")


def asked_of_callers(app: App, name: str, scope: Scope) -> Policy:
    """Give the policy of the role that an upload's callers are served with: its prefix, and its quarantine."""
    upload = app.uploads[name]
    arn = bucket_arn(app, upload.bucket, scope)
    under = (Condition("StringLike", "s3:prefix", (f"{upload.prefix}*",)),) if upload.prefix else ()
    actions = tuple(action for verb in VERB_ACTIONS for action in VERB_ACTIONS[verb])
    statements = [allow(actions, (f"{arn}/{upload.prefix}*",)), allow(("s3:ListBucket",), (arn,), under)]
    if upload.signed_uploads:
        quarantine = (*actions, "s3:ListMultipartUploadParts")
        statements.append(allow(quarantine, (f"{arn}/{QUARANTINE}{name}/*",)))
    return Policy(tuple(statements), name=f"what callers of {name} need")


def asked_of_bucket(app: App, key: str, scope: Scope) -> Policy:
    """Give the policy that lets in exactly whom the file lets into the bucket from outside."""
    arn = bucket_arn(app, key, scope)
    everyone = PrincipalElement((PrincipalPattern("*", "*"),))
    statements = [
        Statement(Effect.ALLOW, Element(("s3:GetObject",)), Element((f"{arn}/{prefix}*",)), everyone)
        for prefix in app.buckets[key].public_read
    ]
    services = [*trail_statements(app, key, scope), *log_statements(app, key, scope)]
    if services:
        given = parse_policy({"Version": "2012-10-17", "Statement": services}, PolicyKind.RESOURCE)
        statements.extend(given.statements)
    return Policy(tuple(statements), name=f"whom the file lets into {key}")


def asked_of_role(app: App, key: str, scope: Scope) -> Policy:
    """Give the trust policy of the role of this workload, as its kind has it, or of an upload's callers."""
    if key.endswith(CALLERS):
        holder = holder_arn(app, app.uploads[key.removesuffix(CALLERS)].workload, scope)
        trust = account_trust(scope.partition, scope.account, [holder])
        return parse_policy(trust, PolicyKind.TRUST, name=f"who serves {key}")
    workload = app.workloads[key]
    if isinstance(workload, AccessKeyWorkload):
        raise ValueError(f"workload {key} has no role")
    return parse_policy(trust_policy(workload, scope), PolicyKind.TRUST, name=f"who runs {key}")


def allow(actions: tuple[str, ...], resources: tuple[str, ...], conditions: tuple[Condition, ...] = ()) -> Statement:
    """Give a statement of an identity policy."""
    return Statement(Effect.ALLOW, Element(actions), Element(resources), conditions=conditions)


def bucket_arn(app: App, key: str, scope: Scope) -> str:
    """Give the ARN of the bucket with this key in the file."""
    return f"arn:{scope.partition}:s3:::{app.bucket_name(key, scope.account)}"
