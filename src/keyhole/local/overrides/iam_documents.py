"""IAM's policy documents are checked when they are put: what it would not take is never stored.

AWS: IAM API Reference, errors MalformedPolicyDocument and LimitExceeded.
"""

from __future__ import annotations

from keyhole.iam import parse_policy
from keyhole.iam.model import PolicyKind
from keyhole.iam.quotas import MANAGED, TRUST, check_quota
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.iam_document_rules import find_defect, invalid_principal
from keyhole.local.overrides.principals import unknown_principal

# Operation → the member that holds the document, and what it is.
OPERATIONS = {
    "CreateRole": ("AssumeRolePolicyDocument", PolicyKind.TRUST),
    "UpdateAssumeRolePolicy": ("PolicyDocument", PolicyKind.TRUST),
    "CreatePolicy": ("PolicyDocument", PolicyKind.IDENTITY),
    "CreatePolicyVersion": ("PolicyDocument", PolicyKind.IDENTITY),
    "PutRolePolicy": ("PolicyDocument", PolicyKind.IDENTITY),
    "PutUserPolicy": ("PolicyDocument", PolicyKind.IDENTITY),
    "PutGroupPolicy": ("PolicyDocument", PolicyKind.IDENTITY),
}
# Those of inline policies count all of a user, role or group together.
_QUOTAS = {
    "CreatePolicy": MANAGED,
    "CreatePolicyVersion": MANAGED,
    "CreateRole": TRUST,
    "UpdateAssumeRolePolicy": TRUST,
}


def check_document(call: ApiCall, _caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse a document that AWS refuses. Raises: Fault (MalformedPolicyDocument, LimitExceeded)."""
    member, kind = OPERATIONS[call.operation]
    text = str(call.params.get(member, ""))
    quota = _QUOTAS.get(call.operation)
    if quota and check_quota(text, quota):
        raise Fault("LimitExceeded", quota.refusal, 409)
    if defect := find_defect(text, kind, is_managed=quota is MANAGED):
        raise _malformed(defect)
    if kind is PolicyKind.TRUST and (unknown := unknown_principal(parse_policy(text, kind), backend)):
        raise _malformed(invalid_principal("AWS", unknown))
    return None


def _malformed(message: str) -> Fault:
    return Fault("MalformedPolicyDocument", message, 400)
