"""What the local AWS says about itself under `/_keyhole/`: to programs on this machine, not to pages in a browser.

A page can make its own host name resolve to 127.0.0.1, so the Host header must name this machine.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import time
from collections.abc import Callable
from importlib.metadata import version

from keyhole.local.call import HttpRequest, Response

PREFIX = "/_keyhole/"
_INSTANCE = re.compile(r"^/_keyhole/instances/(i-[0-9a-f]{8,17})$")
_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Admin:
    """Answers `/_keyhole/status` and `/_keyhole/instances/<id>`."""

    def __init__(self, region: str, imds_endpoint: Callable[[str], str | None]) -> None:
        self._region = region
        self._imds_endpoint = imds_endpoint
        self._started = time.monotonic()

    def answer(self, request: HttpRequest) -> Response:
        """Give the answer to a request under the prefix."""
        if not _is_from_here(request):
            return _json(403, {"error": "only for programs on this machine"})
        if request.method != "GET":
            return _json(405, {"error": "only GET"})
        if request.raw_path == f"{PREFIX}status":
            return _json(200, self._status())
        match = _INSTANCE.match(request.raw_path)
        endpoint = self._imds_endpoint(match[1]) if match else None
        if match and endpoint:
            return _json(200, {"instance_id": match[1], "imds_endpoint": endpoint})
        return _json(404, {"error": "there is nothing here"})

    def _status(self) -> dict[str, object]:
        return {
            "keyhole": version("keyhole"),
            "pid": os.getpid(),
            "mode": "strict",
            "region": self._region,
            "uptime_s": round(time.monotonic() - self._started, 3),
        }


def _is_from_here(request: HttpRequest) -> bool:
    host = re.sub(r":\d+$", "", request.headers.get("host", "")).lower()
    try:
        is_loopback = ipaddress.ip_address(request.source_ip).is_loopback
    except ValueError:
        return False
    return is_loopback and host in _HOSTS and "origin" not in request.headers


def _json(status: int, document: dict[str, object]) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(document).encode())
