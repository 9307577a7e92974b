"""The backend that moto is: calls that were let through are handed to its response classes, in this process.

moto's own opinions on access are taken out, and nothing that a client sends picks the account: a request is built anew
from the parsed call, so that moto cannot understand it otherwise than the gate did.
"""

from __future__ import annotations

import importlib
import io
import json
import math
import os
import threading
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import moto.settings
from moto.core.base_backend import BackendDict
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, Request, environ_key_for_header
from moto.s3.models import FakeBucket, s3_backends

from keyhole.local.actions import s3
from keyhole.local.backend import Tags
from keyhole.local.call import ApiCall, Fault, Response
from keyhole.local.moto_state import MotoState
from keyhole.local.protocols import cbor, query
from keyhole.local.service_models import find_operation, serialization

_RESPONSE_CLASSES = {
    "s3": ("moto.s3.responses", "S3Response"),
    "iam": ("moto.iam.responses", "IamResponse"),
    "ec2": ("moto.ec2.responses", "EC2Response"),
    "resourcegroupstaggingapi": ("moto.resourcegroupstaggingapi.responses", "ResourceGroupsTaggingAPIResponse"),
}
_HOSTS = {"resourcegroupstaggingapi": "tagging", "iam": "iam"}
# Authentication and framing are done with; the account is set here and nowhere else.
_DROPPED = frozenset(
    {
        *("authorization", "x-amz-security-token", "x-amz-content-sha256", "x-amz-decoded-content-length"),
        *("x-amz-trailer", "transfer-encoding", "content-length", "expect", "host", "connection", "content-md5"),
        *("x-moto-account-id", "x-amz-date", "x-amz-expected-bucket-owner", "origin", "user-agent"),
    }
)
_SCOPE_DATE = "20200101"
# Headers that the server in front writes itself, and moto's `status`, which is none.
_OWN_HEADERS = frozenset({"status", "server", "date", "connection", "x-amz-request-id", "x-amz-id-2"})


class _WholeBody(Request):  # type: ignore[misc]  # moto is untyped
    """A request whose body stays bytes, whatever its content type says: S3 objects may be forms."""

    want_form_data_parsed = False
    from_wsgi_server = True


class _Form(Request):  # type: ignore[misc]
    from_wsgi_server = True


def _neutral(_bucket: Any, _action: str, _resource: str) -> Any:
    from moto.iam.access_control import PermissionResult

    return PermissionResult.NEUTRAL


