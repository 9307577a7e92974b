"""An issuer of identity tokens like GitHub Actions': here it is the one of `token.actions.githubusercontent.com`.

Its key is made anew by every start, so its tokens are good for this local AWS alone.
GitHub Docs, "OpenID Connect" (understanding the OIDC token) and "OpenID Connect reference".
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from keyhole.local.github_claims import ISSUER, WorkflowJob
from keyhole.local.issuer_keys import Jwks
from keyhole.local.sessions import now

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

# As GitHub's: a token is short-lived, and valid from some time before, for clocks that are behind.
_TOKEN_LIFE = timedelta(minutes=5)
_TOKEN_BEFORE = timedelta(minutes=10)
# The longest that a job of GitHub's own runners lasts.
_JOB_LIFE = timedelta(hours=6)
_MAX_JOBS = 1000
_ALGORITHM = "RS256"


@dataclass(frozen=True, slots=True)
class _Running:
    job: WorkflowJob
    digest: bytes
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Granted:
    """A job that runs: its id, and the token that it asks for identity tokens with."""

    job_id: str
    request_token: str
    ends_at: datetime

    def __repr__(self) -> str:
        return f"Granted({self.job_id})"


class GithubIssuer:
    """Signs identity tokens of jobs for those who have the job's request token; thread-safe."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[str, _Running] = {}
        self._key: RSAKey | None = None

    def start_job(self, job: WorkflowJob) -> Granted:
        """Begin a job, which ends six hours later; the oldest of a thousand makes room."""
        job_id, request_token = secrets.token_hex(16), secrets.token_urlsafe(48)
        running = _Running(job, _digest(request_token), self._clock() + _JOB_LIFE)
        with self._lock:
            if len(self._jobs) >= _MAX_JOBS:
                del self._jobs[next(iter(self._jobs))]
            self._jobs[job_id] = running
        return Granted(job_id, request_token, running.ends_at)

    def issue(self, job_id: str, request_token: str, audience: str) -> str | None:
        """Give an identity token of the job; None where it does not run, or the request token is not its own.

        Without an audience it is GitHub's default, the URL of the repository's owner.
        """
        at = self._clock()
        with self._lock:
            running = self._jobs.get(job_id)
        digest = running.digest if running else b""
        is_right = hmac.compare_digest(digest, _digest(request_token))
        if running is None or not is_right or at >= running.ends_at:
            return None
        issued_at = int(at.timestamp())
        claims = {
            "jti": secrets.token_hex(16),
            **running.job.claims(),
            "aud": audience or f"https://github.com/{running.job.owner}",
            "iss": ISSUER,
            "nbf": issued_at - int(_TOKEN_BEFORE.total_seconds()),
            "exp": issued_at + int(_TOKEN_LIFE.total_seconds()),
            "iat": issued_at,
        }
        from joserfc import jwt

        key = self._private_key()
        return jwt.encode({"alg": _ALGORITHM, "typ": "JWT", "kid": key.kid}, claims, key)

    def public_keys(self) -> Jwks:
        """Give the keys that its signatures are verified with."""
        key = self._private_key()
        public = key.as_dict(private=False)
        return ({**public, "use": "sig", "alg": _ALGORITHM, "kid": key.kid},)

    def forget_all(self) -> None:
        """End every job."""
        with self._lock:
            self._jobs.clear()

    def _private_key(self) -> RSAKey:
        """Give the key, made when it is first needed: most starts never do."""
        # joserfc takes time and memory to import, too.
        from joserfc.jwk import RSAKey

        with self._lock:
            if self._key is None:
                self._key = RSAKey.generate_key(2048, auto_kid=True)
            return self._key


def _digest(request_token: str) -> bytes:
    return hashlib.sha256(request_token.encode("utf-8", "replace")).digest()
