"""What the service logs: a line for each request and each event, for people or for machines, and no secret in either.

Queries, headers and bodies are never logged: tokens, signatures and names of files are in them.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from keyhole.service.operation import LogFormat

LOGGERS = ("keyhole.service", "uvicorn")
_LONGEST = 300
# What needs no encoding, which is nearly everything.
_PLAIN = re.compile(r"[A-Za-z0-9/._~@:+|-]*\Z")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """What is logged of one request; as a text it is a line for people."""

    method: str
    path: str
    route: str
    status: int
    ms: float
    received_bytes: int
    request_id: str
    caller: str
    problem: str

    def __str__(self) -> str:
        end = f" {_encode(self.problem)}" if self.problem else ""
        return (
            f"{_encode(self.method)[:20]} {_encode(self.path)[:_LONGEST]} {self.status} {self.ms:.0f} ms "
            f"{self.received_bytes} B {_encode(self.caller) or '-'} {self.request_id}{end}"
        )

    def as_fields(self) -> dict[str, object]:
        """Give it for machines."""
        return {
            "request_id": self.request_id,
            "caller": self.caller,
            "method": self.method[:20],
            "route": self.route,
            "path": _encode(self.path)[:_LONGEST],
            "status": self.status,
            "ms": round(self.ms, 1),
            "bytes": self.received_bytes,
            **({"problem": self.problem} if self.problem else {}),
        }


def log_request(log: logging.Logger, level: int, line: RequestLine) -> None:
    """Log one request. Where in the program that is says nothing, and is not looked for."""
    if log.isEnabledFor(level):
        log.handle(logging.LogRecord(log.name, level, "", 0, line, None, None))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if isinstance(record.msg, RequestLine):
            line["message"] = "request"
            line.update(record.msg.as_fields())
        else:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def make_formatter(log_format: LogFormat) -> logging.Formatter:
    """Give what makes lines of this format."""
    if log_format == "json":
        return JsonFormatter()
    return logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S")


def log_to_stderr(log_format: LogFormat = "text") -> None:
    """Write the service's lines to stderr, unless the program that runs it has arranged otherwise."""
    for name in LOGGERS:
        log = logging.getLogger(name)
        if log.hasHandlers():
            continue
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(make_formatter(log_format))
        log.addHandler(handler)
        log.propagate = False
    # No line tells them, and finding them out takes longer than all the rest.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = logging.logAsyncioTasks = False  # type: ignore[attr-defined]
    logging.getLogger("keyhole.service").setLevel(logging.INFO)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # broken forms are the client's, and answered


def _encode(text: str) -> str:
    """Give the text so that no request can write a line, or a word, of its own."""
    return text if _PLAIN.match(text) else quote(text, safe="/@:._~-+|")
