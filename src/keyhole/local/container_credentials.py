"""The container agent's endpoints, as a WSGI app: a task's credentials, and what its metadata say of it.

    /v2/credentials/<id>         by relative URI, as on ECS: whoever knows the id is the task's container
    /v1/credentials/<task id>    by full URI: the authorization token is asked for
    /v4/<task id>[/task]         task metadata, which are no secret

Neither ids, tokens nor credentials are logged.
AWS: ECS Developer Guide, "Amazon ECS task IAM role" and "Amazon ECS task metadata endpoint version 4"; AWS SDKs and
Tools Reference Guide, "Container credential provider".
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from keyhole.local.ecs_tasks import EcsTasks, Task, cannot_assume
from keyhole.local.loopback_listener import StartResponse, is_own_host
from keyhole.local.service_credentials import render_time

_OWN_ADDRESS = "169.254.170.2"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: HTTPStatus
    document: dict[str, Any]


class ContainerAgent:
    """The WSGI app that answers for all tasks; may be shared between threads."""

    def __init__(self, tasks: EcsTasks) -> None:
        self._tasks = tasks

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        answer = self._answer(environ)
        body = json.dumps(answer.document).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        return [body]

    def _answer(self, environ: dict[str, Any]) -> _Answer:
        if not is_own_host(environ.get("HTTP_HOST", ""), _OWN_ADDRESS):
            return _refusal(HTTPStatus.FORBIDDEN, "Forbidden", "this name is not the agent's")
        if environ["REQUEST_METHOD"] != "GET":
            return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", "only GET")
        match environ.get("PATH_INFO", "").split("/")[1:]:
            case ["v2", "credentials", found]:
                return self._by_id(found)
            case ["v1", "credentials", task_id]:
                return self._by_token(task_id, environ.get("HTTP_AUTHORIZATION"))
            case ["v4", found, *rest] if rest in ([], ["task"]):
                return self._metadata(found, is_task=bool(rest))
            case _:
                return _refusal(HTTPStatus.NOT_FOUND, "NotFound", "there is nothing here")

    def _by_id(self, credentials_id: str) -> _Answer:
        # The agent's own codes and sentences, also that it is 400 and not 404.
        if not credentials_id:
            return _refusal(HTTPStatus.BAD_REQUEST, "NoIdInRequest", "CredentialsV2Request: No ID in the request")
        task = self._tasks.find_by_credentials(credentials_id)
        if task is None:
            message = "CredentialsV2Request: Credentials not found"
            return _refusal(HTTPStatus.BAD_REQUEST, "InvalidIdInRequest", message)
        return self._credentials(task)

    def _by_token(self, task_id: str, token: str | None) -> _Answer:
        if token is None:
            return _refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized", "the authorization token is missing")
        task = self._tasks.find(task_id)
        # WSGI hands headers over as latin-1.
        if task is None or not hmac.compare_digest(token.encode("latin-1", "replace"), task.token.encode()):
            return _refusal(HTTPStatus.FORBIDDEN, "AccessDenied", "the authorization token is wrong")
        return self._credentials(task)

    def _credentials(self, task: Task) -> _Answer:
        session = self._tasks.credentials_of(task)
        if session is None:
            message = cannot_assume(task.task_role_arn) if task.task_role_arn else "the task has no task role"
            return _refusal(HTTPStatus.BAD_REQUEST, "NoCredentialsAssociated", message)
        return _Answer(
            HTTPStatus.OK,
            {
                "RoleArn": task.task_role_arn,
                "AccessKeyId": session.access_key_id,
                "SecretAccessKey": session.secret_access_key,
                "Token": session.session_token,
                "Expiration": render_time(session.expires_at),
            },
        )

    def _metadata(self, task_id: str, *, is_task: bool) -> _Answer:
        task = self._tasks.find(task_id)
        if task is None:
            return _refusal(HTTPStatus.NOT_FOUND, "NotFound", "there is nothing here")
        status = {"DesiredStatus": "RUNNING", "KnownStatus": "RUNNING"}
        if is_task:
            place = {"Cluster": task.cluster_arn, "TaskARN": task.arn}
            return _Answer(HTTPStatus.OK, {**place, **status, "Containers": [_container(task, status)]})
        return _Answer(HTTPStatus.OK, _container(task, status))


def _container(task: Task, status: dict[str, str]) -> dict[str, Any]:
    labels = {"com.amazonaws.ecs.cluster": task.cluster_arn, "com.amazonaws.ecs.task-arn": task.arn}
    return {"DockerId": f"{task.task_id}-0", "Name": "keyhole", "Labels": labels, **status, "Type": "NORMAL"}


def _refusal(status: HTTPStatus, code: str, message: str) -> _Answer:
    return _Answer(status, {"code": code, "message": message, "HTTPErrorCode": status.value})
