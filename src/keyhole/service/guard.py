"""What holds for every request: an id, one log line, no cross-site writes, safe headers, never a traceback."""

from __future__ import annotations

import logging
import secrets
import time
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyhole.service.problems import Problem, render_problem
from keyhole.service.settings import Settings

log = logging.getLogger("keyhole.service")

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_QUIET_PATHS = frozenset({"/healthz", "/readyz"})


class Guard:
    """The outermost layer of the service."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._headers = make_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        began = time.perf_counter()
        status = 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            problem = find_cross_site(scope["method"], Headers(scope=scope))
            app = self._app if problem is None else render_problem(problem)
            await app(scope, receive, send_guarded)
        except ClientDisconnect:
            status = status or 499
        except Exception:
            log.exception("request %s failed", request_id)
            if status:
                raise  # the answer has begun: all that is left is to cut the connection
            hint = f"the log of the service says more under {request_id}"
            failure = Problem(500, "internal", "the service failed", hint=hint, headers={"Connection": "close"})
            await render_problem(failure)(scope, receive, send_guarded)
        finally:
            level = logging.DEBUG if scope["path"] in _QUIET_PATHS and status < 400 else logging.INFO
            elapsed_ms = (time.perf_counter() - began) * 1000
            # Encoded again, so that no request can write a line of its own; the query may hold what is not for logs.
            path = quote(scope["path"])
            log.log(level, "%s %s %d %.0f ms %s", scope["method"], path, status, elapsed_ms, request_id)


def find_cross_site(method: str, headers: Headers) -> Problem | None:
    """Give the refusal of a write that another site makes in a visitor's browser, or None.

    Browsers say where a request comes from (Fetch Metadata: https://www.w3.org/TR/fetch-metadata/), older ones by
    Origin alone. Programs send neither, and carry no visitor's standing.
    """
    if method in _SAFE_METHODS:
        return None
    site = headers.get("sec-fetch-site")
    if site is not None:
        is_own = site in {"same-origin", "none"}
    else:
        origin = headers.get("origin")
        is_own = origin is None or urlsplit(origin).netloc == headers.get("host", "")
    if is_own:
        return None
    return Problem(
        403,
        "cross-site",
        "the request was made by another website",
        hint="use the service's own page, or call it from a program",
        headers={"Connection": "close"},
    )


def make_headers(settings: Settings) -> dict[str, str]:
    """Give the headers of every response, unless it sets its own.

    W3C, "Content Security Policy Level 3": https://www.w3.org/TR/CSP3/
    """
    images = " ".join(settings.image_origins)
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' blob: {images}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }
