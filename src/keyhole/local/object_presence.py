"""The version of an object that a call means, or what S3 says where it is not there or is a delete marker.

AWS: S3 User Guide, "Working with delete markers"; S3 API Reference, GetObject and "Error responses".
"""

from __future__ import annotations

import re

from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Fault
from keyhole.local.conditional_requests import http_date
from keyhole.local.stored_objects import StoredObject

_VERSION_ID = re.compile(r"^(null|[A-Za-z0-9._-]{32,36})$")


def find_version(call: ApiCall, backend: Backend) -> StoredObject:
    """Give the object version that the call names. Raises: Fault where there is none to be read."""
    key, version_id = str(call.params["Key"]), check_version_id(call)
    found = backend.find_object(str(call.params["Bucket"]), key, version_id)
    if found is None:
        raise missing(key, version_id)
    if not found.is_delete_marker:
        return found
    headers = (("x-amz-delete-marker", "true"), ("x-amz-version-id", found.version_id))
    if not version_id:
        raise Fault("NoSuchKey", "The specified key does not exist.", 404, extra=(("Key", key),), headers=headers)
    message = "The specified method is not allowed against this resource."
    extra = (("Method", call.request.method), ("ResourceType", "DeleteMarker"))
    more = (("Allow", "DELETE"), ("Last-Modified", http_date(found.last_modified)))
    raise Fault("MethodNotAllowed", message, 405, extra=extra, headers=(*headers, *more))


def missing(key: str, version_id: str) -> Fault:
    """The object, or that version of it, is not there."""
    if version_id:
        extra = (("Key", key), ("VersionId", version_id))
        return Fault("NoSuchVersion", "The specified version does not exist.", 404, extra=extra)
    return Fault("NoSuchKey", "The specified key does not exist.", 404, extra=(("Key", key),))


def check_version_id(call: ApiCall) -> str:
    """Give the version that the call names, "" where it names none. Raises: Fault where it cannot be one."""
    version_id = call.params.get("VersionId")
    if version_id is None:
        return ""
    if not version_id:
        raise _invalid("Version id cannot be the empty string", "")
    if not _VERSION_ID.match(str(version_id)):
        raise _invalid("Invalid version id specified", str(version_id))
    return str(version_id)


def _invalid(message: str, value: str) -> Fault:
    extra = (("ArgumentName", "versionId"), ("ArgumentValue", value))
    return Fault("InvalidArgument", message, 400, extra=extra)
