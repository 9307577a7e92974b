"""New buckets: names are global and checked, and what is made is closed.

AWS: S3 User Guide, "General purpose bucket naming rules" and "Default settings for new S3 buckets FAQ"; S3 API
Reference, CreateBucket.
"""

from __future__ import annotations

import ipaddress
import re

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response

_NAME = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_ENFORCED = "BucketOwnerEnforced"


def refuse_taken_name(call: ApiCall, caller: Caller, bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse names that AWS refuses; in us-east-1, making one's own bucket again changes nothing."""
    name = str(call.params["Bucket"])
    if bucket is None:
        _check_name(name)
        _check_acl(call)
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


def secure_bucket(call: ApiCall, _caller: Caller, backend: Backend, response: Response) -> Response:
    """Close what was made: Block Public Access, no ACLs, SSE-S3; and put the tags of the creation."""
    configuration = call.params.get("CreateBucketConfiguration") or {}
    tags = tuple((str(tag.get("Key", "")), str(tag.get("Value", ""))) for tag in configuration.get("Tags") or ())
    ownership = str(call.params.get("ObjectOwnership") or _ENFORCED)
    backend.secure_new_bucket(str(call.params["Bucket"]), ownership, tags)
    return response


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


def _check_acl(call: ApiCall) -> None:
    ownership = call.params.get("ObjectOwnership") or _ENFORCED
    grants = ("ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
    given = [call.params[name] for name in grants if call.params.get(name)]
    if ownership == _ENFORCED and given not in ([], ["private"]):
        message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Fault("InvalidBucketAclWithObjectOwnership", message, 400)
