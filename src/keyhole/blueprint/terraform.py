"""Terraform's state: the lock table, and what those who lock may do with it.

HashiCorp: Terraform, "Backend Type: s3", permissions required for DynamoDB locking.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.blueprint.claims import Claim, Expected
from keyhole.naming import Scope
from keyhole.resources.table import KeyTable
from keyhole.spec import App, Places

LOCK_KEY = "LockID"
LOCK_ACTIONS = ("dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem")


def lock_table(app: App, scope: Scope) -> KeyTable | None:
    """Give the table that Terraform locks with, None where it locks in the bucket or not at all."""
    if app.terraform_state is None or app.terraform_state.table_name is None:
        return None
    name = app.fill(app.terraform_state.table_name, scope.account)
    arn = f"arn:{scope.partition}:dynamodb:{scope.region}:{scope.account}:table/{name}"
    return KeyTable("table.terraform-locks", name, arn, LOCK_KEY, scope.tags)


def lock_statements(app: App, key: str, scope: Scope) -> list[dict[str, Any]]:
    """Give what a workload may do with the table, nothing where it does not lock."""
    table = lock_table(app, scope)
    if table is None or app.terraform_state is None or key not in app.terraform_state.workloads:
        return []
    return [{"Sid": "TerraformLocks", "Effect": "Allow", "Action": list(LOCK_ACTIONS), "Resource": table.arn}]


def lock_claims(app: App, scope: Scope, places: Places) -> Iterator[Claim]:
    """Give who can lock and unlock, and who cannot."""
    table = lock_table(app, scope)
    if table is None or app.terraform_state is None:
        return
    place = places.where(("terraform_state", "workloads"))
    for key in app.workloads:
        can = key in app.terraform_state.workloads
        why = f"`terraform_state` {'lets' if can else 'does not let'} {key} lock"
        for verb, action in (("lock", "dynamodb:PutItem"), ("unlock", "dynamodb:DeleteItem")):
            slug = f"workload.{key}.{verb if can else f'no-{verb}'}"
            yield Claim(slug, key, action, table.arn, Expected.CAN if can else Expected.CANNOT, why, place)
