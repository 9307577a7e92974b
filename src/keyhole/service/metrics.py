"""What Prometheus reads: requests, uploads and failures in numbers. No caller and no key is ever a label.

Prometheus documentation, "Metric and label naming". With several workers each writes its numbers to files of its own,
and any of them adds up all (Prometheus Python client, "Multiprocess Mode").
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.exceptions import HTTPException
from starlette.responses import Response

from keyhole import __version__
from keyhole.service.images.checked import Checked, Checker, Expect, ImageRule
from keyhole.service.operation import Network, is_within

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
_DURATIONS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,63}\Z")
UPLOADING = frozenset(
    {
        ("POST", "/v1/uploads"),
        ("POST", "/v1/signed-uploads/{id}/complete"),
        ("POST", "/v1/s3/multipart/{uploadId}/complete"),
    }
)


class Metrics:
    """The numbers of one process; with several workers those of all come out of any."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        of: dict[str, Any] = {"namespace": "keyhole", "registry": self.registry}
        self._requests = Counter("http_requests", "Requests answered.", ("route", "method", "status"), **of)
        self._durations = Histogram(
            "http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ("route", "method"),
            buckets=_DURATIONS_S,
            **of,
        )
        self._received = Counter("received_bytes", "Bytes of requests' bodies.", **of)
        self._uploads = Counter("uploads", "Uploads accepted, and refused by reason.", ("outcome",), **of)
        self._store_errors = Counter("store_errors", "Answers of the store that ended a request.", ("code",), **of)
        self.in_flight = Gauge("requests_in_flight", "Requests being answered.", multiprocess_mode="livesum", **of)
        self.checks_running = Gauge("checks_running", "Images being checked.", multiprocess_mode="livesum", **of)
        self._build = Gauge("build", "1, of the version that runs.", ("version",), multiprocess_mode="max", **of)
        self._build.labels(__version__).set(1)
        self._kept: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def count_request(self, route: str, method: str, status: int, seconds: float, received_bytes: int) -> None:
        """Count an answered request. `route` is the template of its address, "" for none."""
        place = (route, method, status)
        found = self._kept.get(place)
        if found is None:
            shown = route or "other"
            verb = method if method in _METHODS else "other"
            found = self._requests.labels(shown, verb, str(status)), self._durations.labels(shown, verb)
            if verb != "other":  # whoever makes up methods must not make numbers
                self._kept[place] = found
        requests, durations = found
        requests.inc()
        durations.observe(seconds)
        if received_bytes:
            self._received.inc(received_bytes)

    def count_outcome(self, route: str, method: str, status: int, problem: str) -> None:
        """Count an upload that was accepted, or refused for this problem; other requests are none."""
        if (method, route) not in UPLOADING:
            return
        if 200 <= status < 300:
            self._uploads.labels("accepted").inc()
        elif problem or status >= 400:
            self._uploads.labels(problem or f"http-{status}").inc()

    def count_store_error(self, code: str) -> None:
        """Count an error of the store, by the store's code for it."""
        self._store_errors.labels(code if _CODE.match(code) else "other").inc()

    def render(self) -> bytes:
        """Give all numbers in Prometheus's text format."""
        if MULTIPROCESS not in os.environ:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class CountedChecker:
    """Looks at files as `checker` does, and lets the metrics know how many at a time."""

    def __init__(self, checker: Checker, metrics: Metrics) -> None:
        self._checker = checker
        self._metrics = metrics

    async def check(self, path: Path, rule: ImageRule, *, sha256: str = "", expect: Expect | None = None) -> Checked:
        """Give what the file is. Raises: Refused, Unavailable."""
        with self._metrics.checks_running.track_inprogress():
            return await self._checker.check(path, rule, sha256=sha256, expect=expect)


def forget_process(pid: int, folder: str) -> None:
    """Take what a process was doing when it ended out of the numbers; what it had done stays in them."""
    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


def make_metrics_router(metrics: Metrics, networks: tuple[Network, ...]) -> APIRouter:
    """Give `/metrics`, for those whose address is known and within these networks; for others there is nothing."""
    router = APIRouter()

    @router.get("/metrics", include_in_schema=False)
    def read_metrics(request: Request) -> Response:
        origin = request.state.origin
        if not origin.is_certain or not is_within(origin.address, networks):
            raise HTTPException(404)
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return router
