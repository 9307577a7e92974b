"""What an instance's metadata service has to tell: a tree of directories and texts, and how a path is read in it.

AWS: EC2 User Guide, "Instance metadata categories" and "Instance identity documents for Amazon EC2 instances".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Union

from keyhole.local.backend import Instance
from keyhole.local.imds_credentials import RoleCredentials, render_document
from keyhole.local.service_credentials import render_time

# A text is made only when it is asked for: listing a directory must not issue credentials.
Node = Union["Tree", Callable[[], str | bytes]]
Tree = dict[str, Node]

# AWS: EC2 User Guide, "Instance type naming conventions": a `g` after the generation is Graviton.
_ARM_TYPE = re.compile(r"a1|mac2|[a-z]+\d+g")
# AWS: EC2 User Guide, "View tags for your EC2 instances using instance metadata", allowed characters.
_TAG_KEY = re.compile(r"[0-9A-Za-z+\-=.,_:@]+")


def build_tree(instance: Instance, credentials: RoleCredentials, at: datetime) -> Tree:
    """Give everything below `/` for the instance as it is now."""
    latest: Tree = {
        "dynamic": {"instance-identity": {"document": lambda: _identity_document(instance)}},
        "meta-data": _metadata(instance, credentials, at),
    }
    if instance.user_data:
        latest["user-data"] = lambda: instance.user_data
    return {"latest": latest}


def find_text(tree: Tree, path: str) -> str | bytes | None:
    """Give the text at a path, or the listing of a directory; None where there is neither. User data are bytes."""
    node: Node = tree
    parts = [part for part in path.split("/") if part]
    for part in parts:
        if not isinstance(node, dict) or part not in node:
            return None
        node = node[part]
    if isinstance(node, dict):
        return "\n".join(_render_entry(name, child, parts) for name, child in sorted(node.items()))
    # botocore reads `placement/availability-zone/`: a slash at the end does not matter.
    return node()


def _render_entry(name: str, child: Node, parts: list[str]) -> str:
    # Directories end in a slash, but for the versions and what is directly below a version.
    return f"{name}/" if isinstance(child, dict) and len(parts) >= 2 else name


def _metadata(instance: Instance, credentials: RoleCredentials, at: datetime) -> Tree:
    hostname = _hostname(instance)
    tree: Tree = {
        "ami-id": lambda: instance.image_id,
        "hostname": lambda: hostname,
        "instance-id": lambda: instance.instance_id,
        "instance-type": lambda: instance.instance_type,
        "local-hostname": lambda: hostname,
        "local-ipv4": lambda: instance.private_ip,
        "placement": {
            "availability-zone": lambda: instance.availability_zone,
            "region": lambda: instance.region,
        },
        "services": {
            "domain": lambda: "amazonaws.com.cn" if instance.region.startswith("cn-") else "amazonaws.com",
            "partition": lambda: _partition(instance.region),
        },
    }
    if instance.metadata_tags == "enabled" and instance.tags:
        # Keys that cannot stand in a path are refused by AWS where tags are enabled.
        tags: Tree = {key: partial(str, value) for key, value in instance.tags if _TAG_KEY.fullmatch(key)}
        tree["tags"] = {"instance": tags}
    if instance.profile_arn:
        tree["iam"] = _iam(instance, credentials, at)
    return tree


def _iam(instance: Instance, credentials: RoleCredentials, at: datetime) -> Tree:
    updated = render_time(at)
    if not instance.profile_id:
        # AWS: IAM User Guide, "Troubleshoot IAM and Amazon EC2": the profile was deleted while it was attached.
        gone = {"Code": "InstanceProfileNotFound", "Message": "Instance Profile not found", "LastUpdated": updated}
        return {"info": lambda: render_document(gone)}
    info = {
        "Code": "Success",
        "LastUpdated": updated,
        "InstanceProfileArn": instance.profile_arn,
        "InstanceProfileId": instance.profile_id,
    }
    tree: Tree = {"info": lambda: render_document(info)}
    role = instance.role
    if role is not None:
        tree["security-credentials"] = {role.name: lambda: credentials.render(role, instance)}
    return tree


def _identity_document(instance: Instance) -> str:
    document = {
        "accountId": instance.account,
        "architecture": "arm64" if _ARM_TYPE.match(instance.instance_type) else "x86_64",
        "availabilityZone": instance.availability_zone,
        "billingProducts": None,
        "devpayProductCodes": None,
        "marketplaceProductCodes": None,
        "imageId": instance.image_id,
        "instanceId": instance.instance_id,
        "instanceType": instance.instance_type,
        "kernelId": None,
        "pendingTime": instance.launched_at,
        "privateIp": instance.private_ip,
        "ramdiskId": None,
        "region": instance.region,
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2, separators=(",", " : "))


def _hostname(instance: Instance) -> str:
    """Give the IP-based private DNS name.

    AWS: EC2 User Guide, "EC2 instance hostnames and domains".
    """
    domain = "ec2.internal" if instance.region == "us-east-1" else f"{instance.region}.compute.internal"
    return f"ip-{instance.private_ip.replace('.', '-')}.{domain}"


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
