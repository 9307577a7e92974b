"""One HTTP request in, one API call out: the only place that reads what a request asks for.

The service and region come from the signature's scope, else from the host name; unsigned requests are S3's, but for
the STS calls that need no signature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from keyhole.local import sigv2
from keyhole.local.call import ApiCall, Fault, Headers, HttpRequest
from keyhole.local.protocols import jsonbody, query, rest, s3control
from keyhole.local.service_models import (
    PROTOCOLS,
    QUERY_COMPATIBLE,
    SIGNING_NAMES,
    find_operation,
    is_region,
    service_model,
)
from keyhole.local.sigv4 import Signature

_UNSIGNED_STS = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})
_PORT = re.compile(r":\d+$")
_VIRTUAL_HOSTS = (
    re.compile(r"^(?P<bucket>.+)\.s3[.-](?:dualstack\.)?[a-z0-9-]+\.amazonaws\.com$"),
    re.compile(r"^(?P<bucket>.+)\.s3\.amazonaws\.com$"),
    re.compile(r"^(?P<bucket>.+?)(?:\.s3)?\.localhost$"),
)
# Parameters that presigned URLs carry in place of headers: SDKs put any x-amz-… header there.
# A checksum among them is that of the empty body that the URL was made with.
_HOISTED = re.compile(
    r"^x-amz-(?!(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256"
    r"|sdk-checksum-algorithm|checksum-(?!mode).*)$)",
    re.IGNORECASE,
)

# The service that a signature of version 4 is for.
_SCOPE = re.compile(r"Credential=[^,]*/(?P<service>[^/,]+)/aws4_request")
# Services that are not here and speak XML; the others whose operations are paths (Lambda, EKS, …) speak JSON.
_IN_XML = ("s3", "cloudfront", "route53")


@dataclass(frozen=True, slots=True)
class Destination:
    """Which service of which region a request is for, before anything else of it is read."""

    service: str
    region: str
    protocol: str


def guess_destination(request: HttpRequest, region: str) -> Destination:
    """Give the destination whose error documents the client most likely reads, where the real one is not known."""
    if jsonbody.is_cbor(request):
        return Destination("", region, "cbor")
    if "x-amz-target" in request.headers:
        return Destination("", region, "json")
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if request.method == "POST" and request.raw_path == "/" and is_form:
        return Destination("", region, "query")
    scope = _SCOPE.search(request.headers.get("authorization", ""))
    if scope and scope["service"] not in SIGNING_NAMES and not scope["service"].startswith(_IN_XML):
        return Destination("", region, "rest-json")
    return Destination("s3", region, "rest-xml")


def find_destination(request: HttpRequest, signature: Signature | None, default_region: str) -> Destination:
    """Give the service that is asked. Raises: Fault where this local AWS does not have it."""
    if signature and signature.version == sigv2.VERSION:
        return Destination("s3", default_region, "rest-xml")
    if signature:
        service = SIGNING_NAMES.get(signature.service, "")
        if not is_region(signature.region):
            raise Fault("AuthFailure", f"Credential should be scoped to a valid region, not `{signature.region}`.", 403)
        if not service:
            message = (
                f"The service {signature.service} is not part of Keyhole's local AWS: it has "
                f"{', '.join(sorted(SIGNING_NAMES))}."
            )
            raise Fault("UnknownService", message, 400)
        if service == "s3" and s3control.is_control(request):
            return Destination(s3control.SERVICE, signature.region, "rest-xml")
        return Destination(service, signature.region, _spoken(service, request))
    if s3control.is_control(request):
        return Destination(s3control.SERVICE, default_region, "rest-xml")
    if _is_unsigned_sts(request):
        return Destination("sts", default_region, "query")
    return Destination("s3", default_region, "rest-xml")


def parse_call(request: HttpRequest, destination: Destination) -> ApiCall:
    """Give the API call in the request. Raises: Fault."""
    if destination.service == "s3":
        return _parse_s3(request, destination)
    if destination.service == s3control.SERVICE:
        operation, params = s3control.parse_control(request)
        return ApiCall(destination.service, operation, params, destination.region, destination.protocol, request)
    if destination.protocol in ("query", "ec2"):
        operation, params = _parse_query(request, destination)
    else:
        model = service_model(destination.service)
        operation = jsonbody.read_operation(request, model.metadata["targetPrefix"])
        known = find_operation(destination.service, operation)
        if known is None:
            raise Fault("UnknownOperationException", f"The operation {operation} is not known.", 400)
        params = jsonbody.parse_members(request, known.input_shape)
    return ApiCall(destination.service, operation, params, destination.region, destination.protocol, request)


def _spoken(service: str, request: HttpRequest) -> str:
    """Give the protocol that the client speaks, of those that the service does."""
    if PROTOCOLS[service] == "json" or service in QUERY_COMPATIBLE:
        if jsonbody.is_cbor(request):
            return "cbor"
        if "x-amz-target" in request.headers:
            return "json"
    return PROTOCOLS[service]


def _parse_query(request: HttpRequest, destination: Destination) -> tuple[str, dict[str, Any]]:
    form = query.read_form(request)
    name = form.get("Action", "")
    operation = find_operation(destination.service, name)
    if operation is None:
        message = f"Could not find operation {name} for version {form.get('Version', '')}"
        raise Fault("InvalidAction", message, 400)
    is_ec2 = destination.protocol == "ec2"
    return name, query.parse_members(form, operation.input_shape, is_ec2=is_ec2)


def _parse_s3(request: HttpRequest, destination: Destination) -> ApiCall:
    fields = rest.read_query(request.raw_query)
    hoisted = [(name, value) for name, value in fields.items() if _HOISTED.match(name)]
    if hoisted:
        headers = Headers([*request.headers.items(), *((n, v) for n, v in hoisted if n not in request.headers)])
        request = replace(request, headers=headers)
    bucket, key = rest.split_path(request.raw_path, virtual_bucket(request.headers.get("host", "")))
    if (key and not bucket) or "/" in bucket:
        raise Fault("InvalidBucketName", "The specified bucket is not valid.", 400, extra=(("BucketName", bucket),))
    if "\0" in key or len(key.encode()) > 1024:
        raise Fault("KeyTooLongError", "Your key is too long", 400, extra=(("MaxSizeAllowed", "1024"),))
    route = rest.find_route(request.method, bucket, key, fields, request.headers)
    params = rest.parse_members(route, request, bucket, key, fields)
    return ApiCall("s3", route.operation.name, params, destination.region, destination.protocol, request)


def virtual_bucket(host: str) -> str:
    """Give the bucket in a host name such as `photos.s3.eu-west-1.amazonaws.com` or `photos.localhost:4566`, or ""."""
    name = _PORT.sub("", host).lower()
    for pattern in _VIRTUAL_HOSTS:
        match = pattern.match(name)
        if match:
            return match["bucket"] if match["bucket"] != "s3" else ""
    return ""


def _is_unsigned_sts(request: HttpRequest) -> bool:
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if request.method != "POST" or request.raw_path != "/" or not is_form:
        return False
    return query.read_form(request).get("Action", "") in _UNSIGNED_STS
