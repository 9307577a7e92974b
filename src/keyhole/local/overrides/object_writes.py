"""Writes of objects: what S3 refuses of their metadata, tags, storage class and encryption before it takes them.

AWS: S3 User Guide, "Working with object metadata"; S3 API Reference, PutObject and "Error responses".
"""

from __future__ import annotations

from keyhole.local import object_tags
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response

_MAX_METADATA_BYTES = 2048
_STORAGE_CLASSES = frozenset(
    {
        *("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER"),
        *("DEEP_ARCHIVE", "GLACIER_IR"),
    }
)
_ENCRYPTIONS = frozenset({"AES256", "aws:kms", "aws:kms:dsse"})
_HEADER = "x-amz-server-side-encryption"


def check_write(call: ApiCall, _caller: Caller, _bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse what S3 does not take. Raises: Fault."""
    _check_metadata(call)
    _check_storage_class(call)
    _check_encryption(call)
    object_tags.check_tags(call)
    return None


def check_tagging(call: ApiCall, _caller: Caller, _bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse tags that an object cannot have. Raises: Fault."""
    object_tags.check_tags(call)
    return None


def _check_metadata(call: ApiCall) -> None:
    metadata = call.params.get("Metadata") or {}
    size = sum(len(name.encode()) + len(str(value).encode()) for name, value in metadata.items())
    if size > _MAX_METADATA_BYTES:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        extra = (("Size", str(size)), ("MaxSizeAllowed", str(_MAX_METADATA_BYTES)))
        raise Fault("MetadataTooLarge", message, 400, extra=extra)


def _check_storage_class(call: ApiCall) -> None:
    given = call.params.get("StorageClass")
    if given and given not in _STORAGE_CLASSES:
        message = "The storage class you specified is not valid"
        raise Fault("InvalidStorageClass", message, 400, extra=(("StorageClassRequested", str(given)),))


def _check_encryption(call: ApiCall) -> None:
    given = call.params.get("ServerSideEncryption")
    if given and given not in _ENCRYPTIONS:
        extra = (("ArgumentName", _HEADER), ("ArgumentValue", str(given)))
        raise Fault("InvalidArgument", "The encryption method specified is not supported", 400, extra=extra)
    if call.params.get("SSEKMSKeyId") and not str(given or "").startswith("aws:kms"):
        message = f"Server Side Encryption with AWS KMS managed key requires HTTP header {_HEADER} : aws:kms"
        raise Fault("InvalidArgument", message, 400, extra=(("ArgumentName", _HEADER),))
