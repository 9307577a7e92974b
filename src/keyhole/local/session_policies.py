"""The policies that are passed with a session, and how much room they and its tags take.

AWS: IAM User Guide, "Policies and permissions in AWS Identity and Access Management", session policies; "IAM and AWS
STS quotas": AWS packs them into a binary form that it does not publish. Here it is what zlib makes of them.
"""

from __future__ import annotations

import json
import math
import zlib

from keyhole.errors import PolicyError
from keyhole.iam import parse_policy
from keyhole.iam.model import Policy, PolicyKind
from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Fault
from keyhole.local.sts_parameters import Tags

_PACKED_BYTES = 1024


def read_session_policies(call: ApiCall, account: str, backend: Backend) -> tuple[Policy, ...] | None:
    """Give the inline and managed session policies, None where none are passed; `account` is whose the managed are.

    Raises: Fault where one does not parse, or does not exist.
    """
    policies: list[Policy] = []
    if "Policy" in call.params:
        policies.append(_parse(str(call.params["Policy"]), "session policy"))
    for arn in _policy_arns(call):
        document = backend.find_policy(arn) if _is_policy_of(arn, account) else None
        if document is None:
            raise Fault("ValidationError", f"Policy {arn} does not exist or is not attachable.")
        policies.append(_parse(document.text, document.name))
    return tuple(policies) or None


def measure_packed(call: ApiCall, tags: Tags) -> int | None:
    """Give how full a session's policies and tags are, in percent; None where there are none. Raises: Fault over 100.

    `tags` are all that the session has, inherited ones included.
    """
    policy, arns = str(call.params.get("Policy", "")), _policy_arns(call)
    if not policy and not arns and not tags:
        return None
    packed = zlib.compress(json.dumps([policy, arns, tags], separators=(",", ":")).encode(), 9)
    percent = math.ceil(100 * len(packed) / _PACKED_BYTES)
    if percent > 100:
        what = "session tags" if tags and not policy and not arns else "session policies and session tags combined"
        raise Fault("PackedPolicyTooLarge", f"Packed size of {what} consumes {percent}% of allotted space.", 400)
    return percent


def _policy_arns(call: ApiCall) -> list[str]:
    return [str(descriptor.get("arn", "")) for descriptor in call.params.get("PolicyArns", ())]


def _is_policy_of(arn: str, account: str) -> bool:
    fields = arn.split(":", 5)
    return len(fields) == 6 and fields[2] == "iam" and fields[4] in {account, "aws"} and fields[5].startswith("policy/")


def _parse(text: str, name: str) -> Policy:
    try:
        return parse_policy(text, kind=PolicyKind.SESSION, name=name)
    except PolicyError as error:
        raise Fault("MalformedPolicyDocument", str(error)) from error
