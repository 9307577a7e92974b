"""ECS: operation → action; clusters, services, tasks and task definitions by their ARNs, roles passed to tasks.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Elastic Container Service";
ECS Developer Guide, "Amazon ECS task IAM role" and "Grant permission to tag resources on creation".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keyhole.local.actions.row import (
    Context,
    ContextOf,
    Need,
    Place,
    ResourcesOf,
    Row,
    as_flag,
    every,
    merge,
    pass_role,
    role_arn,
)
from keyhole.local.call import ApiCall

_TASKS = "ecs-tasks.amazonaws.com"


def _arn(place: Place, kind: str, name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:ecs:{place.region}:{place.account}:{kind}/{name}"


def cluster_arn(call: ApiCall, place: Place) -> str:
    """Give the cluster of a call; one that names none means `default`."""
    return _arn(place, "cluster", str(call.params.get("cluster") or "default"))


def cluster(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The cluster that the call names."""
    return (cluster_arn(call, place),)


def _new_cluster(call: ApiCall, place: Place) -> tuple[str, ...]:
    return (_arn(place, "cluster", str(call.params.get("clusterName") or "default")),)


def _clusters(call: ApiCall, place: Place) -> tuple[str, ...]:
    return tuple(_arn(place, "cluster", str(name)) for name in call.params.get("clusters") or ("default",))


def _in_cluster(kind: str, member: str) -> ResourcesOf:
    """What the call names in its cluster: services, tasks or container instances, by id or by ARN."""

    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        value = call.params.get(member)
        names = value if isinstance(value, list) else [value or "*"]
        where = cluster_arn(call, place).rpartition("/")[2]
        return tuple(_within(place, kind, where, str(name)) for name in names)

    return resources


def _within(place: Place, kind: str, where: str, name: str) -> str:
    return name if name.startswith("arn:") else _arn(place, kind, f"{where}/{name}")


def task_definition_arn(call: ApiCall, place: Place) -> str:
    """Give the ARN of the task definition that the call names; a family alone means its newest revision."""
    arn = _arn(place, "task-definition", str(call.params.get("taskDefinition") or ""))
    found = place.backend.find_resource(arn)
    return found.arn if found else arn


def _task_definition(call: ApiCall, place: Place) -> tuple[str, ...]:
    return (task_definition_arn(call, place),)


def _task_definitions(call: ApiCall, place: Place) -> tuple[str, ...]:
    return tuple(_arn(place, "task-definition", str(name)) for name in call.params.get("taskDefinitions") or ())


def _new_task_definition(call: ApiCall, place: Place) -> tuple[str, ...]:
    return (_arn(place, "task-definition", f"{call.params.get('family', '')}:*"),)


def _new_task(call: ApiCall, place: Place) -> tuple[str, ...]:
    return (_within(place, "task", cluster_arn(call, place).rpartition("/")[2], "*"),)


def _tagged(call: ApiCall, _place: Place) -> tuple[str, ...]:
    return (str(call.params.get("resourceArn", "")),)


def _capacity_providers(call: ApiCall, place: Place) -> tuple[str, ...]:
    names = call.params.get("capacityProviders") or [
        call.params.get("capacityProvider") or call.params.get("name", "*")
    ]
    return tuple(_arn(place, "capacity-provider", str(name)) for name in names)


def _task_sets(call: ApiCall, place: Place) -> tuple[str, ...]:
    service = str(call.params.get("service", "*")).rpartition("/")[2]
    where = f"{cluster_arn(call, place).rpartition('/')[2]}/{service}"
    names = call.params.get("taskSets") or [call.params.get("taskSet") or "*"]
    return tuple(_within(place, "task-set", where, str(name)) for name in names)


