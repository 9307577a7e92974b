"""A body that does not end before somebody says so."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import pytest
from aws_service import open_store
from service_fakes import make_settings_for_test

from gate_clients import Aws
from keyhole.service.held import HeldBody, Withheld
from keyhole.service.store import ObjectHeaders

_DATA = bytes(range(256)) * 8192


@pytest.fixture
def body(tmp_path: Path) -> Iterator[HeldBody]:
    """Two mebibytes whose end is awaited for a moment only."""
    path = tmp_path / "data"
    path.write_bytes(_DATA)
    with path.open("rb") as file:
        yield HeldBody(file, hold_s=0.05)


def test_all_but_the_last_byte_may_be_read(body: HeldBody) -> None:
    """Nobody has decided: everything comes but the end, and then it breaks off."""
    assert body.read(len(_DATA)) == _DATA[:-1]
    with pytest.raises(Withheld):
        body.read(1)


def test_the_rest_follows_when_it_is_released(body: HeldBody) -> None:
    """Whoever waits for the last byte gets it, and the end after it."""
    body.read(len(_DATA))
    threading.Timer(0.01, body.release).start()
    assert body.read(100) == _DATA[-1:]
    assert body.read(100) == b""


@pytest.mark.parametrize("first", ["release", "withhold"])
def test_the_first_decision_counts(body: HeldBody, first: str) -> None:
    """What was given up is not stored after all, and what may be stored is not given up."""
    for decide in (first, "withhold", "release"):
        getattr(body, decide)()
    if first == "release":
        assert body.read() == _DATA
    else:
        with pytest.raises(Withheld):
            body.read()


def test_it_can_be_read_again(body: HeldBody) -> None:
    """A client that tries again begins at the start, and is held at the end again."""
    assert body.seek(0, 2) == len(_DATA)
    body.seek(0)
    assert body.read(10) == _DATA[:10]
    assert body.tell() == 10
    body.seek(0)
    body.release()
    assert body.read() == _DATA


def test_what_is_withheld_is_not_stored(aws: Aws, body: HeldBody) -> None:
    """The real client breaks off without trying again; S3 has nothing, and takes the next request."""
    store = open_store(aws, make_settings_for_test(bucket=aws.bucket(), endpoint_url=aws.url, region="us-east-1"))
    digest = hashlib.sha256(_DATA).hexdigest()
    body.withhold()
    with pytest.raises(Withheld):
        store.put_object("k", cast("IO[bytes]", body), ObjectHeaders("image/png"), sha256=digest)
    assert store.read_head("k") is None
    assert store.list_objects("", limit=10).objects == ()


def test_what_is_released_is_stored_whole(aws: Aws, body: HeldBody) -> None:
    """The object is there when the last byte was, and not before."""
    store = open_store(aws, make_settings_for_test(bucket=aws.bucket(), endpoint_url=aws.url, region="us-east-1"))
    digest = hashlib.sha256(_DATA).hexdigest()
    seen: list[object] = []
    real = body.readinto

    def look_first(buffer: bytearray) -> int:
        if body.tell() == len(_DATA) - 1:
            seen.append(store.read_head("k"))
            body.release()
        return real(buffer)

    body.readinto = look_first  # type: ignore[method-assign,assignment]
    store.put_object("k", cast("IO[bytes]", body), ObjectHeaders("image/png"), sha256=digest)
    assert seen == [None]
    head = store.read_head("k")
    assert head is not None
    assert head.size_bytes == len(_DATA)
