"""The ECS tasks that run on this machine: each has its task role's credentials and its own address at the agent.

A task that was started here runs nothing: it is what a program needs that shall run as the task's container.
AWS: ECS Developer Guide, "Amazon ECS task IAM role" and "Amazon ECS task execution IAM role".
"""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from keyhole.local.backend import Backend, EcsTask, Role
from keyhole.local.role_trust import role_by_arn
from keyhole.local.service_credentials import Assumer, ServiceCredentials, may_assume
from keyhole.local.sessions import Session, SessionStore

SERVICE = "ecs-tasks.amazonaws.com"
_CLUSTER = "default"


class TaskRefused(Exception):  # noqa: N818  # ECS says no; nothing went wrong here
    """ECS does not start such a task; the text says why, in AWS's words where there are any."""


@dataclass(frozen=True, slots=True)
class Task:
    """A running task as its agent knows it; one without a task role has no credentials at all.

    One that `is_ecs_own` was started by RunTask and ends with StopTask. `credentials_id` is what its container knows of
    the agent's address, `token` what the full URI asks for besides.
    """

    running: EcsTask
    is_ecs_own: bool
    credentials: ServiceCredentials = field(repr=False)
    credentials_id: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def task_id(self) -> str:
        """The task's id, which is the last part of its ARN."""
        return self.running.task_id

    @property
    def arn(self) -> str:
        """The task's ARN."""
        return self.running.arn

    @property
    def task_role_arn(self) -> str:
        """The role whose credentials it is given, "" for none."""
        return self.running.task_role_arn

    @property
    def cluster_arn(self) -> str:
        """The ARN of its cluster."""
        return f"arn:aws:ecs:{self.running.region}:{self.running.account}:cluster/{self.running.cluster}"

    @property
    def relative_uri(self) -> str:
        """What AWS_CONTAINER_CREDENTIALS_RELATIVE_URI would be in its container."""
        return f"/v2/credentials/{self.credentials_id}"

    @property
    def assumer(self) -> Assumer:
        """ECS as it assumes the task's roles: with the task's id as the session's name."""
        return _assumer(self.running.account, self.running.region, self.task_id)


class EcsTasks:
    """The tasks that were started and not stopped; thread-safe."""

    def __init__(self, backend: Backend, sessions: SessionStore) -> None:
        self._backend = backend
        self._sessions = sessions
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}

    def start(self, account: str, region: str, *, task_role_arn: str = "", execution_role_arn: str = "") -> Task:
        """Start a task that nobody has asked ECS for. Raises: TaskRefused."""
        task_id = secrets.token_hex(16)
        arn = f"arn:aws:ecs:{region}:{account}:task/{_CLUSTER}/{task_id}"
        running = EcsTask(task_id, arn, account, region, _CLUSTER, task_role_arn, execution_role_arn)
        return self._begin(running, is_ecs_own=False)

    def attend(self, task_arn: str) -> Task:
        """Give the agent's side of a task that RunTask has started; it is the same each time. Raises: TaskRefused."""
        running = self._backend.find_task(task_arn)
        if running is None:
            raise TaskRefused(f"there is no running task {task_arn}")
        return self.find(running.task_id) or self._begin(running, is_ecs_own=True)

    def _begin(self, running: EcsTask, *, is_ecs_own: bool) -> Task:
        assumer = _assumer(running.account, running.region, running.task_id)
        for arn in filter(None, (running.task_role_arn, running.execution_role_arn)):
            self._check_role(arn, running.account, assumer)
        task = Task(
            running=running,
            is_ecs_own=is_ecs_own,
            credentials=ServiceCredentials(self._sessions),
            credentials_id=str(uuid.uuid4()),
            token=secrets.token_urlsafe(32),
        )
        with self._lock:
            return self._tasks.setdefault(running.task_id, task)

    def stop(self, task_id: str) -> bool:
        """Forget the task; its credentials live until their end, as on AWS. Hold iff it ran."""
        with self._lock:
            return self._tasks.pop(task_id, None) is not None

    def stop_all(self) -> None:
        """Forget every task."""
        with self._lock:
            self._tasks.clear()

    def find(self, task_id: str) -> Task | None:
        """Give the task of that id, None where it has ended."""
        with self._lock:
            task = self._tasks.get(task_id)
        return task if task and self._is_running(task) else None

    def find_by_credentials(self, credentials_id: str) -> Task | None:
        """Give the task whose container was told this id, None where it has ended."""
        with self._lock:
            task = next((task for task in self._tasks.values() if task.credentials_id == credentials_id), None)
        return task if task and self._is_running(task) else None

    def _is_running(self, task: Task) -> bool:
        return not task.is_ecs_own or self._backend.find_task(task.arn) is not None

    def credentials_of(self, task: Task) -> Session | None:
        """Give the task role's session to use now; None where ECS may not assume the role any more.

        It is never the execution role's: that is for ECS itself, to fetch images and secrets before a task begins.
        """
        role = role_by_arn(task.task_role_arn, self._backend)
        return task.credentials.provide(role, task.assumer) if role else None

    def _check_role(self, arn: str, account: str, assumer: Assumer) -> None:
        role: Role | None = role_by_arn(arn, self._backend)
        if role is None or role.account != account or not may_assume(assumer, role, self._sessions.clock()):
            raise TaskRefused(cannot_assume(arn))


def cannot_assume(role_arn: str) -> str:
    """Give the sentence by which ECS says that it may not assume a role."""
    return (
        f"ECS was unable to assume the role '{role_arn}' that was provided for this task. Please verify that the role "
        "being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass "
        "this role."
    )


def _assumer(account: str, region: str, task_id: str) -> Assumer:
    return Assumer(SERVICE, region, task_id, _source(account, region))


def _source(account: str, region: str) -> Mapping[str, str]:
    """Give the condition keys that keep other accounts' tasks out of a role.

    AWS: ECS Developer Guide, "Amazon ECS task IAM role": aws:SourceArn names no cluster or task; only patterns that
    end in `:*` after the account are supported, so only such ones match here.
    """
    return {"aws:SourceAccount": account, "aws:SourceArn": f"arn:aws:ecs:{region}:{account}:*"}