class MotoBackend(MotoState):
    """Every account's state, in moto's process-wide tables: there is one per process, however many servers it has."""

    def __init__(self) -> None:
        # moto reads both at run time: the first would override the account of every call.
        os.environ.pop("MOTO_ACCOUNT_ID", None)
        moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = math.inf
        FakeBucket.get_permission = _neutral
        self._control = threading.RLock()
        self._loading = False

    def handle(self, call: ApiCall, account: str, body: bytes) -> Response:
        if call.service == "s3":
            return self._handle_s3(call, account, body)
        self._load_rest()
        # moto's IAM and EC2 tables are plain dicts that its own code iterates over.
        with self._control:
            return self._handle_flat(call, account, body)

    def _handle_s3(self, call: ApiCall, account: str, body: bytes) -> Response:
        bucket, key = call.params.get("Bucket", ""), call.params.get("Key", "")
        path = f"/{quote(bucket)}" if bucket else "/"
        if key:
            path = f"{path}/{quote(key, safe='/')}"
        environ = _environ(call, account, body, method=call.request.method, path=path, query_string=_s3_query(call))
        if "CopySource" in call.params:
            environ["HTTP_X_AMZ_COPY_SOURCE"] = _copy_source(call)
        request = _WholeBody(environ)
        responder = _response_class("s3")()
        respond = responder.key_response if key else responder.bucket_response
        return self._run(call, lambda: respond(request, request.raw_url, dict(request.headers)))

    def _handle_flat(self, call: ApiCall, account: str, body: bytes) -> Response:
        if call.protocol in ("query", "ec2"):
            body = urlencode(query.read_form(call.request)).encode()
        elif call.protocol == "cbor":
            body = json.dumps(call.params).encode()
        environ = _environ(call, account, body)
        if call.protocol in ("query", "ec2"):
            environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded; charset=utf-8"
        else:
            operation = find_operation(call.service, call.operation)
            prefix = operation.service_model.metadata["targetPrefix"] if operation else ""
            environ["CONTENT_TYPE"] = "application/x-amz-json-1.1"
            environ["HTTP_X_AMZ_TARGET"] = f"{prefix}.{call.operation}"
        request = _Form(environ)
        response = self._run(
            call, lambda: _response_class(call.service).dispatch(request, request.raw_url, dict(request.headers))
        )
        return _as_cbor(response) if call.protocol == "cbor" else response

    def _run(self, call: ApiCall, respond: Any) -> Response:
        try:
            status, headers, body = respond()
        except NotImplementedError as error:
            message = f"{call.service}:{call.operation} is not available in Keyhole's local AWS"
            raise Fault("NotImplemented", message, 501) from error
        return Response(
            int(status),
            tuple(_clean(headers.items(), is_s3=call.service == "s3")),
            body.encode() if isinstance(body, str) else body,
        )

    def secure_new_bucket(self, name: str, ownership: str, tags: Tags) -> None:
        from moto.s3.models import PublicAccessBlock

        partition, account = s3_backends.bucket_accounts[name]
        s3 = s3_backends[account][partition]
        bucket = s3.buckets[name]
        bucket.public_access_block = PublicAccessBlock(True, True, True, True)
        bucket.ownership_rule = ownership
        bucket.encryption = {
            "Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}
        }
        if tags:
            s3.put_bucket_tagging(name, dict(tags))

    def set_user_boundary(self, account: str, name: str, arn: str) -> None:
        from moto.iam.models import iam_backends

        user = iam_backends[account]["aws"].users[name]
        user.permissions_boundary_arn = arn or None
        user.permissions_boundary = (
            {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None
        )

    def reset(self) -> None:
        with self._control:
            s3_backends.bucket_accounts.clear()
            BackendDict.reset()

    def _load_rest(self) -> None:
        """Import moto's EC2 beside the first call that is not S3's: its tables take a while, and 90 MB.

        Who provisions will need it in a moment; who only stores objects never does.
        """
        loading, self._loading = self._loading, True
        if not loading:
            threading.Thread(target=_response_class, args=("ec2",), name="moto-ec2", daemon=True).start()


@cache
def _response_class(service: str) -> Any:
    module, name = _RESPONSE_CLASSES[service]
    return getattr(importlib.import_module(module), name)


def _environ(
    call: ApiCall, account: str, body: bytes, *, method: str = "POST", path: str = "/", query_string: str = ""
) -> dict[str, Any]:
    """Give the WSGI environment of the call, with the account by moto's own header and the region by scope and host."""
    region = call.region if call.region != "aws-global" else "us-east-1"
    host = f"{_HOSTS.get(call.service, call.service)}.{region}.amazonaws.com"
    # moto notes from the key id when a key was last used, and whose own user a call means.
    key_id = _key_id(call)
    environ: dict[str, Any] = {
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
    }
    names: dict[str, str] = {}
    for name, value in call.request.headers.items():
        if name in _DROPPED:
            continue
        key = environ_key_for_header(name)
        if "_" in name:
            # S3 metadata keys may have underscores, which WSGI cannot tell from dashes; others do not count.
            if not name.startswith("x-amz-meta-"):
                continue
            names[key] = name
        environ[key] = value
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = names
    environ["HTTP_HOST"] = host
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
    scope = f"{_SCOPE_DATE}/{region}/{call.service}/aws4_request"
    environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders=host, Signature=0"
    encoding = [part.strip() for part in environ.pop("HTTP_CONTENT_ENCODING", "").split(",")]
    if kept := ",".join(part for part in encoding if part and part != "aws-chunked"):
        environ["HTTP_CONTENT_ENCODING"] = kept
    return environ


def _key_id(call: ApiCall) -> str:
    authorization = call.request.headers.get("authorization", "")
    found = authorization.partition("Credential=")[2].partition("/")[0]
    return found if found.isalnum() and len(found) == 20 else "AKIAANONYMOUSREQUEST"


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


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _clean(headers: Iterable[tuple[str, Any]], *, is_s3: bool) -> Iterable[tuple[str, str]]:
    """Leave out what is not for the client."""
    for name, value in headers:
        if name.lower() not in _OWN_HEADERS and not (is_s3 and name.lower() == "x-amzn-requestid"):
            yield name, str(value)


def _as_cbor(response: Response) -> Response:
    document = json.loads(response.body or b"{}")
    headers = tuple(pair for pair in response.headers if pair[0].lower() not in ("content-type", "content-length"))
    cbor_headers = (("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"))
    return Response(response.status, (*headers, *cbor_headers), cbor.encode(document))
