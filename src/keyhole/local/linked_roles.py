"""Service-linked roles: roles that a service has made for itself, named after it, and changes alone.

AWS: IAM User Guide, "Create a service-linked role" and "AWS services that work with IAM".
"""

from __future__ import annotations

import re

from keyhole.local.call import Fault

_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)?\.amazonaws\.com")
_NAMES = {
    "autoscaling": "AutoScaling",
    "application-autoscaling": "ApplicationAutoScaling",
    "elasticbeanstalk": "ElasticBeanstalk",
    "ecs": "ECS",
    "elasticloadbalancing": "ElasticLoadBalancing",
    "rds": "RDS",
    "cloudtrail": "CloudTrail",
    "organizations": "Organizations",
    "spot": "EC2Spot",
}


def is_service(name: str) -> bool:
    """Hold iff it is written as a service principal that can have linked roles."""
    return _SERVICE.fullmatch(name) is not None


def protected_role(name: str) -> Fault:
    """Nobody but its service changes a linked role."""
    message = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    return Fault("UnmodifiableEntity", message, 400)


def linked_role_path(service: str) -> str:
    """Give the path that the service's linked roles are under."""
    return f"/aws-service-role/{service}/"


def linked_role_name(service: str, suffix: str = "") -> str:
    """Give the name of the role that is linked to `ecs.amazonaws.com` or the like."""
    prefix, _, rest = service.removesuffix(".amazonaws.com").partition(".")
    name = _NAMES.get(rest or prefix, rest or prefix)
    if rest:
        name += "_" + "".join(part.capitalize() for part in prefix.split("-"))
    return f"AWSServiceRoleFor{name}" + (f"_{suffix}" if suffix else "")
