"""Every call as an event, shaped like CloudTrail's, with what was asked of the policies and what they said.

AWS: CloudTrail User Guide, "CloudTrail record contents" and "userIdentity element". What is Keyhole's own is under the
key `keyhole`. Secrets are not in it: neither keys, tokens and signatures, nor the members that botocore's models mark.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from keyhole.iam.model import Decision, PrincipalKind
from keyhole.local.call import ApiCall, Caller, Fault, HttpRequest
from keyhole.local.inquiry import Asked
from keyhole.local.mode import Mode
from keyhole.local.service_models import find_operation

_VERSION = "1.11"
_MAX_BYTES = 64 * 1024 * 1024
_MAX_TEXT = 2048
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
# Members that models do not mark, though who knows them has something.
_SECRET_MEMBERS = frozenset(
    {
        *("SSECustomerKey", "CopySourceSSECustomerKey", "WebIdentityToken", "SAMLAssertion", "TokenCode", "Password"),
        *("SecretString", "SecretBinary", "SecretAccessKey", "SessionToken", "OldPassword", "NewPassword"),
    }
)
_TYPES = {
    PrincipalKind.ROOT: "Root",
    PrincipalKind.USER: "IAMUser",
    PrincipalKind.ROLE_SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.WEB_IDENTITY: "WebIdentityUser",
    PrincipalKind.SERVICE: "AWSService",
    PrincipalKind.ANONYMOUS: "AWSAccount",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One request and what became of it; `call` is None where it was none, `fault` where it went well."""

    at: datetime
    request: HttpRequest
    service: str
    region: str
    call: ApiCall | None
    caller: Caller
    trail: tuple[Asked, ...]
    request_id: str
    status: int
    fault: Fault | None
    mode: Mode


class EventLog:
    """The file that events go to, one JSON document a line; for its owner's eyes only, begun anew at 64 MiB.

    The earlier file is kept once, as `<name>.1`. A disk that is full ends the recording, not the calls.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        self._size = 0

    def open(self) -> None:
        """Begin an empty file. Raises: OSError."""
        with self._lock:
            self._begin()

    def close(self) -> None:
        """Stop recording; the file stays for who wants to read it."""
        with self._lock:
            if self._file:
                self._file.close()
            self._file = None

    def record(self, happened: Happened) -> None:
        """Write one event; flushed, so that a reader in another process sees it at once."""
        line = json.dumps(describe(happened), ensure_ascii=True, separators=(",", ":")) + "\n"
        with self._lock:
            if self._file is None:
                return
            try:
                if self._size + len(line) > _MAX_BYTES:
                    self._file.close()
                    self.path.replace(self.path.with_name(f"{self.path.name}.1"))
                    self._begin()
                self._file.write(line)
                self._file.flush()
                self._size += len(line)
            except OSError:
                self._file = None

    def _begin(self) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(handle, "w", encoding="utf-8")
        self._size = 0


def describe(happened: Happened) -> dict[str, Any]:
    """Give the event of a request."""
    call, fault = happened.call, happened.fault
    event: dict[str, Any] = {
        "eventVersion": _VERSION,
        "userIdentity": _identity(happened.caller),
        "eventTime": f"{happened.at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{_source(happened.service)}.amazonaws.com",
        "eventName": call.operation if call else "",
        "awsRegion": happened.region,
        "sourceIPAddress": happened.request.source_ip,
        "userAgent": happened.request.headers.get("user-agent", ""),
    }
    if fault:
        event |= {"errorCode": fault.code, "errorMessage": fault.message}
    event |= {
        "requestParameters": _parameters(call) if call else None,
        "responseElements": None,
        "requestID": happened.request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": bool(call) and _is_read_only(call.operation if call else ""),
        "resources": [{"ARN": arn} for arn in dict.fromkeys(asked.request.resource for asked in happened.trail)],
        "eventType": "AwsApiCall",
        "managementEvent": not any("/" in asked.request.resource for asked in happened.trail if _is_s3(asked)),
        "recipientAccountId": happened.caller.account,
    }
    decisions = [_decision(asked) for asked in happened.trail]
    event["keyhole"] = {"mode": happened.mode.value, "status": happened.status, "decisions": decisions}
    return event


def _identity(caller: Caller) -> dict[str, Any]:
    principal = caller.principal
    identity: dict[str, Any] = {"type": _TYPES[principal.kind]}
    if principal.kind is PrincipalKind.ANONYMOUS:
        return {**identity, "principalId": "ANONYMOUS_PRINCIPAL", "accountId": "anonymous"}
    identity |= {
        "principalId": caller.user_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": caller.access_key_id,
    }
    if caller.user_name:
        identity["userName"] = caller.user_name
    if session := caller.session:
        attributes = {"creationDate": f"{session.issued_at:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": "false"}
        identity["sessionContext"] = {"attributes": attributes}
        if principal.kind is PrincipalKind.ROLE_SESSION:
            identity["sessionContext"]["sessionIssuer"] = {
                "type": "Role",
                "principalId": session.role_id,
                "arn": principal.role_arn,
                "accountId": principal.account,
                "userName": principal.role_arn.rsplit("/", 1)[-1],
            }
    return identity


def _decision(asked: Asked) -> dict[str, Any]:
    request, decision = asked.request, asked.decision
    context = {key: list(value) if isinstance(value, tuple) else value for key, value in request.context.items()}
    return {
        "action": request.action,
        "resource": request.resource,
        "context": context,
        "allowed": decision is None or decision.is_allowed,
        "reason": asked.message or _reason(decision),
    }


def _reason(decision: Decision | None) -> str:
    return decision.reason if decision else "not asked"


def _parameters(call: ApiCall) -> Any:
    operation = find_operation(call.service, call.operation)
    shape = operation.input_shape if operation else None
    return _readable(dict(call.params), shape)


def _readable(value: Any, shape: Any) -> Any:
    """Give a value as JSON can hold it, long texts cut and secrets hidden."""
    if shape is not None and shape.metadata.get("sensitive"):
        return _HIDDEN
    if isinstance(value, Mapping):
        members = getattr(shape, "members", {})
        return {
            str(name): _HIDDEN if name in _SECRET_MEMBERS else _readable(item, members.get(name))
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        inner = getattr(shape, "member", None)
        return [_readable(item, inner) for item in value]
    if isinstance(value, str):
        return value if len(value) <= _MAX_TEXT else f"{value[:_MAX_TEXT]}…"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _source(service: str) -> str:
    return {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging", "s3control": "s3"}.get(service, service)


def _is_read_only(operation: str) -> bool:
    return operation.startswith(("Get", "List", "Describe", "Head", "Simulate"))


def _is_s3(asked: Asked) -> bool:
    return asked.request.action.startswith("s3:")
