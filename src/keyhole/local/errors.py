"""AWS's error documents: one Fault, written the way the protocol of the call writes it.

AWS: S3 API Reference, "Error responses"; IAM API Reference, "Common errors"; EC2 API Reference, "Error codes".
"""

from __future__ import annotations

import json
import secrets

from keyhole.local.call import Fault, Response
from keyhole.local.protocols import cbor
from keyhole.local.service_models import QUERY_COMPATIBLE, json_content_type
from keyhole.local.xml_text import escape

_XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
_QUERY_CODES = {
    "UnrecognizedClientException": "InvalidClientTokenId",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "ValidationException": "ValidationError",
}
_NAMESPACES = {
    "sns": "http://sns.amazonaws.com/doc/2010-03-31/",
    "cloudwatch": "http://monitoring.amazonaws.com/doc/2010-08-01/",
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
        return _write_json(fault, service, protocol)
    if protocol == "rest-xml":
        return _write_s3(fault, service, request_id, host_id)
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


def _write_s3(fault: Fault, service: str, request_id: str, host_id: str) -> Response:
    ids = f"<RequestId>{request_id}</RequestId><HostId>{host_id}</HostId>"
    error = f"<Error>{s3_error_elements(fault)}{ids}</Error>"
    # S3 Control wraps it, and its clients look for that.
    body = _XML_HEADER + (f"<ErrorResponse>{error}{ids}</ErrorResponse>" if service == "s3control" else error)
    return Response(fault.status, (("Content-Type", "application/xml"), *fault.headers), body.encode())


def _write_json(fault: Fault, service: str, protocol: str) -> Response:
    document = {"__type": fault.code, "message": fault.message}
    extra = (("x-amzn-ErrorType", fault.code), *fault.headers)
    if service in QUERY_COMPATIBLE:
        kind = "Sender" if fault.status < 500 else "Receiver"
        extra = (*extra, ("x-amzn-query-error", f"{_query_code(fault.code)};{kind}"))
    if protocol == "cbor":
        headers = (("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"))
        return Response(fault.status, (*headers, *extra), cbor.encode(document))
    content_type = ("Content-Type", json_content_type(service))
    return Response(fault.status, (content_type, *extra), json.dumps(document).encode())


def _query_code(code: str) -> str:
    """Give the code that the query protocol has for an error of the JSON one."""
    return _QUERY_CODES.get(code, code.removesuffix("Exception"))
