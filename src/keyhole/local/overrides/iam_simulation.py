"""The calls of IAM's policy simulator, answered by our engine.

AWS: IAM API Reference, SimulatePrincipalPolicy, SimulateCustomPolicy, GetContextKeysForPrincipalPolicy and
GetContextKeysForCustomPolicy, EvaluationResult and ResourceSpecificResult. The type of every source of a statement is
"IAM Policy", as AWS is seen to answer; its reference lists others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keyhole.iam.catalogue import find_action
from keyhole.iam.catalogue.arn_format import fits_format
from keyhole.iam.model import PolicyKind
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.overrides.pages import take_page
from keyhole.local.overrides.simulation_input import (
    attached_sources,
    boundary_source,
    check_questions,
    find_source_entity,
    is_excluded,
    read_context,
    read_principal,
    read_sources,
)
from keyhole.local.query_answers import write_answer
from keyhole.local.simulation import Setting, Simulated, Source, list_keys, most_restrictive, simulate_all
from keyhole.local.statement_places import find_places

_SOURCE_TYPE = "IAM Policy"
_RESOURCE_TYPE = "Resource Policy"


def simulate_principal(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Answer what a user, group or role of the account may do, with its policies and those that the call brings."""
    check_questions(call)
    entity = find_source_entity(call, caller, backend)
    exclusions = call.params.get("PolicyExclusionList", ())
    _check_exclusions(exclusions)
    own = tuple(
        source
        for source in dict.fromkeys(attached_sources(entity, caller.account, backend))
        if not is_excluded(source, entity, entity.attached, exclusions)
    )
    boundary = _boundary(call) or boundary_source(entity, backend)
    setting = Setting(
        principal=read_principal(call, entity, caller.account),
        identity=(*own, *read_sources(call.params.get("PolicyInputList", ()), "PolicyInputList", PolicyKind.IDENTITY)),
        boundary=boundary,
        resource=_resource_policy(call),
        scps=(),
        context=read_context(call),
        owner=_owner(call, caller),
    )
    return _answer(call, setting)


