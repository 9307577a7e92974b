"""Whether a role's trust policy lets the caller have its credentials, whoever that is: a principal, or a token's.

AWS: STS API Reference, AssumeRole and AssumeRoleWithWebIdentity; IAM User Guide, "Pass session tags in AWS STS" and
"Monitor and control actions taken with assumed roles".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keyhole.iam.model import Context, Policy, PolicyKind, Request
from keyhole.local.backend import Backend, Document, Role
from keyhole.local.call import ApiCall, Caller, Fault
from keyhole.local.inquiry import Inquiry, Values
from keyhole.local.policies import parse_stored
from keyhole.local.resource_tags import resource_tags
from keyhole.local.sts_parameters import Tags, read_session_tags, transitive_tags

OPERATIONS = frozenset({"AssumeRole", "AssumeRoleWithWebIdentity"})


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What the new session is to have, from the call's parameters or from the token.

    `source_identity` is what is asked for; `is_tagged` also where the tags are those that the session hands on.
    """

    tags: Tags
    transitive_tag_keys: tuple[str, ...]
    source_identity: str
    is_tagged: bool


def read_session_request(call: ApiCall, caller: Caller) -> SessionRequest:
    """Give what the session is to have. Raises: Fault where the source identity would change."""
    if identity := caller.web_identity:
        return SessionRequest(
            identity.tags, identity.transitive_tag_keys, identity.source_identity, is_tagged=bool(identity.tags)
        )
    tags, transitive = read_session_tags(call)
    asked = str(call.params.get("SourceIdentity", ""))
    present = caller.session.source_identity if caller.session else ""
    if present and asked and asked != present:
        # AWS: "Monitor and control actions taken with assumed roles": it cannot be changed in a chain.
        message = f"User: {caller.principal.arn} is not authorized to perform: sts:SetSourceIdentity on resource: "
        raise Fault("AccessDenied", f"{message}{call.params.get('RoleArn')}", 403)
    return SessionRequest(tags, transitive, asked or present, is_tagged=bool(tags or transitive_tags(caller.session)))


def check_trust(inquiry: Inquiry) -> None:
    """Return where the trust policy and the caller's own let it assume the role. Raises: Fault with AWS's sentence.

    Where tags or a source identity come along, sts:TagSession and sts:SetSourceIdentity are asked too.
    """
    call, caller, backend = inquiry.call, inquiry.caller, inquiry.backend
    arn = str(call.params.get("RoleArn", ""))
    role = role_by_arn(arn, backend)
    wanted = read_session_request(call, caller)
    values = Context({**inquiry.context, **resource_tags(arn, backend), **_call_values(call, wanted)})
    account = role.account if role else arn.split(":")[4] if arn.count(":") >= 5 else ""
    trust = parse_stored(Document(arn, role.trust), PolicyKind.TRUST) if role else Policy(())
    for action in _actions(call, wanted):
        inquiry.require(Request(caller.principal, action, arn, values, account), trust=trust)


def role_by_arn(arn: str, backend: Backend) -> Role | None:
    """Give the role of exactly that ARN, path included."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        return None
    role = backend.find_role(parts[4], parts[5].rsplit("/", 1)[-1])
    return role if role and role.arn == arn else None


def _actions(call: ApiCall, wanted: SessionRequest) -> Iterator[str]:
    yield f"sts:{call.operation}"
    if wanted.is_tagged:
        yield "sts:TagSession"
    if wanted.source_identity:
        yield "sts:SetSourceIdentity"


def _call_values(call: ApiCall, wanted: SessionRequest) -> Values:
    """Give the condition keys that the call itself has, by STS's names."""
    values: dict[str, str | tuple[str, ...]] = {f"aws:RequestTag/{key}": value for key, value in wanted.tags}
    if wanted.tags:
        values["aws:TagKeys"] = tuple(key for key, _ in wanted.tags)
    if wanted.transitive_tag_keys:
        values["sts:TransitiveTagKeys"] = wanted.transitive_tag_keys
    if wanted.source_identity:
        values["sts:SourceIdentity"] = wanted.source_identity
    for member, key in (("ExternalId", "sts:ExternalId"), ("RoleSessionName", "sts:RoleSessionName")):
        if member in call.params:
            values[key] = str(call.params[member])
    return values
