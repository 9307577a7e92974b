"""Whether a role's trust policy lets the caller have its credentials.

AWS: STS API Reference, AssumeRole; IAM User Guide, "Pass session tags in AWS STS".
"""

from __future__ import annotations

from keyhole.iam.model import Context, Policy, PolicyKind, Request
from keyhole.local.backend import Backend, Document, Role
from keyhole.local.call import ApiCall
from keyhole.local.inquiry import Inquiry
from keyhole.local.policies import parse_stored
from keyhole.local.resource_tags import resource_tags


def check_assume_role(call: ApiCall, inquiry: Inquiry, backend: Backend) -> None:
    """Return where the trust policy and the caller's own let it assume the role. Raises: Fault with AWS's sentence.

    Where tags come along, sts:TagSession is asked too.
    """
    arn = str(call.params.get("RoleArn", ""))
    role = role_by_arn(arn, backend)
    values = {**inquiry.context, **resource_tags(arn, backend)}
    for member, key in (("ExternalId", "sts:ExternalId"), ("RoleSessionName", "sts:RoleSessionName")):
        if member in call.params:
            values[key] = str(call.params[member])
    account = role.account if role else arn.split(":")[4] if arn.count(":") >= 5 else ""
    trust = parse_stored(Document(arn, role.trust), PolicyKind.TRUST) if role else Policy(())
    for action in ["sts:AssumeRole", *(["sts:TagSession"] if call.params.get("Tags") else [])]:
        inquiry.require(Request(inquiry.caller.principal, action, arn, Context(values), account), trust=trust)


def role_by_arn(arn: str, backend: Backend) -> Role | None:
    """Give the role of exactly that ARN, path included."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        return None
    role = backend.find_role(parts[4], parts[5].rsplit("/", 1)[-1])
    return role if role and role.arn == arn else None
