"""A running instance and its metadata service, asked without a socket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from memory_backend import Clock, MemoryBackend, attach, make_instance, make_role

from keyhole.local.backend import Role
from keyhole.local.imds import MetadataService
from keyhole.local.sessions import SessionStore

ROLE = "/latest/meta-data/iam/security-credentials/web"
TTL = "HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS"
TOKEN = "HTTP_X_AWS_EC2_METADATA_TOKEN"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str


class Bench:
    """A running instance with the profile of role `web`, and its metadata service."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.backend = MemoryBackend()
        self.role = make_role()
        self.instance_id = self.backend.add_instance(make_instance(self.role)).instance_id
        self.sessions = SessionStore(self.clock)
        self.service = MetadataService(self.instance_id, self.backend, self.sessions)

    def ask(self, path: str, method: str = "GET", **environ: str) -> Reply:
        """Make a request as a WSGI server hands it over."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            started.append((status, headers))

        request = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": "169.254.169.254", **environ}
        body = b"".join(self.service(request, start_response))
        [(status, headers)] = started
        return Reply(int(status[:3]), dict(headers), body.decode())

    def token(self, ttl: str = "21600") -> str:
        reply = self.ask("/latest/api/token", "PUT", **{TTL: ttl})
        assert reply.status == 200
        return reply.text

    def credentials(self, path: str = ROLE) -> dict[str, Any]:
        reply = self.ask(path)
        assert reply.status == 200
        document: dict[str, Any] = json.loads(reply.text)
        return document

    def swap_role(self, role: Role | None) -> None:
        self.backend.instances[self.instance_id] = attach(self.backend.instances[self.instance_id], role)
