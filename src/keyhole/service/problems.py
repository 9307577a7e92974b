"""What a client is told when something is wrong: problem documents.

RFC 9457, "Problem Details for HTTP APIs": https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

from keyhole.errors import AwsError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

# AWS: Amazon S3 API Reference, "Error responses": what passes by itself.
_PASSING = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling"})
_HINTS = {
    "Unreachable": "nothing is lost: try again in a moment; who runs the service checks its network and endpoint",
    "AccessDenied": "the service's credentials may not do this: `keyhole verify` shows what they may do",
    "NoSuchBucket": "the bucket does not exist: `keyhole up` makes it",
    "NoCredentials": "the service has no AWS credentials: attach the workload's role, or set AWS_PROFILE",
    "ExpiredToken": "the service's credentials have expired: renew them",
    "InvalidAccessKeyId": "the store does not know the service's access key: check where it takes credentials from",
    "SignatureDoesNotMatch": "the secret does not belong to the access key: check where the service takes it from",
    "RequestTimeTooSkewed": "the clock of the service's machine is wrong: set it",
    "PermanentRedirect": "the bucket is in another region than the spec says",
}


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """A request that ends with a problem document. `kind` is stable for programs, `detail` is for people."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.hint = hint
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def render_problem(problem: Problem, request_id: str = "") -> JSONResponse:
    """Give the problem as a response; by the request's id who runs the service finds it in the log."""
    body: dict[str, str | int] = {
        "type": f"urn:keyhole:problem:{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.hint:
        body["hint"] = problem.hint
    if request_id:
        body["request_id"] = request_id
    return JSONResponse(
        body | problem.extra, status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


def store_problem(error: AwsError) -> Problem:
    """Say that the store failed, with AWS's code: 503 if trying again may help, else 502.

    AWS's own sentence stays in the log: it names accounts, roles and policies, which are not a visitor's business.
    """
    extra: dict[str, str | int] = {"aws_code": error.code, "operation": error.operation}
    if error.request_id:
        extra["aws_request_id"] = error.request_id
    hint = _HINTS.get(error.code, "the log of the service has the store's own words")
    passing = error.status == 0 or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _PASSING
    if passing:
        detail = "the image store cannot be reached now" if error.status == 0 else "the image store is busy now"
        return Problem(
            503,
            "store-unavailable",
            f"{detail} ({error.code})",
            hint=_HINTS.get(error.code, "nothing is lost: try again in a moment"),
            headers={"Retry-After": str(RETRY_AFTER_S)},
            extra=extra,
        )
    return Problem(
        502, "store-refused", f"the image store refused {error.operation} ({error.code})", hint=hint, extra=extra
    )
