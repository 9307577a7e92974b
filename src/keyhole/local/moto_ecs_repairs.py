"""What moto's ECS does otherwise than AWS: Fargate sizes tasks, not containers, security groups may be left out, and
services say whether they are rebalanced between availability zones.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

from keyhole.local.call import ApiCall

_SIZES = frozenset({"memory", "memoryReservation"})


@cache
def repair_ecs() -> None:
    """Change what cannot be put right from outside; once, after moto's ECS is imported."""
    from moto.ecs.models import Service

    # moto answers with the attributes that an object has.
    Service.availability_zone_rebalancing = "DISABLED"
    _size_containers_without_memory()


def keep_rebalancing(call: ApiCall, account: str) -> None:
    """Keep what a call that makes or changes a service says of rebalancing."""
    wanted = call.params.get("availabilityZoneRebalancing")
    if not wanted or call.operation not in ("CreateService", "UpdateService"):
        return
    from moto.ecs.models import ecs_backends

    name = str(call.params.get("serviceName") or call.params.get("service") or "").rpartition("/")[2]
    cluster = str(call.params.get("cluster") or "default").rpartition("/")[2]
    for service in list(ecs_backends[account][call.region].services.values()):
        if (service.cluster_name, service.name) == (cluster, name):
            service.availability_zone_rebalancing = wanted


def _size_containers_without_memory() -> None:
    """Let containers of a task that has a size of its own need no memory of their own.

    AWS: ECS API Reference, ContainerDefinition, memory.
    """
    from moto.ecs.models import EC2ContainerServiceBackend as Backend

    original = Backend._calculate_task_resource_requirements

    def calculate(task_definition: Any) -> Any:
        containers = [
            item if _SIZES & item.keys() else {**item, "memory": 0} for item in task_definition.container_definitions
        ]
        return original(SimpleNamespace(container_definitions=containers))

    Backend._calculate_task_resource_requirements = staticmethod(calculate)


def fill_network(call: ApiCall) -> ApiCall:
    """Name no security groups where the call leaves them out: moto reads them without looking."""
    configuration = call.params.get("networkConfiguration") or {}
    network = configuration.get("awsvpcConfiguration")
    if not network or "securityGroups" in network:
        return call
    filled = {**configuration, "awsvpcConfiguration": {**network, "securityGroups": []}}
    return replace(call, params={**call.params, "networkConfiguration": filled})
