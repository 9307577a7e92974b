"""What the local AWS says about itself under `/_keyhole/`: to programs on this machine, not to pages in a browser.

A page can make its own host name resolve to 127.0.0.1, so the Host header must name this machine.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from keyhole.local.call import HttpRequest, Response
from keyhole.local.mode import Mode
from keyhole.local.state import admin_token

PREFIX = "/_keyhole/"
_INSTANCE = re.compile(r"^/_keyhole/instances/(i-[0-9a-f]{8,17})$")
# How far away the client is: 1 on the instance, 2 in a container on it.
_HOPS = re.compile(r"(?:hops=([1-9]|[1-5]\d|6[0-4]))?")
_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


# Answers the requests under one path; `request.raw_path` is whole.
Handler = Callable[[HttpRequest], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A path under the prefix and who answers it. Where `needs_token`, only who can read the state file may ask."""

    method: str
    path: re.Pattern[str]
    handler: Handler
    needs_token: bool = True


def reset_route(reset: Callable[[], None]) -> Route:
    """Give the route by which the owner empties every account: `POST /_keyhole/reset`."""

    def answer(_request: HttpRequest) -> Response:
        reset()
        return Response(204)

    return Route("POST", re.compile(rf"^{PREFIX}reset\Z"), answer)


class Admin:
    """Answers `/_keyhole/status`, `/_keyhole/instances/<id>` and the routes that others bring."""

    def __init__(
        self,
        region: str,
        imds_endpoint: Callable[[str, int], str | None],
        master: bytes,
        mode: Mode = Mode.STRICT,
        routes: Sequence[Route] = (),
    ) -> None:
        self._region = region
        self._imds_endpoint = imds_endpoint
        self._token = admin_token(master)
        self._mode = mode
        self._routes = tuple(routes)
        self._started = time.monotonic()

    def answer(self, request: HttpRequest) -> Response:
        """Give the answer to a request under the prefix."""
        if not _is_from_here(request):
            return _json(403, {"error": "only for programs on this machine"})
        for route in self._routes:
            if route.method == request.method and route.path.match(request.raw_path):
                if route.needs_token and not self._has_token(request):
                    return _json(401, {"error": "the token of this local AWS is missing or wrong"})
                return route.handler(request)
        if request.method != "GET":
            return _json(405, {"error": "only GET"})
        if request.raw_path == f"{PREFIX}status":
            return _json(200, self._status())
        match = _INSTANCE.match(request.raw_path)
        hops = _HOPS.fullmatch(request.raw_query)
        endpoint = self._imds_endpoint(match[1], int(hops[1] or 1)) if match and hops else None
        if match and endpoint:
            return _json(200, {"instance_id": match[1], "imds_endpoint": endpoint})
        return _json(404, {"error": "there is nothing here"})

    def _has_token(self, request: HttpRequest) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    def _status(self) -> dict[str, object]:
        return {
            "keyhole": version("keyhole"),
            "pid": os.getpid(),
            "mode": self._mode.value,
            "region": self._region,
            "uptime_s": round(time.monotonic() - self._started, 3),
        }


def _is_from_here(request: HttpRequest) -> bool:
    host = re.sub(r":\d+$", "", request.headers.get("host", "")).lower()
    try:
        is_loopback = ipaddress.ip_address(request.source_ip).is_loopback
    except ValueError:
        return False
    # A picture or a link of a page has no Origin; browsers say of it whose page it is.
    is_of_page = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    return is_loopback and host in _HOSTS and "origin" not in request.headers and not is_of_page


def _json(status: int, document: dict[str, object]) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(document).encode())
