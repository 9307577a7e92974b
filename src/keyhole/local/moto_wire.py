"""A parsed call as a request to moto, built anew from what the gate has read: nothing else that a client sent comes
along, so that moto cannot understand a call otherwise than the gate did.
"""

from __future__ import annotations

import base64
import io
import json
import re
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from botocore.serialize import create_serializer
from botocore.validate import ParamValidator
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, environ_key_for_header

from keyhole.local.actions import s3
from keyhole.local.call import ApiCall, Fault
from keyhole.local.constraints import check_constraints, has_wrong_choice
from keyhole.local.protocols.xmlbody import malformed_xml
from keyhole.local.service_models import find_operation, json_content_type, serialization, service_model

_HOSTS = {"resourcegroupstaggingapi": "tagging", "cloudwatch": "monitoring"}
_OF_CONSTRAINTS = frozenset({"missing required field", "invalid range", "invalid length"})
_SCOPE_DATE = "20200101"
# These are taken care of before a call gets here, or are written below.
_CUSTOMER_KEY = ("algorithm", "key", "key-md5")
_DONE = frozenset(
    {
        *("x-amz-copy-source", "x-amz-expected-bucket-owner", "content-length", "x-amz-acl", "if-match"),
        *("if-none-match", "if-modified-since", "if-unmodified-since"),
        *(f"x-amz-copy-source-if-{name}" for name in ("match", "none-match", "modified-since", "unmodified-since")),
        *(f"x-amz-grant-{name}" for name in ("full-control", "read", "read-acp", "write", "write-acp")),
        *(f"x-amz-server-side-encryption-customer-{name}" for name in _CUSTOMER_KEY),
        *(f"x-amz-copy-source-server-side-encryption-customer-{name}" for name in _CUSTOMER_KEY),
    }
)
# AWS: S3 API Reference, GetObject: a Range that is none is as if it were not there.
_RANGE = re.compile(r"^bytes=(\d{1,18}-\d{0,18}|-\d{1,18})$")


def check_members(call: ApiCall) -> None:
    """Hold iff the call has the members that it must have, each as its model says; moto rarely looks. Raises: Fault."""
    operation = find_operation(call.service, call.operation)
    if operation is None:
        raise Fault("NotImplemented", f"{call.service}:{call.operation} is not an operation", 501)
    shape = operation.input_shape
    if shape is None:
        return
    if report := _wrong_types(call, shape):
        if call.service == "s3":
            raise (
                malformed_xml()
                if shape.serialization.get("payload") in call.params
                else Fault("InvalidRequest", report)
            )
        if call.service == "ec2":
            raise Fault("InvalidParameterValue", report)
        raise Fault("SerializationException" if call.protocol in ("json", "cbor") else "ValidationError", report)
    if call.service != "s3":
        check_constraints(call, shape)
    elif call.operation != "CreateBucket" and has_wrong_choice(call, shape):
        raise malformed_xml()


def _wrong_types(call: ApiCall, shape: Any) -> str:
    """Give what is wrong with the types of members, and with S3's also what is missing."""
    try:
        report = ParamValidator().validate(dict(call.params), shape)
    except (RuntimeError, ValueError, OverflowError):
        # It tries every way to read a time, and gives up on some in words of its own.
        return "Parameter validation failed: a timestamp is not valid"
    if call.service != "s3":
        # What is missing or out of range is AWS's to say in its own words.
        report._errors = [error for error in report._errors if error[0] not in _OF_CONSTRAINTS]
    return str(report.generate_report()).replace("\n", " ") if report.has_errors() else ""


def s3_environ(call: ApiCall, account: str, body: bytes) -> dict[str, Any]:
    """Give the WSGI environment of an S3 call."""
    bucket, key = call.params.get("Bucket", ""), call.params.get("Key", "")
    path = f"/{quote(bucket)}" if bucket else "/"
    if key:
        path = f"{path}/{quote(key, safe='/')}"
    environ = _environ(call, account, body, method=call.request.method, path=path, query_string=_s3_query(call))
    names: dict[str, str] = {}
    for name, value in _s3_headers(call):
        environ_key = environ_key_for_header(name)
        if "_" in name:
            # S3 metadata keys may have underscores, which WSGI cannot tell from dashes; others do not count.
            if not name.startswith("x-amz-meta-"):
                continue
            names[environ_key] = name
        # WSGI's texts are bytes in disguise; what came from a query may be any text.
        environ[environ_key] = value if value.isascii() or _is_latin(value) else value.encode().decode("latin-1")
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = names
    encoding = [part.strip() for part in environ.pop("HTTP_CONTENT_ENCODING", "").split(",")]
    if kept := ",".join(part for part in encoding if part and part != "aws-chunked"):
        environ["HTTP_CONTENT_ENCODING"] = kept
    if "CopySource" in call.params:
        environ["HTTP_X_AMZ_COPY_SOURCE"] = _copy_source(call)
    return environ


