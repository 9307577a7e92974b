"""EC2: operation → actions; describe calls take no resource, passing a role to an instance needs iam:PassRole.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2"; EC2 User Guide, "Grant
permissions to pass an IAM role to an instance".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyhole.local.actions.row import Need, Place, ResourcesOf, Row, as_flag, every
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
    "eipalloc": "elastic-ip",
    "sgr": "security-group-rule",
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


def _chosen(kind: str, own: str, inner: str) -> ResourcesOf:
    """What an instance is launched in or with: named by the call or by its network interfaces, else EC2's choice."""

    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        interfaces = call.params.get("NetworkInterfaces") or ()
        values = [call.params.get(own), *(interface.get(inner) for interface in interfaces)]
        names = [name for value in values if value for name in (value if isinstance(value, list) else [value])]
        # An interface that exists already is in a subnet, and has its groups.
        if not names and interfaces and all(interface.get("NetworkInterfaceId") for interface in interfaces):
            return ()
        return tuple(dict.fromkeys(_arn(place, kind, str(name)) for name in names or ["*"]))

    return resources


def _interfaces(call: ApiCall, place: Place) -> tuple[str, ...]:
    interfaces: list[dict[str, Any]] = call.params.get("NetworkInterfaces") or [{}]
    names = (interface.get("NetworkInterfaceId") or "*" for interface in interfaces)
    return tuple(dict.fromkeys(_arn(place, "network-interface", str(name)) for name in names))


def _of_interface(call: ApiCall, place: Place) -> Mapping[str, str]:
    subnets = _chosen("subnet", "SubnetId", "SubnetId")(call, place)
    found = {"ec2:Subnet": subnets[0]} if len(subnets) == 1 and not subnets[0].endswith("*") else {}
    public = [
        interface["AssociatePublicIpAddress"]
        for interface in call.params.get("NetworkInterfaces") or ()
        if "AssociatePublicIpAddress" in interface
    ]
    return {**found, "ec2:AssociatePublicIpAddress": as_flag(any(public))} if public else found


def _new_profile(call: ApiCall, place: Place) -> Mapping[str, str]:
    given = call.params.get("IamInstanceProfile") or {}
    name = str(given.get("Name") or given.get("Arn") or "").rsplit("/", 1)[-1]
    found = place.backend.find_profile(place.account, name)
    return {"ec2:NewInstanceProfile": found.arn} if found else {}


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


def _on(resource: ResourcesOf, *operations: str) -> dict[str, Row]:
    return {name: every(f"ec2:{name}", resource) for name in operations}


def _attach(action: str) -> Row:
    gateway, vpc = _kind("internet-gateway", "InternetGatewayId"), _kind("vpc", "VpcId")
    return (Need(action, gateway), Need(action, vpc))


def _key_pair(call: ApiCall, place: Place) -> tuple[str, ...]:
    """A key pair is deleted by its name or its id; the ARN has whichever the call gives."""
    return (_arn(place, "key-pair", str(call.params.get("KeyName") or call.params.get("KeyPairId") or "*")),)


_GROUP = _kind("security-group", "GroupId")

