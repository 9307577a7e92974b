"""Signature Version 4, verified over the request as it was sent, in a header or in a presigned URL.

AWS: IAM User Guide, "Create a signed AWS API request"; S3 API Reference, "Authenticating Requests (AWS Signature
Version 4)", header and query parameters. S3 paths are signed as sent; those of other services are normalised.
"""

from __future__ import annotations

import hashlib
import hmac
import posixpath
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from keyhole.local import refusals, sigv2
from keyhole.local.call import Fault, HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_MAX_EXPIRES_S = 7 * 24 * 3600
_HEADER_PARTS = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]*)")
_AMZ_DATE = re.compile(r"^\d{8}T\d{6}Z$")


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says about its own signature; nothing of it is believed before `verify` has passed.

    `expires_s` is None for one in the Authorization header. `version` is as s3:signatureversion has it; "AWS" is
    version 2, which names no region, and whose `expires_s` is a moment: seconds since 1970.
    """

    access_key_id: str
    scope_date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    amz_date: str
    session_token: str = field(repr=False)
    expires_s: int | None = None
    version: str = ALGORITHM

    @property
    def is_query(self) -> bool:
        return self.expires_s is not None

    @property
    def scope(self) -> str:
        return f"{self.scope_date}/{self.region}/{self.service}/aws4_request"

    @property
    def signed_at(self) -> datetime:
        return datetime.strptime(self.amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def read_signature(request: HttpRequest, service: str = "s3", protocol: str = "rest-xml") -> Signature | None:
    """Give the signature of a request, None where it has none. Raises: Fault where it cannot be read.

    `service` and `protocol` are those that the request seems to be for: an error is in their words.
    """
    authorization = request.headers.get("authorization")
    query = dict(_raw_pairs(request.raw_query))
    if authorization is not None:
        if "X-Amz-Algorithm" in query:
            message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query"
            raise Fault("InvalidArgument", f"{message} string parameter or the Authorization header", 400)
        return _read_header(request, authorization, service, protocol)
    if "X-Amz-Algorithm" in query or "X-Amz-Signature" in query:
        return _read_query({name: _decode(value) for name, value in query.items()})
    if "Signature" in query or "AWSAccessKeyId" in query:
        return _read_v2({name: _decode(value) for name, value in query.items()})
    return None


def _read_v2(query: dict[str, str]) -> Signature:
    if not all(query.get(name) for name in ("AWSAccessKeyId", "Signature", "Expires")):
        message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise Fault("AccessDenied", message, 403)
    return Signature(
        access_key_id=query["AWSAccessKeyId"],
        scope_date="",
        region="",
        service="s3",
        signed_headers=(),
        signature=query["Signature"],
        amz_date="",
        session_token=query.get("x-amz-security-token", ""),
        expires_s=sigv2.expiry(query["Expires"]),
        version=sigv2.VERSION,
    )


def _read_header(request: HttpRequest, authorization: str, service: str, protocol: str) -> Signature:
    algorithm = authorization.partition(" ")[0]
    refusals.check_algorithm(algorithm)
    if algorithm != ALGORITHM:
        message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        raise Fault("InvalidRequest", message, 400)
    parts = dict(_HEADER_PARTS.findall(authorization))
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not parts.get(name):
            raise refusals.malformed_header(service, protocol, f"the {name} part is missing")
    credential = parse_credential(parts["Credential"])
    if credential is None:
        why = 'the Credential is mal-formed; expecting the form "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"'
        raise refusals.malformed_header(service, protocol, why)
    amz_date = request.headers.get("x-amz-date", "")
    if not is_date(amz_date):
        raise Fault("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", 403)
    return Signature(
        access_key_id=credential[0],
        scope_date=credential[1],
        region=credential[2],
        service=credential[3],
        signed_headers=tuple(parts["SignedHeaders"].lower().split(";")),
        signature=parts["Signature"],
        amz_date=amz_date,
        session_token=request.headers.get("x-amz-security-token", ""),
    )


def _read_query(query: dict[str, str]) -> Signature:
    names = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    missing = [f"X-Amz-{name}" for name in names if not query.get(f"X-Amz-{name}")]
    if missing:
        raise refusals.malformed_query(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )
    refusals.check_algorithm(query["X-Amz-Algorithm"])
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise refusals.malformed_query('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"')
    credential = parse_credential(query["X-Amz-Credential"])
    if credential is None:
        raise refusals.malformed_query(
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting the form "
            '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
        )
    if not is_date(query["X-Amz-Date"]):
        raise refusals.malformed_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    expires = query["X-Amz-Expires"]
    if not (expires.isascii() and expires.isdigit()):
        raise refusals.malformed_query("X-Amz-Expires should be a number")
    # Python reads no number of more than some thousand digits.
    if len(expires) > 9 or int(expires) > _MAX_EXPIRES_S:
        raise refusals.malformed_query(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{_MAX_EXPIRES_S} seconds"
        )
    return Signature(
        access_key_id=credential[0],
        scope_date=credential[1],
        region=credential[2],
        service=credential[3],
        signed_headers=tuple(query["X-Amz-SignedHeaders"].lower().split(";")),
        signature=query["X-Amz-Signature"],
        amz_date=query["X-Amz-Date"],
        session_token=query.get("X-Amz-Security-Token", ""),
        expires_s=int(expires),
    )


def check_time(signature: Signature, service: str, protocol: str, at: datetime) -> None:
    """Hold iff the signature is made now: within 15 minutes, or within a presigned URL's life. Raises: Fault."""
    skew = timedelta(seconds=refusals.MAX_SKEW_S)
    signed_at = signature.signed_at
    if signature.scope_date != signature.amz_date[:8]:
        why = f'Invalid credential date "{signature.scope_date}". This date is not the same as X-Amz-Date: '
        raise refusals.malformed_header(service, protocol, f'{why}"{signature.amz_date[:8]}".')
    if signature.expires_s is None:
        if abs(at - signed_at) > skew:
            raise refusals.skewed_clock(service, protocol, signed_at, at)
        return
    if at - signed_at > timedelta(seconds=signature.expires_s):
        ends_at = signed_at + timedelta(seconds=signature.expires_s)
        extra = (
            ("X-Amz-Expires", str(signature.expires_s)),
            ("Expires", f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"),
            ("ServerTime", f"{at:%Y-%m-%dT%H:%M:%SZ}"),
        )
        raise Fault("AccessDenied", "Request has expired", 403, extra=extra)
    if signed_at - at > skew:
        raise Fault("AccessDenied", "Request is not yet valid", 403)


def check_signed_headers(signature: Signature, request: HttpRequest, service: str, protocol: str) -> None:
    """Hold iff `host` is signed, and for S3 every x-amz-… header that was sent, else x-amz-target. Raises: Fault."""
    signed = frozenset(signature.signed_headers)
    if "host" not in signed:
        raise refusals.malformed_header(service, protocol, "SignedHeaders must contain host")
    if service in ("s3", "s3control"):
        unsigned = sorted(name for name in request.headers if name.startswith("x-amz-") and name not in signed)
        if unsigned:
            message = "There were headers present in the request which were not signed"
            raise Fault("AccessDenied", message, 403, extra=(("HeadersNotSigned", ", ".join(unsigned)),))
    elif "x-amz-target" in request.headers and "x-amz-target" not in signed:
        raise refusals.malformed_header(service, protocol, "SignedHeaders must contain x-amz-target")


def verify(signature: Signature, request: HttpRequest, secret: str, payload_hash: str) -> bool:
    """Hold iff the signature was made with `secret` over this request and this payload hash."""
    key = signing_key(secret, signature.scope_date, signature.region, signature.service)
    given = signature.signature.encode()
    return any(
        hmac.compare_digest(_sign(key, _string_to_sign(signature, canonical)).encode(), given)
        for canonical in _canonical_requests(signature, request, payload_hash)
    )


@lru_cache(maxsize=256)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Give the key that signs for one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _sign(key: bytes, text: str) -> str:
    return hmac.digest(key, _bytes(text), "sha256").hex()


def _string_to_sign(signature: Signature, canonical: str) -> str:
    digest = hashlib.sha256(_bytes(canonical)).hexdigest()
    return f"{ALGORITHM}\n{signature.amz_date}\n{signature.scope}\n{digest}"


def _canonical_requests(signature: Signature, request: HttpRequest, payload_hash: str) -> list[str]:
    """Give the request in canonical form: with the encoding as sent, and in the encoding that AWS prescribes.

    Clients differ in what they percent-encode beyond need; both forms name the same path and query.
    """
    headers = "".join(f"{name}:{_header_value(request, name)}\n" for name in signature.signed_headers)
    tail = f"{headers}\n{';'.join(signature.signed_headers)}\n{payload_hash}"
    pairs = [(name, value) for name, value in _raw_pairs(request.raw_query) if name != "X-Amz-Signature"]
    if signature.service == "s3":
        paths = (request.raw_path, quote(unquote_to_bytes(request.raw_path), safe="/-_.~"))
    else:
        path = _normalise(request.raw_path)
        paths = (quote(path, safe="/-_.~"), quote(quote(unquote_to_bytes(path), safe="/-_.~"), safe="/-_.~"))
    queries = (
        "&".join(f"{name}={value}" for name, value in sorted(pairs)),
        "&".join(f"{name}={value}" for name, value in sorted((_encode(n), _encode(v)) for n, v in pairs)),
    )
    forms = dict.fromkeys(zip(paths, queries, strict=True))
    forms.update(dict.fromkeys(zip(paths, reversed(queries), strict=True)))
    return [f"{request.method}\n{path}\n{query}\n{tail}" for path, query in forms]


def _bytes(text: str) -> bytes:
    # What was sent is latin-1 here; a decoded query may have other letters in it, which nobody's signature has.
    return text.encode("latin-1", "replace")


def _header_value(request: HttpRequest, name: str) -> str:
    return " ".join(request.headers.get(name, "").split())


def _normalise(path: str) -> str:
    normal = posixpath.normpath(path) if path else "/"
    normal = "/" + normal.lstrip("/")
    return f"{normal}/" if path.endswith("/") and normal != "/" else normal


def _raw_pairs(raw_query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (part.partition("=") for part in raw_query.split("&") if part)]


def _decode(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")


def _encode(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="-_.~")


def parse_credential(text: str) -> tuple[str, str, str, str] | None:
    """Give key id, date, region and service of a credential scope, None where it is none."""
    parts = text.rsplit("/", 4)
    return (parts[0], parts[1], parts[2], parts[3]) if len(parts) == 5 and parts[4] == "aws4_request" else None


def is_date(text: str) -> bool:
    """Hold iff the text is a moment as signatures have it: 20310517T120000Z."""
    if not _AMZ_DATE.match(text):
        return False
    try:
        datetime.strptime(text, "%Y%m%dT%H%M%SZ")  # only whether it is one
    except ValueError:
        return False
    return True
