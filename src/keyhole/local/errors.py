"""AWS's error documents: one Fault, written the way the protocol of the call writes it.

AWS: S3 API Reference, "Error responses"; IAM API Reference, "Common errors"; EC2 API Reference, "Error codes".
"""

from __future__ import annotations

import json
import secrets
from xml.sax.saxutils import escape

from keyhole.local.call import Fault, Response
from keyhole.local.protocols import cbor

_XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}


def new_request_id(service: str) -> str:
    """Give a request id in the form that the service uses."""
    if service == "s3":
        return secrets.token_hex(8).upper()
    raw = secrets.token_hex(16)
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


def new_host_id() -> str:
    """Give an extended request id of S3 (x-amz-id-2)."""
    return secrets.token_urlsafe(42)


def write_fault(fault: Fault, *, service: str, protocol: str, request_id: str, host_id: str = "") -> Response:
    """Write the error document of a call; `protocol` is that of the service (see ApiCall)."""
    if protocol in ("json", "rest-json", "cbor"):
        return _write_json(fault, protocol)
    if protocol == "rest-xml":
        return _write_s3(fault, request_id, host_id)
    if protocol == "ec2":
        body = (
            f"{_XML_HEADER}<Response><Errors><Error><Code>{escape(fault.code)}</Code>"
            f"<Message>{escape(fault.message)}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        kind = "Sender" if fault.status < 500 else "Receiver"
        body = (
            f'<ErrorResponse xmlns="{_NAMESPACES.get(service, "")}"><Error><Type>{kind}</Type>'
            f"<Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return Response(fault.status, (("Content-Type", "text/xml;charset=UTF-8"), *fault.headers), body.encode())


def s3_error_elements(fault: Fault) -> str:
    """Give the inside of S3's Error element: code, message and what goes with them."""
    extra = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fault.extra)
    return f"<Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>{extra}"


def _write_s3(fault: Fault, request_id: str, host_id: str) -> Response:
    body = (
        f"{_XML_HEADER}<Error>{s3_error_elements(fault)}"
        f"<RequestId>{request_id}</RequestId><HostId>{host_id}</HostId></Error>"
    )
    return Response(fault.status, (("Content-Type", "application/xml"), *fault.headers), body.encode())


def _write_json(fault: Fault, protocol: str) -> Response:
    document = {"__type": fault.code, "message": fault.message}
    if protocol == "cbor":
        headers = (("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"))
        return Response(fault.status, (*headers, *fault.headers), cbor.encode(document))
    headers = (("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", fault.code))
    return Response(fault.status, (*headers, *fault.headers), json.dumps(document).encode())
