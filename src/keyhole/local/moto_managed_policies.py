"""AWS's own managed policies, of which moto has the texts: one is made when first named, all when they are listed.

Their texts are one big JSON document that moto has loaded anyhow. One policy is read out of it by its name, which takes
some microseconds; all of them take some 30 ms and 14 MB.
AWS: IAM User Guide, "Managed policies and inline policies"; AWS Managed Policy Reference Guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy

from keyhole.local.backend import Document
from keyhole.local.call import ApiCall

_ARN = re.compile(r"arn:aws:iam::aws:policy(?P<path>/(?:[\w+=,.@-]+/)*)(?P<name>[\w+=,.@-]+)", re.ASCII)
_REGION = "aws"


@lru_cache(maxsize=256)
def find_aws_policy(arn: str) -> Document | None:
    """Give the default version of AWS's policy of exactly that ARN, path included."""
    data = _read(arn)
    return Document(arn, json.dumps(data["Document"])) if data else None


def provide_policies(iam: Any, call: ApiCall) -> None:
    """Let moto's IAM of an account have what the call names or lists of AWS's policies."""
    if call.operation == "ListPolicies" and call.params.get("Scope", "All") != "Local":
        _add_all(iam)
    else:
        named = (str(call.params.get(member, "")) for member in ("PolicyArn", "PermissionsBoundary"))
        _add_named(iam, (arn for arn in named if _ARN.fullmatch(arn)))


def _add_named(iam: Any, arns: Iterable[str]) -> None:
    for arn in arns:
        data = _read(arn) if arn not in iam.managed_policies else None
        if data:
            _add(iam, arn, data)


def _add_all(iam: Any) -> None:
    # As many as there are: nothing is left to be added.
    if len(iam.aws_managed_policies) == _count():
        return
    for name, data in json.loads(aws_managed_policies_data).items():
        arn = f"arn:aws:iam::aws:policy{data.get('Path', '/')}{name}"
        if arn not in iam.managed_policies:
            _add(iam, arn, _in_order(data))


def _add(iam: Any, arn: str, data: dict[str, Any]) -> None:
    policy = AWSManagedPolicy.from_data(arn.rsplit("/", 1)[-1], iam.account_id, _REGION, data)
    iam.managed_policies[arn] = policy
    iam.aws_managed_policies.append(policy)


@lru_cache(maxsize=2048)
def _read(arn: str) -> dict[str, Any] | None:
    match = _ARN.fullmatch(arn)
    if match is None:
        return None
    # Names stand after one space at the beginning of a line, and nothing else does.
    mark = f'\n "{match["name"]}":'
    start = aws_managed_policies_data.find(mark)
    if start < 0:
        return None
    data, _ = json.JSONDecoder().raw_decode(aws_managed_policies_data, start + len(mark))
    return _in_order(data) if data.get("Path", "/") == match["path"] else None


def _in_order(data: dict[str, Any]) -> dict[str, Any]:
    """Give the policy with its version first: moto has sorted the elements."""
    document = data["Document"]
    return {**data, "Document": {"Version": document["Version"], **document}}


@cache
def _count() -> int:
    return len(re.findall(r'^ "[\w+=,.@-]+":\{', aws_managed_policies_data, re.MULTILINE))
