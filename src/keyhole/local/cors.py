"""Cross-origin requests from browsers, answered from the bucket's own CORS rules and nothing else.

AWS: S3 User Guide, "Using cross-origin resource sharing (CORS)": the first rule that matches decides.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from keyhole.local.backend import Bucket, CorsRule
from keyhole.local.call import Fault, HttpRequest, Response

_METHODS = frozenset({"GET", "PUT", "HEAD", "POST", "DELETE"})
_VARY = ("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")


def answer_preflight(request: HttpRequest, bucket: Bucket | None, key: str) -> Response:
    """Answer a preflight for a key, "" the bucket itself. Raises: Fault (AccessForbidden) where no rule allows it."""
    origin = request.headers.get("origin", "")
    method = request.headers.get("access-control-request-method", "")
    if not origin:
        raise Fault("BadRequest", "Insufficient information. Origin request header needed.", 400)
    if method not in _METHODS:
        raise Fault("BadRequest", f"Invalid Access-Control-Request-Method: {method or 'null'}", 400)
    asked = request.headers.get("access-control-request-headers", "")
    headers = tuple(part.strip().lower() for part in asked.split(",") if part.strip())
    extra = (("Method", method), ("ResourceType", "OBJECT" if key else "BUCKET"))
    if bucket is None:
        raise Fault("AccessForbidden", "CORSResponse: Bucket not found", 403, extra=extra)
    if not bucket.cors:
        raise Fault("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.", 403, extra=extra)
    rule = _find_rule(bucket.cors, origin, method, headers)
    if rule is None:
        message = "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "
        message += "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not "
        raise Fault("AccessForbidden", f"{message}whitelisted by the resource's CORS spec.", 403, extra=extra)
    allowed_headers = (("Access-Control-Allow-Headers", ", ".join(headers)),) if headers else ()
    return Response(200, (*_allow(rule, origin), *allowed_headers, _VARY))


def cors_headers(request: HttpRequest, bucket: Bucket | None) -> tuple[tuple[str, str], ...]:
    """Give the headers that let the page of the request's origin read the answer; none where no rule matches."""
    origin = request.headers.get("origin", "")
    if not origin or bucket is None or not bucket.cors:
        return ()
    rule = _find_rule(bucket.cors, origin, request.method, ())
    return (*_allow(rule, origin), _VARY) if rule else ()


def _find_rule(rules: tuple[CorsRule, ...], origin: str, method: str, headers: tuple[str, ...]) -> CorsRule | None:
    for rule in rules:
        patterns = tuple(pattern.lower() for pattern in rule.headers)
        if (
            method in rule.methods
            and any(_matches(pattern, origin) for pattern in rule.origins)
            and all(any(_matches(pattern, name) for pattern in patterns) for name in headers)
        ):
            return rule
    return None


def _matches(pattern: str, text: str) -> bool:
    # One `*` is all that AWS knows: the other signs of fnmatch are letters here.
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def _allow(rule: CorsRule, origin: str) -> tuple[tuple[str, str], ...]:
    is_any = "*" in rule.origins
    found = [("Access-Control-Allow-Origin", "*" if is_any else origin)]
    if not is_any:
        found.append(("Access-Control-Allow-Credentials", "true"))
    found.append(("Access-Control-Allow-Methods", ", ".join(rule.methods)))
    if rule.exposed_headers:
        found.append(("Access-Control-Expose-Headers", ", ".join(rule.exposed_headers)))
    if rule.max_age_s is not None:
        found.append(("Access-Control-Max-Age", str(rule.max_age_s)))
    return tuple(found)
