"""IAM's parameters: names and paths in IAM's own words, everything else in those that all services build.

AWS: IAM API Reference, request parameters of each operation; IAM User Guide, "IAM and AWS STS quotas", name
requirements.
"""

from __future__ import annotations

import re

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.constraints import check_constraints
from keyhole.local.service_models import find_operation

_NAME = re.compile(r"[\w+=,.@-]*", re.ASCII)
_PATH = re.compile(r"/|/[\x21-\x7e]+/")
_NAMES = frozenset(
    {
        *("UserName", "NewUserName", "RoleName", "GroupName", "NewGroupName", "PolicyName", "InstanceProfileName"),
        *("VirtualMFADeviceName", "ServerCertificateName", "NewServerCertificateName", "CustomSuffix"),
    }
)
_ARNS = ("PolicyArn", "PermissionsBoundary", "PolicySourceArn")


def check_members(call: ApiCall, _caller: Caller, _bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse what AWS's models refuse. Raises: Fault (ValidationError)."""
    for member, value in call.params.items():
        text = str(value)
        if member in _NAMES and not _NAME.fullmatch(text):
            raise _invalid(member, "It must contain only alphanumeric characters and/or the following: +=,.@_-")
        if member in ("Path", "NewPath") and not (_PATH.fullmatch(text) and "//" not in text):
            rule = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
            raise _invalid(member, rule)
    operation = find_operation(call.service, call.operation)
    if operation is not None and operation.input_shape is not None:
        check_constraints(call, operation.input_shape)
    for member in _ARNS:
        if member in call.params and not _is_arn(str(call.params[member])):
            raise Fault("ValidationError", f"ARN {call.params[member]} is not valid.", 400)
    return None


def _invalid(member: str, rule: str) -> Fault:
    name = f"{member[:1].lower()}{member[1:]}"
    return Fault("ValidationError", f"The specified value for {name} is invalid. {rule}", 400)


def _is_arn(text: str) -> bool:
    fields = text.split(":", 5)
    return len(fields) == 6 and fields[0] == "arn" and bool(fields[1]) and bool(fields[5])
