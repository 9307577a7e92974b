"""What moto gets wrong, answered in front of it: rules that run before a call, and repairs that run after it.

A rule that runs before returns None to let the call go on, a Response to answer it, or raises the Fault that AWS gives.
"""

from __future__ import annotations

from collections.abc import Callable

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Response
from keyhole.local.overrides import (
    account_block,
    amounts,
    bucket_metrics,
    detours,
    ecs_clusters,
    iam_rules,
    names,
    resource_policies,
    s3_rules,
    secret_names,
    topics,
)

Before = Callable[[ApiCall, Caller, Bucket | None, Backend], Response | None]
After = Callable[[ApiCall, Caller, Backend, Response], Response]

_BEFORE: dict[tuple[str, str], Before] = {
    **{("s3", operation): s3_rules.answer_before for operation in s3_rules.OPERATIONS_BEFORE},
    **{("s3", operation): bucket_metrics.answer_metrics for operation in bucket_metrics.OPERATIONS},
    **{("s3control", operation): account_block.answer_block for operation in account_block.OPERATIONS},
    **dict.fromkeys(resource_policies.OPERATIONS, resource_policies.check_policy),
    **{("ecs", operation): ecs_clusters.check_cluster for operation in ecs_clusters.OPERATIONS},
    ("secretsmanager", "CreateSecret"): secret_names.check_name,
}
# What holds for many calls of a service, each of which may have a rule of its own besides.
_CHECKS: tuple[Callable[[ApiCall], None], ...] = (
    names.check_names,
    amounts.check_amounts,
    detours.check_detours,
    topics.check_attributes,
)
_AFTER: dict[tuple[str, str], After] = {
    **{("s3", operation): s3_rules.repair_after for operation in s3_rules.OPERATIONS_AFTER},
}


def answer_before(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """Give the answer to a call that must not reach the backend, None for one that must. Raises: Fault."""
    for check in _CHECKS:
        check(call)
    rule = iam_rules.answer_before if call.service == "iam" else _BEFORE.get((call.service, call.operation))
    return rule(call, caller, bucket, backend) if rule else None


def repair_after(call: ApiCall, caller: Caller, backend: Backend, response: Response) -> Response:
    """Give what the client is to get for a call that the backend answered."""
    rule = iam_rules.repair_after if call.service == "iam" else _AFTER.get((call.service, call.operation))
    return rule(call, caller, backend, response) if rule and response.status < 300 else response
