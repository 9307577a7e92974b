"""Credentials that end: an SDK that does not refresh is refused, one that does goes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from gate_errors import refusal
from memory_backend import ACCOUNT, MemoryBackend, make_role

from keyhole.local.credentials import CredentialStore
from keyhole.local.gate import Gate
from keyhole.local.http_server import GateServer
from keyhole.local.sessions import Session, SessionStore, assumed_role_principal

SESSION_S = 1500


class Shifted:
    """The clock of everybody's, some time off: signatures are made by the real one, which may differ by 15 minutes."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)


@dataclass
class Bench:
    """A gate of its own, whose clock is moved by hand, with a role that another role's session may assume."""

    url: str
    clock: Shifted
    base: Session

    def client(self, service: str, **keys: Any) -> Any:
        config = Config(retries={"total_max_attempts": 1})
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", config=config, **keys)

    def assume(self) -> dict[str, str]:
        """Assume the role, in the form that botocore's refreshing takes."""
        base = self.base
        keys = {"aws_access_key_id": base.access_key_id, "aws_secret_access_key": base.secret_access_key}
        sts = self.client("sts", **keys, aws_session_token=base.session_token)
        role = f"arn:aws:iam::{ACCOUNT}:role/app/web"
        given = sts.assume_role(RoleArn=role, RoleSessionName="job", DurationSeconds=SESSION_S)["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock, backend = Shifted(-SESSION_S / 2), MemoryBackend()
    base = backend.add_role(make_role("base"))
    statement = {"Effect": "Allow", "Principal": {"AWS": base.arn}, "Action": "sts:AssumeRole"}
    backend.add_role(make_role(trust=json.dumps({"Version": "2012-10-17", "Statement": [statement]})))
    sessions = SessionStore(clock)
    credentials = CredentialStore(b"master", backend, sessions)
    gate = Gate(backend, sessions, credentials, "us-east-1", clock)
    issued = sessions.issue(
        assumed_role_principal(base.arn, "long"), duration_s=43200, role_id=base.role_id, session_name="long"
    )
    server = GateServer("127.0.0.1", 0, gate.answer)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield Bench(f"http://127.0.0.1:{server.bind_addr[1]}", clock, issued)
    finally:
        server.stop()
        thread.join()


def test_credentials_that_were_kept_end(bench: Bench) -> None:
    """Who holds on to a key pair is told, to the second, that it has expired."""
    given = bench.assume()
    keys = {"aws_access_key_id": given["access_key"], "aws_secret_access_key": given["secret_key"]}
    sts = bench.client("sts", **keys, aws_session_token=given["token"])
    s3 = bench.client("s3", **keys, aws_session_token=given["token"])
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    bench.clock.seconds += SESSION_S + 1
    code, message, status = refusal(sts.get_caller_identity)
    assert (code, status) == ("ExpiredToken", 403)
    assert message == "The security token included in the request is expired"
    assert refusal(s3.list_buckets)[::2] == ("ExpiredToken", 400)


def test_an_sdk_that_refreshes_goes_on(bench: Bench) -> None:
    """botocore asks for new credentials when the old ones end, once, and its calls succeed before and after."""
    asked = []

    def refresh() -> dict[str, str]:
        asked.append(bench.clock())
        return bench.assume()

    first = refresh()
    credentials = RefreshableCredentials(
        first["access_key"],
        first["secret_key"],
        first["token"],
        datetime.fromisoformat(first["expiry_time"]),
        refresh,
        "test",
        time_fetcher=bench.clock,
    )
    session = botocore.session.get_session()
    session._credentials = credentials  # type: ignore[attr-defined]  # as botocore's own providers leave them
    sts = boto3.Session(botocore_session=session, region_name="us-east-1").client("sts", endpoint_url=bench.url)
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    assert len(asked) == 1
    bench.clock.seconds += SESSION_S + 1
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/web/job")
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    assert len(asked) == 2
    assert credentials.access_key != first["access_key"]
