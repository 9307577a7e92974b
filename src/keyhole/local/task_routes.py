"""Tasks are started and stopped by `/_keyhole/tasks`: by who holds the token of this local AWS, and nobody else.

    POST /_keyhole/tasks         {"account", "region", "task_role_arn"?, "execution_role_arn"?}, or {"task_arn"} of a
                                 task that RunTask has started -> where its agent is
    DELETE /_keyhole/tasks/<id>

The agent listens on loopback from the first task on.
"""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from keyhole.local.admin import PREFIX, Route
from keyhole.local.backend import Backend
from keyhole.local.call import HttpRequest, Response
from keyhole.local.container_credentials import ContainerAgent
from keyhole.local.ecs_tasks import EcsTasks, Task, TaskRefused
from keyhole.local.loopback_listener import Listener, start_listener
from keyhole.local.sessions import SessionStore

_TASKS = re.compile(rf"^{PREFIX}tasks$")
_TASK = re.compile(rf"^{PREFIX}tasks/([0-9a-f-]{{32,36}})$")
_MEMBERS = {
    "account": re.compile(r"\d{12}", re.ASCII),
    "region": re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII),
    "task_role_arn": re.compile(r"(arn:aws:iam::\d{12}:role/\S{1,512})?", re.ASCII),
    "execution_role_arn": re.compile(r"(arn:aws:iam::\d{12}:role/\S{1,512})?", re.ASCII),
    "task_arn": re.compile(r"arn:aws:ecs:[a-z0-9-]{1,32}:\d{12}:task/[\w/-]{1,300}", re.ASCII),
}
_REQUIRED = ("account", "region")


class TaskRoutes:
    """Answers the requests for tasks, and keeps the agent's listener; thread-safe."""

    def __init__(self, backend: Backend, sessions: SessionStore) -> None:
        self.tasks = EcsTasks(backend, sessions)
        self._lock = threading.Lock()
        self._listener: Listener | None = None

    def routes(self) -> tuple[Route, ...]:
        """Give the routes for the admin, each of which asks for the token."""
        return Route("POST", _TASKS, self._start), Route("DELETE", _TASK, self._stop)

    def stop(self) -> None:
        """Forget every task and end the agent; a task that is started afterwards begins a new one."""
        self.tasks.stop_all()
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()

    def _start(self, request: HttpRequest) -> Response:
        wanted = _read(request)
        if isinstance(wanted, str):
            return _json(400, {"error": wanted})
        try:
            task = self.tasks.attend(wanted["task_arn"]) if "task_arn" in wanted else self.tasks.start(**wanted)
        except TaskRefused as refused:
            return _json(409, {"error": str(refused)})
        return _json(201, _describe(task, self._agent_url()))

    def _stop(self, request: HttpRequest) -> Response:
        match = _TASK.match(request.raw_path)
        if match and self.tasks.stop(match[1]):
            return Response(204)
        return _json(404, {"error": "there is no such task"})

    def _agent_url(self) -> str:
        with self._lock:
            if self._listener is None:
                self._listener = start_listener(ContainerAgent(self.tasks), "ecs-agent")
            return self._listener.url


def _read(request: HttpRequest) -> dict[str, str] | str:
    """Give the members of the request's JSON, or what is wrong with it."""
    try:
        found = json.loads(request.body.read())
    except (ValueError, RecursionError):
        return "the body is not JSON"
    if not isinstance(found, dict):
        return "the body is not a JSON object"
    for name, value in found.items():
        if name not in _MEMBERS:
            return "the members are: " + ", ".join(f"`{member}`" for member in _MEMBERS)
        if not isinstance(value, str) or not _MEMBERS[name].fullmatch(value):
            return f"`{name}` is not in the form that it has on AWS"
    if "task_arn" in found:
        return found if len(found) == 1 else "`task_arn` says everything: nothing goes with it"
    missing = [name for name in _REQUIRED if name not in found]
    return f"`{missing[0]}` is missing" if missing else found


def _describe(task: Task, base: str) -> dict[str, Any]:
    """Give what the task's container would find in its environment, and the agent's own address."""
    document: dict[str, Any] = {
        "task_id": task.task_id,
        "task_arn": task.arn,
        "base": base,
        "metadata_uri": f"{base}/v4/{task.task_id}",
    }
    if task.task_role_arn:
        # Without a task role ECS tells a container of no credentials.
        document |= {
            "relative_uri": task.relative_uri,
            "full_uri": f"{base}/v1/credentials/{task.task_id}",
            "token": task.token,
        }
    return document


def _json(status: int, document: dict[str, Any]) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(document).encode())
