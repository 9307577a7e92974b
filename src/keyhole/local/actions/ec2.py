"""EC2: operation → actions; describe calls take no resource, passing a role to an instance needs iam:PassRole.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2"; EC2 User Guide, "Grant
permissions to pass an IAM role to an instance".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyhole.local.actions.row import Need, Place, ResourcesOf, Row, every
from keyhole.local.call import ApiCall, Fault

# The first part of an id names its resource type in ARNs.
_TYPES = {
    "i": "instance",
    "vol": "volume",
    "eni": "network-interface",
    "sg": "security-group",
    "subnet": "subnet",
    "vpc": "vpc",
    "ami": "image",
    "snap": "snapshot",
    "rtb": "route-table",
    "igw": "internet-gateway",
    "key": "key-pair",
}


def _arn(place: Place, kind: str, name: str) -> str:
    account = "" if kind in ("image", "snapshot") else place.account
    return f"arn:aws:ec2:{place.region}:{account}:{kind}/{name}"


def instance(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The instances that the call names."""
    ids = call.params.get("InstanceIds") or [call.params.get("InstanceId", "")]
    return tuple(_arn(place, "instance", name) for name in ids)


def _associated(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The instance of the association that the call names."""
    association = str(call.params.get("AssociationId", ""))
    name = place.backend.associated_instance_id(place.account, place.region, association)
    return (_arn(place, "instance", name or "*"),)


def _kind(kind: str, *members: str) -> ResourcesOf:
    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        names: list[Any] = []
        for member in members:
            value = call.params.get(member)
            names += value if isinstance(value, list) else [value] if value else []
        return tuple(_arn(place, kind, str(name)) for name in names)

    return resources


def _any_of(kind: str) -> ResourcesOf:
    return lambda _call, place: (_arn(place, kind, "*"),)


def _tagged(call: ApiCall, place: Place) -> tuple[str, ...]:
    return tuple(
        _arn(place, _TYPES.get(str(name).partition("-")[0], "*"), str(name))
        for name in call.params.get("Resources", ())
    )


def _created_with_tags(call: ApiCall, place: Place) -> tuple[str, ...]:
    return tuple(
        _arn(place, str(specification.get("ResourceType", "*")), "*")
        for specification in call.params.get("TagSpecifications", ())
    )


def _creator(call: ApiCall, _place: Place) -> Mapping[str, str]:
    return {"ec2:CreateAction": call.operation}


def _passed_roles(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The role in the instance profile that the call gives to an instance.

    Raises: Fault for launch templates, which could carry a profile that this would not see, and for a profile that is
    not there, since one that is made later would bring its role along unasked.
    """
    if call.params.get("LaunchTemplate"):
        raise Fault("UnsupportedOperation", "Launch templates are not available in Keyhole's local AWS", 400)
    given = call.params.get("IamInstanceProfile") or {}
    given_name, arn = str(given.get("Name") or ""), str(given.get("Arn") or "")
    if not given_name and not arn:
        return ()
    if given_name and arn:
        message = "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'"
        raise Fault("InvalidParameterCombination", message, 400)
    found = place.backend.find_profile(place.account, given_name or arn.rsplit("/", 1)[-1])
    if found is None or (arn and found.arn != arn):
        which = f"name ({given_name})" if given_name else f"ARN ({arn})"
        message = f"Value {which} for parameter iamInstanceProfile is invalid. Invalid IAM Instance Profile"
        raise Fault("InvalidParameterValue", message, 400)
    return found.role_arns


def _passed_to_ec2(call: ApiCall, place: Place) -> Mapping[str, str]:
    targets = instance(call, place) if call.params.get("InstanceId") else (_arn(place, "instance", "*"),)
    return {"iam:PassedToService": "ec2.amazonaws.com", "iam:AssociatedResourceArn": targets[0]}


_PASS_ROLE = Need("iam:PassRole", _passed_roles, context=_passed_to_ec2)
_TAG_NEW = Need("ec2:CreateTags", _created_with_tags, ("TagSpecifications",), _creator)


def _describe(*operations: str) -> dict[str, Row]:
    return {name: every(f"ec2:{name}") for name in operations}


def _on_instance(*operations: str) -> dict[str, Row]:
    return {name: every(f"ec2:{name}", instance) for name in operations}


ROWS: dict[str, Row] = {
    "RunInstances": (
        Need("ec2:RunInstances", _any_of("instance")),
        Need("ec2:RunInstances", _kind("image", "ImageId")),
        Need("ec2:RunInstances", _any_of("network-interface")),
        Need("ec2:RunInstances", _any_of("security-group")),
        Need("ec2:RunInstances", _any_of("subnet")),
        Need("ec2:RunInstances", _any_of("volume")),
        Need("ec2:RunInstances", _kind("key-pair", "KeyName")),
        _TAG_NEW,
        _PASS_ROLE,
    ),
    "AssociateIamInstanceProfile": (Need("ec2:AssociateIamInstanceProfile", instance), _PASS_ROLE),
    "ReplaceIamInstanceProfileAssociation": (
        Need("ec2:ReplaceIamInstanceProfileAssociation", _associated),
        _PASS_ROLE,
    ),
    "DisassociateIamInstanceProfile": every("ec2:DisassociateIamInstanceProfile", _associated),
    **_on_instance(
        *("TerminateInstances", "StartInstances", "StopInstances", "RebootInstances"),
        *("ModifyInstanceMetadataOptions", "ModifyInstanceAttribute", "DescribeInstanceAttribute"),
    ),
    "CreateTags": every("ec2:CreateTags", _tagged),
    "DeleteTags": every("ec2:DeleteTags", _tagged),
    "CreateSecurityGroup": (Need("ec2:CreateSecurityGroup", _any_of("security-group")), _TAG_NEW),
    "DeleteSecurityGroup": every("ec2:DeleteSecurityGroup", _kind("security-group", "GroupId")),
    "AuthorizeSecurityGroupIngress": every("ec2:AuthorizeSecurityGroupIngress", _kind("security-group", "GroupId")),
    **_describe(
        *("DescribeInstances", "DescribeInstanceStatus", "DescribeInstanceTypes", "DescribeImages", "DescribeTags"),
        *("DescribeRegions", "DescribeAvailabilityZones", "DescribeVpcs", "DescribeSubnets", "DescribeKeyPairs"),
        *("DescribeSecurityGroups", "DescribeVolumes", "DescribeNetworkInterfaces", "DescribeAccountAttributes"),
        "DescribeIamInstanceProfileAssociations",
    ),
}
