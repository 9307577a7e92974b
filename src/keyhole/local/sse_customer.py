"""Keys that customers provide (SSE-C): checked as S3 checks them; of a key, only a salted hash is kept.

AWS: S3 User Guide, "Using server-side encryption with customer-provided keys (SSE-C)"; the local endpoint stands for
the HTTPS one, so that the keys are taken over loopback.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from keyhole.local.call import ApiCall, Fault
from keyhole.local.stored_objects import CustomerKey

SOURCE = "CopySource"
_HEADER = "x-amz-server-side-encryption"
_REQUESTS = "Requests specifying Server Side Encryption with Customer provided keys must provide"


def read_key(call: ApiCall, prefix: str = "") -> bytes | None:
    """Give the key that a request provides, None where it provides none; `prefix` SOURCE is that of a copy's source.

    Raises: Fault where it is none, or its MD5 is another's.
    """
    names = (f"{prefix}SSECustomerAlgorithm", f"{prefix}SSECustomerKey", f"{prefix}SSECustomerKeyMD5")
    algorithm, encoded, md5 = (str(call.params.get(name) or "") for name in names)
    if not (algorithm or encoded or md5):
        return None
    if not algorithm:
        raise _invalid(f"{_REQUESTS} a valid encryption algorithm.")
    if not encoded:
        raise _invalid(f"{_REQUESTS} an appropriate secret key.")
    if not md5:
        raise _invalid(f"{_REQUESTS} the client calculated MD5 of the secret key.")
    if algorithm != "AES256":
        message = "The Encryption request you specified is not valid. Supported value: AES256."
        extra = (("ArgumentName", _HEADER), ("ArgumentValue", algorithm))
        raise Fault("InvalidEncryptionAlgorithmError", message, 400, extra=extra)
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise _invalid("The secret key was invalid for the specified algorithm.")
    if not hmac.compare_digest(_md5(key).encode(), md5.encode("utf-8", "replace")):
        raise _invalid("The calculated MD5 hash of the key did not match the hash that was provided.")
    return key


def new_customer_key(call: ApiCall) -> CustomerKey | None:
    """Give what is kept of the key that a write provides. Raises: Fault."""
    key = read_key(call)
    if key is None:
        return None
    if other := call.params.get("ServerSideEncryption"):
        message = (
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        )
        raise Fault("InvalidArgument", message, 400, extra=(("ArgumentName", _HEADER), ("ArgumentValue", str(other))))
    salt = secrets.token_bytes(16)
    return CustomerKey(_md5(key), salt, _digest(salt, key))


def check_read(kept: CustomerKey | None, key: bytes | None) -> None:
    """Hold iff what was written with this key, or with none, may be read with that one. Raises: Fault."""
    if kept is None:
        if key is not None:
            raise Fault("InvalidRequest", "The encryption parameters are not applicable to this object.", 400)
        return
    if key is None:
        message = (
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object."
        )
        raise Fault("InvalidRequest", message, 400)
    if not _is_same(kept, key):
        raise Fault("AccessDenied", f"{_REQUESTS} the correct secret key.", 403)


def check_part(kept: CustomerKey | None, key: bytes | None) -> None:
    """Hold iff a part of an upload that was begun with this key, or with none, comes with the same. Raises: Fault."""
    if kept is None:
        if key is not None:
            raise Fault("InvalidRequest", "The multipart upload initiate did not request encryption.", 400)
        return
    if key is None:
        message = (
            "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
            "encryption parameters."
        )
        raise Fault("InvalidRequest", message, 400)
    if not _is_same(kept, key):
        message = "The provided encryption parameters did not match the ones used originally."
        raise Fault("InvalidRequest", message, 400)


def headers(md5: str) -> tuple[tuple[str, str], ...]:
    """Give what a response says of the key: its MD5."""
    return ((f"{_HEADER}-customer-algorithm", "AES256"), (f"{_HEADER}-customer-key-MD5", md5))


def _is_same(kept: CustomerKey, key: bytes) -> bool:
    return hmac.compare_digest(kept.digest, _digest(kept.salt, key))


def _digest(salt: bytes, key: bytes) -> bytes:
    return hmac.digest(salt, key, "sha256")


def _md5(key: bytes) -> str:
    return base64.b64encode(hashlib.md5(key, usedforsecurity=False).digest()).decode()


def _invalid(message: str) -> Fault:
    return Fault("InvalidArgument", message, 400, extra=(("ArgumentName", _HEADER),))
