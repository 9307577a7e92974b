"""The file of events: filled, begun anew, followed, and read by somebody else all the while."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keyhole.local.call import Caller, Headers, HttpRequest
from keyhole.local.event_file import EventFile, earlier_events, parse_event
from keyhole.local.events import EventLog
from keyhole.local.happened import Happened
from keyhole.local.mode import Mode


class _NoBody:
    def read(self) -> bytes:
        return b""


def happened(name: str) -> Happened:
    """A request of which only the id matters."""
    request = HttpRequest("GET", "/", "", Headers(), _NoBody())
    at = datetime(2026, 1, 31, tzinfo=UTC)
    return Happened(at, request, "s3", "us-east-1", None, Caller(), (), name, 200, None, Mode.STRICT)


def names(file: EventFile) -> list[str]:
    return [str(event["requestID"]) for line in file.read_lines() if (event := parse_event(line))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_a_reader_sees_each_event_once_across_full_files(path: Path) -> None:
    """Whether it looks after every event or after a whole file, nothing is missed and nothing comes twice."""
    log = EventLog(path, max_bytes=2500)
    often, seldom = EventFile(path), EventFile(path)
    log.open()
    seen: list[str] = []
    late: list[str] = []
    for number in range(30):
        log.record(happened(str(number)))
        seen += names(often)
        if number % 4 == 3:
            late += names(seldom)
    log.close()
    expected = [str(number) for number in range(30)]
    assert seen == expected
    assert late + names(seldom) == expected
    assert earlier_events(path).stat().st_size <= 2500
    fresh = EventFile(path)
    assert 1 < len(names(fresh)) < 30
    for file in (often, seldom, fresh):
        file.close()


def test_a_reader_goes_on_after_a_restart(path: Path) -> None:
    """A start begins an empty file, drops the earlier one, and the reader goes on with it."""
    file = EventFile(path)
    for run in ("first", "second"):
        log = EventLog(path, max_bytes=2000)
        log.open()
        for number in range(6):
            log.record(happened(f"{run} {number}"))
            assert names(file) == [f"{run} {number}"]
        log.close()
    EventLog(path).open()
    assert not earlier_events(path).exists()
    file.close()


def test_a_reader_can_begin_at_the_end(path: Path) -> None:
    """Only what is written afterwards."""
    log = EventLog(path)
    log.open()
    log.record(happened("before"))
    file = EventFile(path, at_end=True)
    log.record(happened("after"))
    assert names(file) == ["after"]
    log.close()
    file.close()


def test_half_a_line_is_not_read(path: Path) -> None:
    """A line counts when it is whole."""
    path.write_bytes(b'{"keyhole": {}, "requestID": "1"}\n{"keyhole": {}, "requ')
    file = EventFile(path)
    assert names(file) == ["1"]
    with path.open("ab") as more:
        more.write(b'estID": "2"}\nno json\n[]\n')
    assert names(file) == ["2"]
    file.close()


def test_a_file_that_cannot_be_written_ends_the_recording_alone(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The calls go on; that their events are lost is said, once."""
    log = EventLog(path, max_bytes=1)
    log.open()
    log.record(happened("1"))
    path.unlink()
    for number in range(3):
        log.record(happened(str(number)))
    assert capsys.readouterr().err == "events are no longer recorded: No such file or directory\n"
    log.close()
    log.close()
