"""GitHub's side of a job under `/_keyhole/github/`: discovery and keys, jobs for the owner, tokens for the jobs.

GitHub Docs, "OpenID Connect reference" and "Using OpenID Connect with reusable workflows": a step asks
ACTIONS_ID_TOKEN_REQUEST_URL, with `&audience=…` after it, by the bearer token ACTIONS_ID_TOKEN_REQUEST_TOKEN.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from keyhole.local.admin import PREFIX, Route
from keyhole.local.call import Fault, HttpRequest, Response
from keyhole.local.github_claims import ISSUER, JobError, WorkflowJob, read_job
from keyhole.local.github_issuer import GithubIssuer

_ROOT = f"{PREFIX}github"
_MAX_JOB_BYTES = 64 * 1024
_MAX_AUDIENCE = 1024
_TOKEN = re.compile(rf"{_ROOT}/idtoken/(?P<job>[0-9a-f]{{32}})\Z")


class GithubRoutes:
    """The routes of an issuer; `base_url` gives where this local AWS listens."""

    def __init__(self, issuer: GithubIssuer, base_url: Callable[[], str]) -> None:
        self._issuer = issuer
        self._base_url = base_url

    def routes(self) -> tuple[Route, ...]:
        """Give the routes, for the admin to answer."""
        return (
            Route("GET", _path("/.well-known/openid-configuration"), self._configure, needs_token=False),
            Route("GET", _path("/.well-known/jwks"), self._show_keys, needs_token=False),
            Route("POST", _path("/jobs"), self._start_job),
            # Whoever has the job's own token may ask; it is checked in the handler.
            Route("GET", _TOKEN, self._issue, needs_token=False),
        )

    def _configure(self, _request: HttpRequest) -> Response:
        supported = ("aud", "exp", "iat", "iss", "jti", "nbf", *WorkflowJob("o/r", environment="e").claims())
        document = {
            "issuer": ISSUER,
            "jwks_uri": f"{self._base_url()}{_ROOT}/.well-known/jwks",
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "claims_supported": sorted(supported),
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }
        return _json(200, document)

    def _show_keys(self, _request: HttpRequest) -> Response:
        return _json(200, {"keys": list(self._issuer.public_keys())})

    def _start_job(self, request: HttpRequest) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or len(length) > 9 or int(length) > _MAX_JOB_BYTES:
            return _json(413, {"error": f"a job is a JSON object of at most {_MAX_JOB_BYTES} bytes"})
        try:
            document = json.loads(request.body.read())
            if not isinstance(document, dict):
                raise JobError("a job is a JSON object")
            job = read_job(document)
        except JobError as error:
            return _json(400, {"error": str(error)})
        except (Fault, ValueError, RecursionError):
            return _json(400, {"error": "a job is a JSON object"})
        granted = self._issuer.start_job(job)
        answer = {
            "request_url": f"{self._base_url()}{_ROOT}/idtoken/{granted.job_id}?api-version=2.0",
            "request_token": granted.request_token,
            "expires_at": f"{granted.ends_at:%Y-%m-%dT%H:%M:%SZ}",
            "claims": job.claims(),
        }
        return _json(201, answer)

    def _issue(self, request: HttpRequest) -> Response:
        found = _TOKEN.match(request.raw_path)
        scheme, _, request_token = request.headers.get("authorization", "").partition(" ")
        if found is None or scheme.lower() != "bearer":
            return _json(401, {"error": "the job's request token is missing"})
        try:
            audiences = parse_qs(request.raw_query, max_num_fields=16).get("audience", [""])
        except ValueError:
            audiences = []
        if len(audiences) != 1 or len(audiences[0]) > _MAX_AUDIENCE:
            return _json(400, {"error": "`audience` is given once, and is not long"})
        value = self._issuer.issue(found["job"], request_token.strip(), audiences[0])
        if value is None:
            return _json(401, {"error": "the job has ended, or the request token is not its own"})
        return _json(200, {"count": len(value), "value": value})


def _path(path: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(_ROOT + path)}\Z")


def _json(status: int, document: Mapping[str, object]) -> Response:
    # Tokens are for who asked, not for a cache in between.
    headers = (("Content-Type", "application/json; charset=utf-8"), ("Cache-Control", "no-store"))
    return Response(status, headers, json.dumps(document).encode())
