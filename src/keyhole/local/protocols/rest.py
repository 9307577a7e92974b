"""S3's rest-xml protocol: which operation a method, path, query and headers make, and its members.

The rules come from the model's `requestUri`: `PUT /{Bucket}/{Key+}?tagging` is PutObjectTagging. Where several
operations fit, the one that names more of the request wins; what names a subresource that the operation does not have
is refused, so that no backend can understand a request otherwise than the gate did.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote, unquote_plus

from botocore.model import OperationModel

from keyhole.local.call import Fault, Headers, HttpRequest
from keyhole.local.protocols.values import convert_text
from keyhole.local.protocols.xmlbody import parse_xml
from keyhole.local.service_models import serialization, service_model

# Operations that are reached by other host names only, and share their method and path with one that is here.
_ELSEWHERE = frozenset({"ListDirectoryBuckets", "WriteGetObjectResponse", "CreateSession"})
_MAX_QUERY_FIELDS = 1000


@dataclass(frozen=True, slots=True)
class Route:
    """What a request must have to be this operation: `depth` 0 is the service, 1 a bucket, 2 an object."""

    operation: OperationModel
    method: str
    depth: int
    literals: tuple[tuple[str, str], ...]
    required_query: frozenset[str]
    optional_query: frozenset[str]
    required_headers: frozenset[str]

    @property
    def weight(self) -> int:
        return 4 * len(self.literals) + 2 * len(self.required_query) + len(self.required_headers)

    def fits(self, query: dict[str, str], headers: Headers) -> bool:
        return (
            all(name in query and (not value or query[name] == value) for name, value in self.literals)
            and self.required_query <= query.keys()
            and all(name in headers for name in self.required_headers)
        )


@cache
def _routes() -> dict[tuple[str, int], tuple[Route, ...]]:
    found: dict[tuple[str, int], list[Route]] = {}
    model = service_model("s3")
    for name in model.operation_names:
        operation = model.operation_model(name)
        if name in _ELSEWHERE or operation.deprecated:
            continue
        route = _route(operation)
        found.setdefault((route.method, route.depth), []).append(route)
    return {key: tuple(sorted(routes, key=lambda route: -route.weight)) for key, routes in found.items()}


def _route(operation: OperationModel) -> Route:
    path, _, query = operation.http["requestUri"].partition("?")
    required: dict[str, set[str]] = {"querystring": set(), "header": set()}
    optional: set[str] = set()
    shape = operation.input_shape
    for member_name, member in shape.members.items() if shape else ():
        wire = serialization(member)
        if shape and member_name in shape.required_members and wire.get("location") in required:
            required[wire["location"]].add(wire["name"])
        elif wire.get("location") == "querystring":
            optional.add(wire["name"])
    pieces = (part.partition("=") for part in query.split("&") if part)
    literals = tuple((name, value) for name, _, value in pieces)
    depth = 0 if path == "/" else 1 if path == "/{Bucket}" else 2
    method = operation.http["method"]
    return Route(
        operation=operation,
        method=method,
        depth=depth,
        literals=literals,
        required_query=frozenset(required["querystring"]),
        optional_query=frozenset(optional),
        required_headers=frozenset(required["header"]),
    )


@cache
def _subresources() -> frozenset[str]:
    routes = (route for group in _routes().values() for route in group)
    names = {name for route in routes for name, _ in route.literals}
    return frozenset(names | {"uploadId", "partNumber"}) - {"list-type", "select-type"}


def read_query(raw_query: str) -> dict[str, str]:
    """Give the query's parameters, decoded. Raises: Fault where a name comes twice."""
    parts = [part for part in raw_query.split("&") if part]
    if len(parts) > _MAX_QUERY_FIELDS:
        raise Fault("InvalidArgument", "Too many query parameters.", 400)
    found: dict[str, str] = {}
    seen: set[str] = set()
    for part in parts:
        name, _, value = part.partition("=")
        name = unquote_plus(name)
        # Those that stand in for headers are the same in any case.
        identity = name.lower() if name.lower().startswith("x-amz-") else name
        if identity in seen:
            raise Fault("InvalidArgument", f"The query parameter {name} is given more than once.", 400)
        seen.add(identity)
        found[name] = unquote_plus(value)
    return found


def find_route(method: str, bucket: str, key: str, query: dict[str, str], headers: Headers) -> Route:
    """Give the one operation that the request is. Raises: Fault (MethodNotAllowed)."""
    depth = 2 if key else 1 if bucket else 0
    for route in _routes().get((method, depth), ()):
        if route.fits(query, headers):
            taken = {name for name, _ in route.literals} | route.required_query | route.optional_query
            if not (query.keys() - taken) & _subresources():
                return route
            break
    raise Fault(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        405,
        extra=(("Method", method), ("ResourceType", ("SERVICE", "BUCKET", "OBJECT")[depth])),
    )


def parse_members(route: Route, request: HttpRequest, bucket: str, key: str, query: dict[str, str]) -> dict[str, Any]:
    """Give the operation's members; a payload that streams stays in the request's body.

    Raises: Fault where a value has the wrong type, or the body is not the XML that the operation takes.
    """
    shape = route.operation.input_shape
    if shape is None:
        return {}
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = _located(member, bucket, key, query, request.headers)
        if value is not None:
            found[name] = value
    payload = shape.serialization.get("payload")
    if payload:
        member = shape.members[payload]
        if member.type_name == "structure":
            body = request.body.read()
            if body.strip():
                found[payload] = parse_xml(body, member)
        elif not route.operation.has_streaming_input:
            found[payload] = request.body.read().decode("utf-8", "replace")
    elif any("location" not in serialization(member) for member in shape.members.values()):
        found |= _document(request.body.read(), shape)
    return found


def _document(body: bytes, shape: Any) -> dict[str, Any]:
    """Give the members that are in the body itself: SelectObjectContent has some."""
    found = parse_xml(body, shape) if body.strip() else {}
    return {name: value for name, value in found.items() if "location" not in serialization(shape.members[name])}


def _located(member: Any, bucket: str, key: str, query: dict[str, str], headers: Headers) -> Any:
    wire = serialization(member)
    location, name = wire.get("location"), wire.get("name", "")
    if location == "uri":
        return bucket if name == "Bucket" else key
    if location == "headers":
        prefix = name.lower()
        found = {header[len(prefix) :]: value for header, value in headers.items() if header.startswith(prefix)}
        return found or None
    source: Any = query if location == "querystring" else headers if location == "header" else {}
    if name not in source:
        return None
    text = source[name]
    try:
        if member.type_name == "list":
            return [convert_text(part.strip(), member.member.type_name) for part in text.split(",")]
        return convert_text(text, member.type_name)
    except ValueError as error:
        extra = (("ArgumentName", name), ("ArgumentValue", text))
        raise Fault("InvalidArgument", f"Provided {name} is not valid.", 400, extra=extra) from error


def split_path(raw_path: str, virtual_bucket: str) -> tuple[str, str]:
    """Give (bucket, key) of a path; a bucket in the host name leaves the whole path to the key."""
    try:
        if virtual_bucket:
            return virtual_bucket, unquote(raw_path.removeprefix("/"), errors="strict")
        bucket, _, key = raw_path.removeprefix("/").partition("/")
        return unquote(bucket, errors="strict"), unquote(key, errors="strict")
    except UnicodeDecodeError as error:
        raise Fault("InvalidURI", "Couldn't parse the specified URI.", 400) from error
