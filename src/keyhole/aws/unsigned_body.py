"""Bodies that need no signature of their own: what is signed beside them says what they are."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config

_CHECKSUM = "x-amz-checksum-sha256"


def sign_by_checksum(request: Any, **_: Any) -> None:
    """Leave a body unsigned whose SHA-256 is in a header, and so is signed with it: once is enough.

    S3 refuses a body that has another SHA-256, and the file is read once instead of twice. Over the network this is
    for HTTPS only, like everything that botocore leaves unsigned. For botocore's event `before-sign`.

    AWS: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)"
    (unsigned payload option); Amazon S3 User Guide, "Checking object integrity in Amazon S3".
    """
    if _CHECKSUM not in request.headers or not _is_private(request.url):
        return
    config = request.context["client_config"]
    unsigned: Any = {**(config.s3 or {}), "payload_signing_enabled": False}
    request.context["client_config"] = config.merge(Config(s3=unsigned))


def _is_private(url: str) -> bool:
    """Hold iff nobody can change on the way what is sent there."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
