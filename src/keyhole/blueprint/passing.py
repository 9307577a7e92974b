"""PassRole: what the people who launch instances or start tasks need, for exactly one role.

AWS: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
"""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.blueprint.claims import LAUNCHER, Claim, Expected
from keyhole.blueprint.policies import VERSION
from keyhole.naming import Scope
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.spec import App, Places
from keyhole.spec.model import Ec2Workload, EcsWorkload

_PASSED_KEY = "iam:PassedToService"


def passing_policy(app: App, key: str, role_arn: str, scope: Scope) -> ManagedPolicy | None:
    """Give the policy for whoever passes the workload's role on, None where the file wants none."""
    workload = app.workloads[key]
    if not isinstance(workload, Ec2Workload | EcsWorkload) or workload.pass_role_policy is None:
        return None
    name = app.fill(workload.pass_role_policy, scope.account)
    path = scope.path_of("policy", name)
    arn = f"arn:{scope.partition}:iam::{scope.account}:policy{path}{name}"
    statement = {
        "Sid": "PassThisRole",
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": role_arn,
        "Condition": {"StringEquals": {_PASSED_KEY: _service(workload, scope)}},
    }
    document = {"Version": VERSION, "Statement": [statement]}
    return ManagedPolicy(f"policy.{key}{LAUNCHER}", arn, path, document, scope.tags)


def passing_claims(app: App, key: str, role_arn: str, scope: Scope, places: Places) -> Iterator[Claim]:
    """Give what whoever has the policy can do with this role, and cannot with others."""
    workload = app.workloads[key]
    if not isinstance(workload, Ec2Workload | EcsWorkload) or workload.pass_role_policy is None:
        return
    place = places.where(("workloads", key, "pass_role_policy"))
    service = _service(workload, scope)
    for slug, action, resource, context, why in (
        ("pass", "iam:PassRole", role_arn, {_PASSED_KEY: service}, "`pass_role_policy` is for who passes this role"),
        ("no-other-role", "iam:PassRole", f"{role_arn}-other", {_PASSED_KEY: service}, "it is for this role alone"),
        ("no-other-service", "iam:PassRole", role_arn, {_PASSED_KEY: "lambda.amazonaws.com"}, f"it is for {service}"),
        ("no-assume", "sts:AssumeRole", role_arn, {}, "who passes the role on does not get it"),
    ):
        expected = Expected.CAN if slug == "pass" else Expected.CANNOT
        claim_id = f"workload.{key}.launcher.{slug}"
        yield Claim(
            claim_id, f"{key}{LAUNCHER}", action, resource, expected, why, place, context=context, on_paper=True
        )


def _service(workload: Ec2Workload | EcsWorkload, scope: Scope) -> str:
    if isinstance(workload, EcsWorkload):
        return "ecs-tasks.amazonaws.com"
    return "ec2.amazonaws.com.cn" if scope.partition == "aws-cn" else "ec2.amazonaws.com"