def simulate_custom(call: ApiCall, caller: Caller, _bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Answer what the policies that the call brings allow."""
    check_questions(call)
    levels = call.params.get("OrderedOrganizationPolicyInputList", ())
    setting = Setting(
        principal=read_principal(call, None, caller.account),
        identity=read_sources(call.params.get("PolicyInputList", ()), "PolicyInputList", PolicyKind.IDENTITY),
        boundary=_boundary(call),
        resource=_resource_policy(call),
        scps=tuple(
            read_sources(level.get("ServiceControlPolicyInputList", ()), f"SCP.{number}", PolicyKind.SCP)
            for number, level in enumerate(levels, 1)
        ),
        context=read_context(call),
        owner=_owner(call, caller),
    )
    return _answer(call, setting)


def list_principal_keys(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Answer which condition keys the policies of a user, group or role name."""
    entity = find_source_entity(call, caller, backend)
    own = attached_sources(entity, caller.account, backend)
    more = read_sources(call.params.get("PolicyInputList", ()), "PolicyInputList", PolicyKind.IDENTITY)
    return write_answer(call, {"ContextKeyNames": list_keys(source.policy for source in (*own, *more))})


def list_custom_keys(call: ApiCall, _caller: Caller, _bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Answer which condition keys the policies that the call brings name."""
    sources = read_sources(call.params.get("PolicyInputList", ()), "PolicyInputList", PolicyKind.IDENTITY)
    return write_answer(call, {"ContextKeyNames": list_keys(source.policy for source in sources)})


def _answer(call: ApiCall, setting: Setting) -> Response:
    actions, more = take_page(call, [str(action) for action in call.params.get("ActionNames", ())])
    resources = [str(arn) for arn in call.params.get("ResourceArns", ())] or ["*"]
    found = simulate_all(setting, actions, resources)
    results = [_describe(action, one, setting) for action, one in zip(actions, found, strict=True)]
    return write_answer(call, {"EvaluationResults": results, **more})


def _describe(action: str, found: Sequence[Simulated], setting: Setting) -> dict[str, Any]:
    """Give the result of one action: the most restrictive of its resources, and each of them apart."""
    worst = most_restrictive(item.outcome for item in found)
    deciding = [item for item in found if item.outcome is worst]
    is_for_all = [item.resource for item in found] == ["*"]
    by_kind = {
        kind: most_restrictive(item.by_kind[kind] for item in found if kind in item.by_kind).value
        for item in found
        for kind in item.by_kind
    }
    return {
        "EvalActionName": action,
        "EvalResourceName": _template(action, found[0].resource),
        "EvalDecision": worst.value,
        "MatchedStatements": _statements(dict.fromkeys(match for item in deciding for match in item.matched), setting),
        "MissingContextValues": list(dict.fromkeys(key for item in found for key in item.missing)),
        **_layers(_together(item.by_boundary for item in found), _together(item.by_organization for item in found)),
        "EvalDecisionDetails": None if is_for_all and not by_kind else by_kind,
        "ResourceSpecificResults": None if is_for_all else [_describe_one(item, setting) for item in found],
    }


def _describe_one(item: Simulated, setting: Setting) -> dict[str, Any]:
    return {
        "EvalResourceName": item.resource,
        "EvalResourceDecision": item.outcome.value,
        "MatchedStatements": _statements(dict.fromkeys(item.matched), setting),
        "MissingContextValues": list(item.missing),
        "EvalDecisionDetails": {kind: outcome.value for kind, outcome in item.by_kind.items()} or None,
        **_layers(item.by_boundary, None),
    }


def _together(answers: Iterable[bool | None]) -> bool | None:
    """Give whether a layer allows all of it; it is there for every resource or for none."""
    known = [answer for answer in answers if answer is not None]
    return all(known) if known else None


def _layers(by_boundary: bool | None, by_organization: bool | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if by_boundary is not None:
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": by_boundary}
    if by_organization is not None:
        found["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": by_organization}
    return found


def _statements(matched: Mapping[tuple[Source, int], None], setting: Setting) -> list[dict[str, Any]]:
    described = []
    for source, number in matched:
        begin, end = find_places(source.text)[number]
        described.append(
            {
                "SourcePolicyId": source.policy_id,
                "SourcePolicyType": _RESOURCE_TYPE if source is setting.resource else _SOURCE_TYPE,
                "StartPosition": {"Line": begin[0], "Column": begin[1]},
                "EndPosition": {"Line": end[0], "Column": end[1]},
            }
        )
    return described


def _template(action: str, resource: str) -> str:
    """Give the format of the ARNs that the action takes, "*" where it takes none; of several the one that fits."""
    known = find_action(action)
    formats = [taken.type.arn_format for taken in known.resources if taken.type.arn_format] if known else []
    fitting = [written for written in formats if resource != "*" and fits_format(resource, written)]
    return min(fitting or formats, key=len, default="*")


def _boundary(call: ApiCall) -> Source | None:
    texts = call.params.get("PermissionsBoundaryPolicyInputList", ())
    if len(texts) > 1:
        raise Fault("InvalidInput", "Only one permissions boundary policy can be simulated.", 400)
    return next(iter(read_sources(texts, "PermissionsBoundaryPolicyInputList", PolicyKind.BOUNDARY)), None)


def _resource_policy(call: ApiCall) -> Source | None:
    if "ResourcePolicy" not in call.params:
        return None
    source = read_sources([call.params["ResourcePolicy"]], "ResourcePolicy", PolicyKind.RESOURCE)[0]
    return Source("ResourcePolicy", source.text, source.policy)


def _owner(call: ApiCall, caller: Caller) -> str:
    """Give the account of resources that do not tell theirs: as said, else that of who is simulated."""
    owner = str(call.params.get("ResourceOwner") or "")
    if owner:
        account = owner.split(":")[4] if owner.count(":") >= 5 else owner
        if len(account) != 12 or not account.isdigit():
            raise Fault("InvalidInput", f"Invalid Resource Owner: {owner}", 400)
        return account
    fields = str(call.params.get("CallerArn") or "").split(":", 5)
    return fields[4] if len(fields) == 6 else caller.account


def _check_exclusions(exclusions: Sequence[Mapping[str, Any]]) -> None:
    for exclusion in exclusions:
        if len(exclusion) != 1:
            raise Fault("InvalidInput", "A policy identifier must have exactly one member.", 400)
        if "PolicyType" in exclusion:
            message = "PolicyExclusionList by PolicyType is not available in Keyhole's local AWS"
            raise Fault("NotImplemented", message, 501)