ROWS: dict[str, Row] = {
    "RunInstances": (
        Need("ec2:RunInstances", _any_of("instance")),
        Need("ec2:RunInstances", _kind("image", "ImageId")),
        Need("ec2:RunInstances", _interfaces, context=_of_interface),
        Need("ec2:RunInstances", _chosen("security-group", "SecurityGroupIds", "Groups")),
        Need("ec2:RunInstances", _chosen("subnet", "SubnetId", "SubnetId")),
        Need("ec2:RunInstances", _any_of("volume")),
        Need("ec2:RunInstances", _kind("key-pair", "KeyName")),
        _TAG_NEW,
        _PASS_ROLE,
    ),
    "AssociateIamInstanceProfile": (
        Need("ec2:AssociateIamInstanceProfile", instance, context=_new_profile),
        _PASS_ROLE,
    ),
    "ReplaceIamInstanceProfileAssociation": (
        Need("ec2:ReplaceIamInstanceProfileAssociation", _associated, context=_new_profile),
        _PASS_ROLE,
    ),
    "DisassociateIamInstanceProfile": every("ec2:DisassociateIamInstanceProfile", _associated),
    **_on_instance(
        *("TerminateInstances", "StartInstances", "StopInstances", "RebootInstances"),
        *("ModifyInstanceMetadataOptions", "ModifyInstanceAttribute", "DescribeInstanceAttribute"),
        *("MonitorInstances", "UnmonitorInstances", "GetConsoleOutput", "GetPasswordData"),
    ),
    "CreateTags": every("ec2:CreateTags", _tagged),
    "DeleteTags": every("ec2:DeleteTags", _tagged),
    "CreateSecurityGroup": (
        Need("ec2:CreateSecurityGroup", _any_of("security-group")),
        Need("ec2:CreateSecurityGroup", _kind("vpc", "VpcId")),
        _TAG_NEW,
    ),
    **_on(_GROUP, "DeleteSecurityGroup", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"),
    **_on(_GROUP, "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress"),
    "AuthorizeSecurityGroupIngress": (Need("ec2:AuthorizeSecurityGroupIngress", _GROUP), _TAG_NEW),
    "AuthorizeSecurityGroupEgress": (Need("ec2:AuthorizeSecurityGroupEgress", _GROUP), _TAG_NEW),
    "CreateKeyPair": (Need("ec2:CreateKeyPair", _kind("key-pair", "KeyName")), _TAG_NEW),
    "ImportKeyPair": (Need("ec2:ImportKeyPair", _kind("key-pair", "KeyName")), _TAG_NEW),
    "DeleteKeyPair": every("ec2:DeleteKeyPair", _key_pair),
    "CreateVpc": (Need("ec2:CreateVpc", _any_of("vpc")), _TAG_NEW),
    **_on(_kind("vpc", "VpcId"), "DeleteVpc", "ModifyVpcAttribute", "DescribeVpcAttribute"),
    "CreateSubnet": (
        Need("ec2:CreateSubnet", _any_of("subnet")),
        Need("ec2:CreateSubnet", _kind("vpc", "VpcId")),
        _TAG_NEW,
    ),
    **_on(_kind("subnet", "SubnetId"), "DeleteSubnet", "ModifySubnetAttribute"),
    "CreateInternetGateway": (Need("ec2:CreateInternetGateway", _any_of("internet-gateway")), _TAG_NEW),
    **_on(_kind("internet-gateway", "InternetGatewayId"), "DeleteInternetGateway"),
    "AttachInternetGateway": _attach("ec2:AttachInternetGateway"),
    "DetachInternetGateway": _attach("ec2:DetachInternetGateway"),
    "CreateRouteTable": (
        Need("ec2:CreateRouteTable", _any_of("route-table")),
        Need("ec2:CreateRouteTable", _kind("vpc", "VpcId")),
        _TAG_NEW,
    ),
    **_on(_kind("route-table", "RouteTableId"), "DeleteRouteTable", "CreateRoute", "ReplaceRoute", "DeleteRoute"),
    "AssociateRouteTable": (
        Need("ec2:AssociateRouteTable", _kind("route-table", "RouteTableId")),
        Need("ec2:AssociateRouteTable", _kind("subnet", "SubnetId"), ("SubnetId",)),
        Need("ec2:AssociateRouteTable", _kind("internet-gateway", "GatewayId"), ("GatewayId",)),
    ),
    **_describe(
        *("DescribeInstances", "DescribeInstanceStatus", "DescribeInstanceTypes", "DescribeImages", "DescribeTags"),
        *("DescribeRegions", "DescribeAvailabilityZones", "DescribeVpcs", "DescribeSubnets", "DescribeKeyPairs"),
        *("DescribeSecurityGroups", "DescribeVolumes", "DescribeNetworkInterfaces", "DescribeAccountAttributes"),
        *("DescribeIamInstanceProfileAssociations", "DescribeInstanceCreditSpecifications", "DescribeRouteTables"),
        *("DescribeSecurityGroupRules", "DescribeInternetGateways", "DescribeAddresses", "DescribeNetworkAcls"),
        *("DescribeVpcEndpoints", "DescribePrefixLists", "DescribeSnapshots", "DescribeInstanceTypeOfferings"),
        "DescribeLaunchTemplates",
    ),
}
