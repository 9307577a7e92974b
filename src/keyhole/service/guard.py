"""What holds for every request: an id, one log line, known hosts, no cross-site writes, safe headers, no traceback."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyhole.service.log_lines import RequestLine, log_request
from keyhole.service.operation import read_networks
from keyhole.service.problems import RETRY_AFTER_S, Problem, render_problem
from keyhole.service.proxies import find_origin
from keyhole.service.runtime import Runtime
from keyhole.service.settings import Settings

log = logging.getLogger("keyhole.service")

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Balancers ask for these by address, at any time, and often.
_QUIET_PATHS = frozenset({"/healthz", "/readyz"})
_UNREMARKABLE = _QUIET_PATHS | {"/metrics"}


class Guard:
    """The outermost layer of the service.

    Routes may leave in the request's state: `caller`; `problem`, its kind; `store_error`, the store's code.
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str], runtime: Runtime) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._runtime = runtime
        self._proxies = read_networks(runtime.operation.proxies, "--proxy")
        self._hosts = frozenset(host.lower() for host in runtime.operation.hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = find_origin(scope, self._proxies)
        state = scope.setdefault("state", {})
        state["origin"] = origin
        state["request_id"] = origin.request_id
        began = time.perf_counter()
        status, received_bytes = 0, 0

        async def receive_counted() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            return message

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._complete(message.get("headers", ()), origin.request_id)
            await send(message)

        self._runtime.in_flight += 1
        self._runtime.metrics.in_flight.inc()
        try:
            problem = self._find_problem(scope)
            if problem is not None:
                state["problem"] = problem.kind
            app = self._app if problem is None else render_problem(problem, origin.request_id)
            await app(scope, receive_counted, send_guarded)
        except ClientDisconnect:
            status = status or 499
        except Exception:
            log.exception("request %s failed", origin.request_id)
            if status:
                raise  # the answer has begun: all that is left is to cut the connection
            hint = f"the log of the service says more under {origin.request_id}"
            failure = Problem(500, "internal", "the service failed", hint=hint, headers={"Connection": "close"})
            await render_problem(failure, origin.request_id)(scope, receive, send_guarded)
        finally:
            self._runtime.in_flight -= 1
            self._runtime.metrics.in_flight.dec()
            self._tell(scope, status, time.perf_counter() - began, received_bytes)

    def _find_problem(self, scope: Scope) -> Problem | None:
        """Give the refusal of what no route needs to see, or None."""
        path = scope["path"]
        if path in _QUIET_PATHS:
            return _draining() if path == "/readyz" and self._runtime.is_draining else None
        if self._runtime.in_flight > self._runtime.operation.max_in_flight:
            return _busy()
        headers = Headers(scope=scope)
        return find_foreign_host(headers, self._hosts) or find_cross_site(scope["method"], headers)

    def _complete(self, given: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
        """Give the headers with those that every response has, unless it has set its own."""
        headers = [pair for pair in given if pair[0] != b"x-request-id"]
        names = {name for name, _ in headers}
        headers += [pair for pair in self._headers if pair[0] not in names]
        headers.append((b"x-request-id", request_id.encode()))
        return headers

    def _tell(self, scope: Scope, status: int, seconds: float, received_bytes: int) -> None:
        """Log the request and count it."""
        state, method, path = scope["state"], scope["method"], scope["path"]
        route = str(getattr(scope.get("route"), "path", ""))
        problem = state.get("problem", "")
        metrics = self._runtime.metrics
        metrics.count_request(route, method, status, seconds, received_bytes)
        metrics.count_outcome(route, method, status, problem)
        if "store_error" in state:
            metrics.count_store_error(state["store_error"])
        caller = state.get("caller")
        line = RequestLine(
            method=method,
            path=path,
            route=route,
            status=status,
            ms=seconds * 1000,
            received_bytes=received_bytes,
            request_id=state["request_id"],
            caller=caller.name if caller is not None else "",
            problem=problem,
        )
        log_request(log, logging.DEBUG if path in _UNREMARKABLE and status < 400 else logging.INFO, line)


def find_foreign_host(headers: Headers, hosts: frozenset[str]) -> Problem | None:
    """Give the refusal of a request for a host that is not served here, or None; no hosts are any.

    A website can let its own name lead to this machine, and its pages then read what listens here for the machine
    alone. Their requests still say whom they are for.
    """
    if not hosts or _bare_host(headers.get("host", "")) in hosts:
        return None
    return Problem(
        421,
        "unknown-host",
        "the request is for a host that is not served here",
        hint="who runs the service names its hosts: `keyhole serve --allow-host …`",
        headers={"Connection": "close"},
    )


def _bare_host(host: str) -> str:
    """Give the host without its port, in lower case; IPv6 addresses keep their brackets."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


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


def _busy() -> Problem:
    return Problem(
        503,
        "busy",
        "the service is answering as many requests as it may",
        hint="try again in a moment",
        headers={"Retry-After": "1", "Connection": "close"},
    )


def _draining() -> Problem:
    return Problem(
        503,
        "draining",
        "the service is about to end",
        hint="send requests to another one",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def make_headers(uploads: Iterable[Settings]) -> dict[str, str]:
    """Give the headers of every response, unless it sets its own.

    W3C, "Content Security Policy Level 3": https://www.w3.org/TR/CSP3/
    """
    stores = {settings.name: settings for settings in uploads}.values()
    images = _join(origin for settings in stores for origin in settings.image_origins)
    # Browsers send to the store themselves only where an upload wants it.
    sends = _join(origin for settings in stores if settings.signed_uploads for origin in settings.image_origins)
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' blob: {images}",
        f"connect-src 'self' {sends}".rstrip(),
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
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }


def _join(origins: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(origins))
