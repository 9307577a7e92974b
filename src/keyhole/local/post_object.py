"""A file that a browser's form brings: checked against the form's policy, and turned into a PutObject like any other.

AWS: S3 API Reference, "POST Object" and "Browser-Based Uploads Using POST (AWS Signature Version 4)".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from urllib.parse import quote, urlencode, urlsplit

from keyhole.local.authenticate import Authenticated, CheckedBody, authenticate_form
from keyhole.local.call import Caller, Fault, Headers, HttpRequest, Response
from keyhole.local.credentials import CredentialStore
from keyhole.local.parse import virtual_bucket
from keyhole.local.payload import body_blocks
from keyhole.local.post_form import Form
from keyhole.local.post_policy import PostPolicy, parse_post_policy
from keyhole.local.post_signature import missing_field
from keyhole.local.protocols.rest import read_query, split_path
from keyhole.local.protocols.xmlbody import parse_xml
from keyhole.local.service_models import find_operation, serialization, service_model
from keyhole.local.xml_text import escape

# Headers of the HTTP request itself that mean something for a form: nothing that the policy does not cover.
_KEPT = ("host", "user-agent", "referer", "origin", "x-forwarded-proto")
_PLAIN = ("cache-control", "content-type", "content-disposition", "content-encoding", "content-language", "expires")
# PutObject has these headers as well, and forms do not.
_NO_FIELDS = frozenset({"x-amz-expected-bucket-owner", "x-amz-request-payer", "x-amz-write-offset-bytes"})


@dataclass(frozen=True, slots=True)
class PostedObject:
    """A form as the put that it stands for, made by whom, and how it wants to be answered."""

    request: HttpRequest
    authenticated: Authenticated
    bucket: str
    key: str
    fields: dict[str, str] = field(repr=False)

    def answer(self, response: Response) -> Response:
        """Give what the form's sender is to get for what the put was answered."""
        if response.status != 200:
            return response
        headers = tuple((name, value) for name, value in response.headers if name.lower() != "content-type")
        etag = response.header("etag") or ""
        if redirect := self._redirect(etag):
            return Response(303, (*headers, ("Location", redirect)))
        location = self._location()
        headers = (*headers, ("Location", location))
        status = self.fields.get("success_action_status", "")
        if status != "201":
            return Response(200 if status == "200" else 204, headers)
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<PostResponse><Location>{escape(location)}</Location><Bucket>{escape(self.bucket)}</Bucket>"
            f"<Key>{escape(self.key)}</Key><ETag>{escape(etag)}</ETag></PostResponse>"
        )
        return Response(201, (*headers, ("Content-Type", "application/xml")), body.encode())

    def _redirect(self, etag: str) -> str:
        """Give where to send the browser, "" where the form names no place that is one: such a field is ignored."""
        url = self.fields.get("success_action_redirect") or self.fields.get("redirect") or ""
        try:
            parts = urlsplit(url)
        except ValueError:
            return ""
        if parts.scheme not in ("http", "https") or not parts.netloc or not url.isascii() or " " in url:
            return ""
        told = urlencode({"bucket": self.bucket, "key": self.key, "etag": etag}, quote_via=quote)
        return parts._replace(query=f"{parts.query}&{told}" if parts.query else told).geturl()

    def _location(self) -> str:
        host = self.request.headers.get("host", "")
        path = quote(self.key) if virtual_bucket(host) else f"{quote(self.bucket)}/{quote(self.key)}"
        return f"http://{host}/{path}"


class _FileBody:
    """The file of a form, held to the sizes that its policy allows."""

    def __init__(self, form: Form, policy: PostPolicy | None) -> None:
        self._form = form
        self._policy = policy

    def read(self) -> bytes:
        return b"".join(self.blocks())

    def blocks(self) -> Iterator[bytes]:
        """Give the file block by block. Raises: Fault where it is too large or too small."""
        size = 0
        for block in self._form.file_blocks():
            size += len(block)
            if self._policy:
                self._policy.check_size(size, is_whole=False)
            yield block
        if self._policy:
            self._policy.check_size(size, is_whole=True)


