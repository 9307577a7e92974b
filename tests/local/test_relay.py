"""The second door: bytes as they are, calls told from others, and an end that waits for the answers."""

from __future__ import annotations

import hashlib
import os
import socket
from typing import Any

import boto3
import pytest
from botocore.config import Config

from gate_clients import Aws
from keyhole.local.event_catch import EventCatch
from keyhole.local.relay import Relay
from keyhole.local.state import events_path


def client(aws: Aws, port: int) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id=aws.root.access_key_id,
        aws_secret_access_key=aws.root.secret_access_key,
        config=Config(retries={"max_attempts": 0}),
    )


def test_calls_through_it_are_caught_and_no_others(aws: Aws) -> None:
    """A body of many buffers arrives as it was; the events of calls past the relay are left out."""
    bucket, body = aws.bucket(), os.urandom(5_000_000)
    with Relay(aws.server.port) as relay:
        with EventCatch(events_path(aws.server.port), relay.port) as catch:
            s3 = client(aws, relay.port)
            s3.put_object(Bucket=bucket, Key="a", Body=body)
            aws.client("s3").put_object(Bucket=bucket, Key=f":{relay.port}", Body=b"past it")
            found = s3.get_object(Bucket=bucket, Key="a")["Body"].read()
            s3.close()
            assert relay.settle() is True
        assert hashlib.sha256(found).digest() == hashlib.sha256(body).digest()
        assert [event["eventName"] for event in catch.events()] == ["PutObject", "GetObject"]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", relay.port))


def test_who_stays_connected_is_told(aws: Aws) -> None:
    """A client that neither asks nor leaves is not waited for for long, and is cut off in the end."""
    with Relay(aws.server.port) as relay:
        stays = socket.create_connection(("127.0.0.1", relay.port), timeout=10)
        stays.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\nGET")
        answer = stays.recv(5)
        settled = relay.settle()
    with stays:
        assert (answer, settled) == (b"HTTP/", False)
        while stays.recv(65536):
            pass


def test_nobody_behind_it_is_a_closed_connection() -> None:
    """Where the local AWS has ended, its clients see a connection that ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with Relay(free) as relay, socket.create_connection(("127.0.0.1", relay.port)) as asking:
        assert asking.recv(1) == b""