def _defined_roles(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The roles of the task definition that the call starts, but for those that it replaces itself."""
    if not call.params.get("taskDefinition"):
        return ()
    found = place.backend.find_resource(task_definition_arn(call, place))
    overrides = call.params.get("overrides") or {}
    return tuple(
        role_arn(role, place) for kind, role in (found.roles if found else ()) if role and not overrides.get(kind)
    )


def _to_tasks(_call: ApiCall, _place: Place) -> Context:
    return {"iam:PassedToService": _TASKS}


def _of_cluster(call: ApiCall, place: Place) -> Context:
    return {"ecs:cluster": cluster_arn(call, place)}


def _of_service(call: ApiCall, place: Place) -> Context:
    return {"ecs:service": _in_cluster("service", "service")(call, place)[0]}


def _of_task_definition(call: ApiCall, place: Place) -> Context:
    return {"ecs:task-definition": task_definition_arn(call, place)} if call.params.get("taskDefinition") else {}


def _flags(**keys: str) -> ContextOf:
    """Bool keys of members that are true or false."""

    def context(call: ApiCall, _place: Place) -> Context:
        return {f"ecs:{key}": as_flag(call.params[name]) for name, key in keys.items() if name in call.params}

    return context


_FLAGS = _flags(enableExecuteCommand="enable-execute-command")
_MANAGED = _flags(enableECSManagedTags="enable-ecs-managed-tags")


def _texts(**keys: str) -> ContextOf:
    """Keys of members that are text."""

    def context(call: ApiCall, _place: Place) -> Context:
        return {f"ecs:{key}": str(call.params[name]) for name, key in keys.items() if call.params.get(name)}

    return context


def _capacity(call: ApiCall, _place: Place) -> Context:
    strategy = call.params.get("capacityProviderStrategy") or call.params.get("defaultCapacityProviderStrategy") or ()
    names = [str(item.get("capacityProvider", "")) for item in strategy]
    names += [str(name) for name in call.params.get("capacityProviders") or ()]
    return {"ecs:capacity-provider": tuple(dict.fromkeys(names))} if names else {}


def _network(call: ApiCall, _place: Place) -> Context:
    configuration = (call.params.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    found: dict[str, Any] = {}
    if subnets := configuration.get("subnets"):
        found["ecs:subnet"] = tuple(str(subnet) for subnet in subnets)
    if public := configuration.get("assignPublicIp"):
        found["ecs:auto-assign-public-ip"] = as_flag(public == "ENABLED")
    return found


def _definition(call: ApiCall, _place: Place) -> Context:
    params = call.params
    found: dict[str, Any] = {
        "ecs:privileged": as_flag(any(item.get("privileged") for item in params.get("containerDefinitions") or ()))
    }
    for member, key in (("cpu", "ecs:task-cpu"), ("memory", "ecs:task-memory")):
        if str(params.get(member, "")).isdigit():
            found[key] = str(params[member])
    if compatibilities := params.get("requiresCompatibilities"):
        found["ecs:compute-compatibility"] = tuple(str(item) for item in compatibilities)
    return found


def _overridden(call: ApiCall, _place: Place) -> Context:
    overrides = call.params.get("overrides") or {}
    sizes = {f"ecs:task-{name}": str(overrides[name]) for name in ("cpu", "memory") if overrides.get(name)}
    return {**sizes, "ecs:enable-ebs-volumes": as_flag(call.params.get("volumeConfigurations"))}


def _service_options(call: ApiCall, _place: Place) -> Context:
    connect = call.params.get("serviceConnectConfiguration") or {}
    found = {
        "ecs:enable-ebs-volumes": as_flag(call.params.get("volumeConfigurations")),
        "ecs:enable-vpc-lattice": as_flag(call.params.get("vpcLatticeConfigurations")),
        "ecs:enable-service-connect": as_flag(connect.get("enabled")),
    }
    return {**found, "ecs:namespace": str(connect["namespace"])} if connect.get("namespace") else found


def _setting(call: ApiCall, _place: Place) -> Context:
    return {"ecs:account-setting": str(call.params.get("name", ""))}


def _executed(call: ApiCall, place: Place) -> Context:
    found = {"ecs:cluster": cluster_arn(call, place), "ecs:task": _in_cluster("task", "task")(call, place)[0]}
    return {**found, "ecs:container-name": str(call.params["container"])} if call.params.get("container") else found


def _container_instances(call: ApiCall, place: Place) -> Context:
    return {"ecs:container-instances": _in_cluster("container-instance", "containerInstances")(call, place)}


def _tag_new(resource: ResourcesOf) -> Need:
    """Tags given at creation need the permission to tag.

    AWS: ECS Developer Guide, "Grant permission to tag resources on creation".
    """
    return Need("ecs:TagResource", resource, ("tags",), lambda call, _place: {"ecs:CreateAction": call.operation})


def _rows(resource: ResourcesOf, *operations: str, context: ContextOf | None = None) -> dict[str, Row]:
    return {name: (Need(f"ecs:{name}", resource, context=context),) for name in operations}


def _plain(*operations: str, context: ContextOf | None = None) -> dict[str, Row]:
    return {name: every(f"ecs:{name}", context=context) for name in operations}


_SERVICE = _in_cluster("service", "service")
_NEW_SERVICE = _in_cluster("service", "serviceName")
_TASK = _in_cluster("task", "task")
_INSTANCE = _in_cluster("container-instance", "containerInstance")
_RUN: Callable[..., Row] = lambda name, *more: (  # noqa: E731  # a row of two calls that differ in one thing
    Need(f"ecs:{name}", _task_definition, context=merge(_of_cluster, _FLAGS, _overridden, *more)),
    _tag_new(_new_task),
    pass_role(_TASKS, "overrides.taskRoleArn", "overrides.executionRoleArn"),
    Need("iam:PassRole", _defined_roles, context=_to_tasks),
)
_SERVICE_CONTEXT = merge(
    *(_of_cluster, _of_task_definition, _FLAGS, _MANAGED, _capacity, _network, _service_options),
    _texts(propagateTags="propagate-tags"),
)

ROWS: dict[str, Row] = {
    "CreateCluster": (Need("ecs:CreateCluster", _new_cluster, context=_capacity), _tag_new(_new_cluster)),
    **_rows(cluster, "DeleteCluster", "UpdateCluster", "UpdateClusterSettings"),
    **_rows(cluster, "PutClusterCapacityProviders", context=_capacity),
    **_rows(cluster, "ListContainerInstances", "ListAttributes", "DeregisterContainerInstance"),
    "RegisterContainerInstance": (Need("ecs:RegisterContainerInstance", cluster), _tag_new(cluster)),
    **_rows(_clusters, "DescribeClusters"),
    "RegisterTaskDefinition": (
        Need("ecs:RegisterTaskDefinition", _new_task_definition, context=_definition),
        _tag_new(_new_task_definition),
        pass_role(_TASKS, "taskRoleArn", "executionRoleArn"),
    ),
    **_rows(_task_definitions, "DeleteTaskDefinitions"),
    "RunTask": _RUN("RunTask", _capacity),
    "StartTask": _RUN("StartTask", _container_instances),
    **_rows(_TASK, "StopTask", context=_of_cluster),
    **_rows(_in_cluster("task", "tasks"), "DescribeTasks", context=_of_cluster),
    **_rows(_in_cluster("task", "tasks"), "GetTaskProtection", "UpdateTaskProtection", context=_of_cluster),
    **_rows(_TASK, "ExecuteCommand", context=_executed),
    "CreateService": (
        Need("ecs:CreateService", _NEW_SERVICE, context=_SERVICE_CONTEXT),
        _tag_new(_NEW_SERVICE),
        pass_role("ecs.amazonaws.com", "role"),
        Need("iam:PassRole", _defined_roles, context=_to_tasks),
    ),
    "UpdateService": (
        Need("ecs:UpdateService", _SERVICE, context=_SERVICE_CONTEXT),
        Need("iam:PassRole", _defined_roles, context=_to_tasks),
    ),
    **_rows(_SERVICE, "DeleteService", "UpdateServicePrimaryTaskSet", context=_of_cluster),
    **_rows(_SERVICE, "ListServiceDeployments", context=_of_cluster),
    **_rows(_in_cluster("service", "services"), "DescribeServices", context=_of_cluster),
    "CreateTaskSet": (
        Need("ecs:CreateTaskSet", _task_sets, context=merge(_of_cluster, _of_service, _of_task_definition, _capacity)),
        _tag_new(_task_sets),
        Need("iam:PassRole", _defined_roles, context=_to_tasks),
    ),
    **_rows(_task_sets, "DeleteTaskSet", "DescribeTaskSets", "UpdateTaskSet", context=merge(_of_cluster, _of_service)),
    **_rows(_in_cluster("container-instance", "containerInstances"), "DescribeContainerInstances", context=_of_cluster),
    **_rows(
        _in_cluster("container-instance", "containerInstances"), "UpdateContainerInstancesState", context=_of_cluster
    ),
    **_rows(_INSTANCE, "ListTasks", "UpdateContainerAgent", context=_of_cluster),
    **_rows(_in_cluster("container-instance", "*"), "PutAttributes", "DeleteAttributes", context=_of_cluster),
    "CreateCapacityProvider": (
        Need("ecs:CreateCapacityProvider", _capacity_providers),
        _tag_new(_capacity_providers),
    ),
    **_rows(_capacity_providers, "DescribeCapacityProviders", "UpdateCapacityProvider", "DeleteCapacityProvider"),
    **_rows(_tagged, "TagResource", "UntagResource", "ListTagsForResource"),
    **_plain("DescribeTaskDefinition", "DeregisterTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"),
    **_plain("ListClusters", "ListAccountSettings", "DiscoverPollEndpoint"),
    **_plain("ListServices", context=_of_cluster),
    **_plain("PutAccountSetting", "PutAccountSettingDefault", "DeleteAccountSetting", context=_setting),
}
