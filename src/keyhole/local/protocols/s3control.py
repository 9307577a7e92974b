"""S3's control API, which shares S3's signing name and has paths under `/v20180820/`: the account's settings.

AWS: Amazon S3 API Reference, "Amazon S3 Control": the account is in the header x-amz-account-id, and clients put it
before the host name as well.
"""

from __future__ import annotations

import re
from typing import Any

from keyhole.local.call import Fault, HttpRequest
from keyhole.local.protocols.xmlbody import malformed_xml, parse_xml
from keyhole.local.service_models import service_model

SERVICE = "s3control"
_ACCOUNT_HEADER = "x-amz-account-id"
_PREFIX = "/v20180820/"
_HOST_ACCOUNT = re.compile(r"^(\d{12})\.")


def is_control(request: HttpRequest) -> bool:
    """Hold iff the request is the control API's: no call of S3's own has the header."""
    return _ACCOUNT_HEADER in request.headers and request.raw_path.startswith(_PREFIX)


def parse_control(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """Give the operation and its members. Raises: Fault where it is not kept here, or names two accounts."""
    account = request.headers[_ACCOUNT_HEADER]
    host = _HOST_ACCOUNT.match(request.headers.get("host", ""))
    if host and host[1] != account:
        raise Fault("InvalidRequest", "The account in the host name is not that of x-amz-account-id", 400)
    model = service_model(SERVICE)
    for name in ("GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"):
        operation = model.operation_model(name)
        if (operation.http["method"], operation.http["requestUri"]) == (request.method, request.raw_path):
            return name, {"AccountId": account, **_payload(request, operation.input_shape)}
    message = f"S3 Control's {request.method} {request.raw_path} is not available in Keyhole's local AWS"
    raise Fault("NotImplemented", message, 501)


def _payload(request: HttpRequest, shape: Any) -> dict[str, Any]:
    payload = shape.serialization.get("payload")
    if not payload:
        return {}
    body = request.body.read()
    if not body.strip():
        raise malformed_xml()
    return {payload: parse_xml(body, shape.members[payload])}
