"""Calls on a cluster that is not there are refused as ECS does it.

AWS: ECS API Reference, ClusterNotFoundException.
"""

from __future__ import annotations

from keyhole.local.actions.ecs import cluster_arn
from keyhole.local.actions.row import Place
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response

OPERATIONS = (
    *("RunTask", "StartTask", "StopTask", "ListTasks", "DescribeTasks", "CreateService", "UpdateService"),
    *("DeleteService", "DescribeServices", "ListServices", "ListContainerInstances", "DescribeContainerInstances"),
    *("DeregisterContainerInstance", "UpdateContainerInstancesState", "PutAttributes", "ListAttributes"),
    *("DeleteAttributes", "CreateTaskSet", "DescribeTaskSets", "UpdateTaskSet", "DeleteTaskSet", "DeleteCluster"),
    *("UpdateCluster", "PutClusterCapacityProviders", "UpdateServicePrimaryTaskSet"),
)


def check_cluster(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Hold iff the cluster exists. Raises: Fault."""
    if backend.find_resource(cluster_arn(call, Place(caller.account, call.region, backend))) is None:
        raise Fault("ClusterNotFoundException", "Cluster not found.")
    return None
