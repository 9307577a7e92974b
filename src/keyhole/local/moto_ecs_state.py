"""moto's tasks, read: which roles a task that ECS runs was given."""

from __future__ import annotations

import sys
from typing import Any

from keyhole.local.backend import EcsTask


def find_task(arn: str) -> EcsTask | None:
    """Give the task of that ARN if it runs, with the roles of its definition or those that RunTask put over them."""
    models = sys.modules.get("moto.ecs.models")
    # moto's ECS takes a while to import: while nobody has used it, there is nothing in it.
    backends = getattr(models, "ecs_backends", None)
    for account, region, ecs in list(backends.iter_backends()) if backends is not None else []:
        for tasks in list(ecs.tasks.values()):
            task = tasks.get(arn)
            if task is not None and task.desired_status == "RUNNING":
                return _read(task, ecs, account, region)
    return None


def _read(task: Any, ecs: Any, account: str, region: str) -> EcsTask:
    definition = ecs.describe_task_definition(task.task_definition_arn)

    def role(name: str, attribute: str) -> str:
        return str(task.overrides.get(name) or getattr(definition, attribute, None) or "")

    return EcsTask(
        task_id=task.id,
        arn=task.task_arn,
        account=account,
        region=region,
        cluster=task.cluster_name,
        task_role_arn=role("taskRoleArn", "task_role_arn"),
        execution_role_arn=role("executionRoleArn", "execution_role_arn"),
    )