def s3_body(call: ApiCall, body: bytes) -> bytes:
    """Give the payload; an XML document is written anew from its members. Raises: Fault (MalformedXML)."""
    operation = find_operation("s3", call.operation)
    shape = operation.input_shape if operation else None
    payload = shape.serialization.get("payload") if shape else None
    # DeleteObjects was written anew already, with care for the white space in keys.
    if not shape or not payload or payload not in call.params or call.operation == "DeleteObjects":
        return body
    if shape.members[payload].type_name != "structure":
        return body
    members = {name: call.params[name] for name in ("Bucket", "Key", payload) if name in call.params}
    try:
        written = _serializer("rest-xml").serialize_to_request(members, operation)["body"]
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise malformed_xml() from error
    return written.encode() if isinstance(written, str) else bytes(written)


def form_environ(call: ApiCall, account: str) -> dict[str, Any]:
    """Give the WSGI environment of a call in a query protocol. Raises: Fault where a member has no such value."""
    operation = find_operation(call.service, call.operation)
    try:
        form = _serializer(call.protocol).serialize_to_request(dict(call.params), operation)["body"]
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        code = "InvalidParameterValue" if call.service == "ec2" else "ValidationError"
        raise Fault(code, f"A parameter of {call.operation} has a value that is not valid.", 400) from error
    environ = _environ(call, account, urlencode(form).encode())
    environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded; charset=utf-8"
    return environ


def json_environ(call: ApiCall, account: str) -> dict[str, Any]:
    """Give the WSGI environment of a call in the JSON or CBOR protocol."""
    operation = find_operation(call.service, call.operation)
    shape = operation.input_shape if operation else None
    members = {name: value for name, value in call.params.items() if shape and name in shape.members}
    # moto reads a text like `x&Action=…` in JSON as a form, and so as another operation.
    text = json.dumps(members, default=_as_base64).replace("&", "\\u0026")
    environ = _environ(call, account, text.encode())
    environ["CONTENT_TYPE"] = json_content_type(call.service)
    prefix = service_model(call.service).metadata["targetPrefix"]
    environ["HTTP_X_AMZ_TARGET"] = f"{prefix}.{call.operation}"
    return environ


@cache
def _serializer(protocol: str) -> Any:
    return create_serializer(protocol, include_validation=False)


def _environ(
    call: ApiCall, account: str, body: bytes, *, method: str = "POST", path: str = "/", query_string: str = ""
) -> dict[str, Any]:
    """Give the environment without the client's headers: account by moto's own header, region by scope and host."""
    region = call.region if call.region != "aws-global" else "us-east-1"
    host = f"{_HOSTS.get(call.service, call.service)}.{region}.amazonaws.com"
    scope = f"{_SCOPE_DATE}/{region}/{call.service}/aws4_request"
    # No key that there is: when one was last used is noted by the gate.
    credential = f"AKIAANONYMOUSREQUEST/{scope}"
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": host,
        "HTTP_X_MOTO_ACCOUNT_ID": account,
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        PRESERVED_HEADER_NAMES_ENVIRON_KEY: {},
    }


def _s3_headers(call: ApiCall) -> list[tuple[str, str]]:
    """Give the headers that the operation's model has, as they were sent."""
    operation = find_operation("s3", call.operation)
    shape = operation.input_shape if operation else None
    headers = call.request.headers
    found: list[tuple[str, str]] = []
    for member_name, member in shape.members.items() if shape else ():
        wire = serialization(member)
        name = str(wire.get("name", "")).lower()
        if wire.get("location") == "headers":
            found += [(header, value) for header, value in headers.items() if header.startswith(name)]
        elif wire.get("location") == "header" and name in headers and name not in _DONE:
            # moto takes any text there for a yes.
            if call.params.get(member_name) is False or (name == "range" and not _RANGE.match(headers[name])):
                continue
            if headers[name]:
                found.append((name, headers[name]))
    return found


def _s3_query(call: ApiCall) -> str:
    """Give the query that the operation's model makes of the members: nothing else in the request's counts."""
    operation = find_operation("s3", call.operation)
    if operation is None:
        return ""
    parts = [part for part in operation.http["requestUri"].partition("?")[2].split("&") if part]
    shape = operation.input_shape
    for name, member in shape.members.items() if shape else ():
        wire = serialization(member)
        if wire.get("location") == "querystring" and name in call.params:
            parts.append(f"{quote(wire['name'])}={quote(_text(call.params[name]), safe='')}")
    return "&".join(parts)


def _copy_source(call: ApiCall) -> str:
    """Give the source in one form only: moto reads the header as a URL, and so could see another key than the gate."""
    bucket, key, version = s3.copy_source(call)
    suffix = f"?versionId={quote(version, safe='')}" if version else ""
    return f"/{quote(bucket)}/{quote(key, safe='/')}{suffix}"


def _as_base64(value: Any) -> str:
    return base64.b64encode(value).decode()


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_latin(text: str) -> bool:
    return all(ord(letter) < 256 for letter in text)
