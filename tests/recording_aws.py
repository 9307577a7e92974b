"""An AWS port written by hand: it records calls, and answers or refuses as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from keyhole.aws import Aws
from keyhole.errors import AwsError


class RecordingAws:
    """Answers every call with {} unless `answers` has one for the operation; `refuse` may raise."""

    region = "eu-west-1"
    endpoint_url = ""

    def __init__(
        self, answers: dict[str, dict[str, Any]] | None = None, refuse: Callable[[str], AwsError | None] | None = None
    ) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers = answers or {}
        self._refuse = refuse or (lambda _operation: None)
        self._lock = threading.Lock()

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        with self._lock:
            self.calls.append((f"{service}:{operation}", params))
            error = self._refuse(operation)
        if error is not None:
            raise error
        return self._answers.get(operation, {})

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        yield from self.call(service, operation, **params).get(result_key, ())


class BreakingAws:
    """Passes calls on to another AWS, and breaks right after the n-th changing call: the crash of a process."""

    READS = ("Get", "List", "Describe", "Head")

    def __init__(self, below: Aws, break_after: int) -> None:
        self._below = below
        self._left = break_after
        self._lock = threading.Lock()
        self.changing_calls = 0

    @property
    def region(self) -> str:
        return self._below.region

    @property
    def endpoint_url(self) -> str:
        return self._below.endpoint_url

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        if operation.startswith(self.READS):
            return self._below.call(service, operation, **params)
        with self._lock:
            self.changing_calls += 1
            if self._left <= 0:
                raise refusal("Broken", "the process died here")
            self._left -= 1
            return self._below.call(service, operation, **params)

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        yield from self._below.pages(service, operation, result_key, **params)


def refusal(code: str, message: str = "no", operation: str = "Operation", status: int = 403) -> AwsError:
    """Give an error as AWS would send it."""
    return AwsError(message, code=code, operation=operation, request_id="REQ1", status=status)
