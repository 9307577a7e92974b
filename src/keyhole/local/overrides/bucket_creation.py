"""New buckets: names are global and checked, and what is made is closed.

AWS: S3 User Guide, "General purpose bucket naming rules" and "Default settings for new S3 buckets FAQ"; S3 API
Reference, CreateBucket.
"""

from __future__ import annotations

import ipaddress
import re

from keyhole.local.acl_policy import ENFORCED as _ENFORCED
from keyhole.local.acl_requests import asks_for_acl, requested_acl
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.overrides import acls

_NAME = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_OWNERSHIPS = frozenset({_ENFORCED, "BucketOwnerPreferred", "ObjectWriter"})


def refuse_taken_name(call: ApiCall, caller: Caller, bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse names that AWS refuses; in us-east-1, making one's own bucket again changes nothing."""
    name = str(call.params["Bucket"])
    if bucket is None:
        _check_name(name)
        if call.params.get("ObjectOwnership", _ENFORCED) not in _OWNERSHIPS:
            raise _unknown_ownership(str(call.params["ObjectOwnership"]))
        acls.check_creation(call)
        return None
    extra = (("BucketName", name),)
    if bucket.account != caller.account:
        message = (
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again."
        )
        raise Fault("BucketAlreadyExists", message, 409, extra=extra)
    if bucket.region == "us-east-1" and call.region in ("us-east-1", "aws-global"):
        return Response(200, (("Location", f"/{name}"),))
    message = "Your previous request to create the named bucket succeeded and you already own it."
    raise Fault("BucketAlreadyOwnedByYou", message, 409, extra=extra)


def secure_bucket(call: ApiCall, caller: Caller, backend: Backend, response: Response) -> Response:
    """Close what was made: Block Public Access, no ACLs, SSE-S3; and put the tags of the creation."""
    configuration = call.params.get("CreateBucketConfiguration") or {}
    tags = tuple((str(tag.get("Key", "")), str(tag.get("Value", ""))) for tag in configuration.get("Tags") or ())
    ownership = str(call.params.get("ObjectOwnership") or _ENFORCED)
    name = str(call.params["Bucket"])
    backend.secure_new_bucket(name, ownership, tags)
    if ownership != _ENFORCED and asks_for_acl(call):
        backend.set_bucket_acl(name, requested_acl(call, caller.account))
    return response


def _unknown_ownership(given: str) -> Fault:
    extra = (("ArgumentName", "x-amz-object-ownership"), ("ArgumentValue", given))
    return Fault("InvalidArgument", f"Invalid x-amz-object-ownership header: {given}", 400, extra=extra)


def _check_name(name: str) -> None:
    is_valid = (
        _NAME.match(name)
        and ".." not in name
        and not _is_address(name)
        and not name.startswith(_RESERVED_PREFIXES)
        and not name.endswith(_RESERVED_SUFFIXES)
    )
    if not is_valid:
        extra = (("BucketName", name),)
        raise Fault("InvalidBucketName", "The specified bucket is not valid.", 400, extra=extra)


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