def is_post(request: HttpRequest) -> bool:
    """Hold iff the request is a POST to a bucket itself, which only forms are. Raises: Fault."""
    if request.method != "POST" or "delete" in read_query(request.raw_query):
        return False
    bucket, key = split_path(request.raw_path, virtual_bucket(request.headers.get("host", "")))
    return bool(bucket) and not key


def open_post(request: HttpRequest, credentials: CredentialStore, at: datetime) -> PostedObject:
    """Give the put that an unsigned POST to a bucket stands for. Raises: Fault.

    The file is not read yet: that is for when it is known that its sender may.
    """
    bucket, _ = split_path(request.raw_path, virtual_bucket(request.headers.get("host", "")))
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        condition = "Bucket POST must be of the enclosure-type multipart/form-data"
        message = "At least one of the pre-conditions you specified did not hold"
        raise Fault("PreconditionFailed", message, 412, extra=(("Condition", condition),))
    form = Form(request.headers, body_blocks(request.body))
    form.read_fields()
    authenticated = authenticate_form(form, credentials, at)
    policy = None
    if "policy" in form.fields:
        policy = parse_post_policy(form.fields["policy"])
        policy.check_fields({**form.fields, "bucket": form.fields.get("bucket", bucket)}, at)
    key = _check_target(form, bucket)
    signed = authenticated.signature
    headers = Headers([*_kept_headers(request), *_field_headers(form.fields)])
    put = HttpRequest(
        method="PUT",
        raw_path=f"/{quote(key, safe='/')}" if _is_virtual(request) else f"/{quote(bucket)}/{quote(key, safe='/')}",
        raw_query="",
        headers=headers,
        body=_FileBody(form, policy),
        source_ip=request.source_ip,
    )
    # What is signed is the policy: the file has no signature, and its checksums are all that is verified.
    put = replace(put, body=CheckedBody(put, Authenticated(Caller())))
    return PostedObject(put, Authenticated(authenticated.caller, signed), bucket, key, form.fields)


def _is_virtual(request: HttpRequest) -> bool:
    return bool(virtual_bucket(request.headers.get("host", "")))


def _check_target(form: Form, bucket: str) -> str:
    """Give the key. Raises: Fault where it is missing, or the form is for another bucket."""
    if "key" not in form.fields:
        raise missing_field("key")
    if not form.fields["key"]:
        extra = (("ArgumentName", "key"), ("ArgumentValue", ""))
        raise Fault("InvalidArgument", "User key must have a length greater than 0.", 400, extra=extra)
    if form.fields.get("bucket", bucket) != bucket:
        extra = (("ArgumentName", "bucket"), ("ArgumentValue", form.fields["bucket"]))
        raise Fault("InvalidArgument", "The form field bucket is not the bucket of the request.", 400, extra=extra)
    return form.fields["key"]


def _kept_headers(request: HttpRequest) -> Iterator[tuple[str, str]]:
    return ((name, request.headers[name]) for name in _KEPT if name in request.headers)


def _field_headers(fields: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Give the headers that a put has in place of the form's fields. Raises: Fault (MalformedXML)."""
    for name, value in fields.items():
        if name == "acl":
            yield "x-amz-acl", _header(value)
        elif name == "tagging":
            yield "x-amz-tagging", _tagging(value)
        elif name in _PLAIN or name in _put_headers() or name.startswith("x-amz-meta-"):
            yield name, _header(value)


def _header(value: str) -> str:
    """Give a field as a header's text is: bytes in disguise."""
    return " ".join(value.splitlines()).encode().decode("latin-1")


@cache
def _put_headers() -> frozenset[str]:
    operation = find_operation("s3", "PutObject")
    shape = operation.input_shape if operation else None
    members = shape.members.values() if shape else ()
    names = {str(serialization(member).get("name", "")).lower() for member in members}
    return frozenset(name for name in names if name.startswith("x-amz-") and name != "x-amz-meta-") - _NO_FIELDS


def _tagging(document: str) -> str:
    found = parse_xml(document.encode(), service_model("s3").shape_for("Tagging"))
    return urlencode([(str(tag.get("Key", "")), str(tag.get("Value", ""))) for tag in found.get("TagSet", ())])
