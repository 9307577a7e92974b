"""Who makes a request: the key is looked up, its session and signature verified, before anything else is believed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from keyhole.local import refusals, sigv2, sigv4
from keyhole.local.blob import Content
from keyhole.local.call import Caller, Fault, Headers, HttpRequest
from keyhole.local.credentials import CredentialStore, Found
from keyhole.local.parse import Destination, virtual_bucket
from keyhole.local.payload import Payload, declared_hash, open_payload
from keyhole.local.post_form import Form
from keyhole.local.post_signature import read_form_signature, verify_form
from keyhole.local.sigv4 import Signature

# Documents are read as a whole. The longest is the list of an upload's 10,000 parts, each with a checksum.
_MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
_FORMS = Destination("s3", "", "rest-xml")


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A caller whose signature holds; `key` is its signing key, which chunk signatures are checked with."""

    caller: Caller
    signature: Signature | None = None
    key: bytes = field(default=b"", repr=False)


def authenticate(
    request: HttpRequest,
    signature: Signature | None,
    destination: Destination,
    credentials: CredentialStore,
    at: datetime,
) -> Authenticated:
    """Give the caller; one without a signature is anonymous. Raises: Fault, in the words of the service."""
    service, protocol = destination.service, destination.protocol
    if signature is None:
        if service not in ("s3", "sts"):
            raise refusals.missing_signature(protocol)
        return Authenticated(Caller())
    found = credentials.find(signature.access_key_id, "REST-QUERY-STRING" if signature.is_query else "REST-HEADER")
    if found is None:
        raise refusals.unknown_key(service, protocol, signature.access_key_id)
    _check_token(found, signature, destination)
    if signature.version == sigv2.VERSION:
        return _authenticate_v2(request, signature, found, at)
    sigv4.check_signed_headers(signature, request, service, protocol)
    payload_hash = _payload_hash(request, signature, service)
    if not sigv4.verify(signature, request, found.secret_access_key, payload_hash):
        raise refusals.wrong_signature(service, protocol, signature.access_key_id)
    # Only now is it known that the times are the key holder's own.
    sigv4.check_time(signature, service, protocol, at)
    if found.session and found.session.is_expired(at):
        raise refusals.expired_token(service, protocol)
    key = sigv4.signing_key(found.secret_access_key, signature.scope_date, signature.region, signature.service)
    return Authenticated(found.caller, signature, key)


def _authenticate_v2(request: HttpRequest, signature: Signature, found: Found, at: datetime) -> Authenticated:
    bucket = virtual_bucket(request.headers.get("host", ""))
    if not sigv2.verify(request, found.secret_access_key, signature.signature, bucket):
        raise refusals.wrong_signature("s3", "rest-xml", signature.access_key_id)
    sigv2.check_time(signature.expires_s or 0, at)
    if found.session and found.session.is_expired(at):
        raise refusals.expired_token("s3", "rest-xml")
    return Authenticated(found.caller, signature)


def authenticate_form(form: Form, credentials: CredentialStore, at: datetime) -> Authenticated:
    """Give whose form it is by the signature of its policy; one without either is anonymous. Raises: Fault.

    The policy itself is not looked at: a form may be sent for as long as that says.
    """
    signature = read_form_signature(form.fields)
    if signature is None:
        return Authenticated(Caller())
    found = credentials.find(signature.access_key_id, "POST")
    if found is None:
        raise refusals.unknown_key("s3", "rest-xml", signature.access_key_id)
    _check_token(found, signature, _FORMS)
    if not verify_form(signature, form.fields["policy"], found.secret_access_key):
        raise refusals.wrong_signature("s3", "rest-xml", signature.access_key_id)
    if found.session and found.session.is_expired(at):
        raise refusals.expired_token("s3", "rest-xml")
    return Authenticated(found.caller, signature)


def _check_token(found: Found, signature: Signature, destination: Destination) -> None:
    expected = found.session.session_token if found.session else ""
    if expected and not signature.session_token:
        raise refusals.unknown_key(destination.service, destination.protocol, signature.access_key_id)
    if not hmac.compare_digest(expected.encode(), signature.session_token.encode("utf-8", "replace")):
        raise refusals.wrong_token(destination.service, destination.protocol, signature.access_key_id)


def _payload_hash(request: HttpRequest, signature: Signature, service: str) -> str:
    """Give what the signature covers as the payload: S3 signs what the header says, which is checked on reading."""
    if service == "s3":
        return declared_hash(request, signature)
    return hashlib.sha256(request.body.read()).hexdigest()


class CheckedBody:
    """The body of an S3 request, with its hash, chunk signatures and checksums verified when it is first read."""

    def __init__(self, request: HttpRequest, authenticated: Authenticated) -> None:
        self._request = request
        self._authenticated = authenticated
        self._payload: Payload | None = None

    def read(self) -> bytes:
        """Give a document without its framing. Raises: Fault, also where it is too long for one."""
        length = self._request.headers.get("content-length", "")
        is_short = not length.isdigit() or int(length) <= _MAX_DOCUMENT_BYTES
        content = self.content() if is_short else None
        if content is None or len(content) > _MAX_DOCUMENT_BYTES:
            raise Fault("MaxMessageLengthExceeded", "Your request was too big.", 400)
        return content if isinstance(content, bytes) else content.content()

    def content(self) -> Content:
        """Give the payload without its framing, however long it is. Raises: Fault."""
        return self._open().data

    def trailers(self) -> Headers:
        """Give the trailing headers that came after the payload."""
        return Headers(self._open().trailers)

    def _open(self) -> Payload:
        if self._payload is None:
            signature, key = self._authenticated.signature, self._authenticated.key
            self._payload = open_payload(self._request, declared_hash(self._request, signature), signature, key)
        return self._payload
