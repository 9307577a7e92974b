"""What a service and its workers say to each other: heard whole, and not believed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service_images import make_png

from keyhole.service.images.check import Checked, ImageChecker, ImageRule, Refused
from keyhole.service.images.messages import Ended, Late, read_message, write_message
from keyhole.service.images.question import Question, read_answer, read_expected


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.png"
    path.write_bytes(make_png())
    return path


@pytest.fixture
def checker(tmp_path: Path) -> Iterator[ImageChecker]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with ImageChecker(workers=1, directory=scratch) as checker:
        yield checker


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def test_messages_arrive_as_they_were_sent(pipe: tuple[int, int]) -> None:
    """One after the other, whole."""
    source, to = pipe
    write_message(to, {"a": 1})
    write_message(to, {"b": ["ü"]})
    assert [read_message(source, 1), read_message(source)] == [{"a": 1}, {"b": ["ü"]}]


@pytest.mark.parametrize(
    "said", [b"", b"\x00\x00", b"\x00\x00\x00\x02{", b"\xff\xff\xff\xff", b"\x00\x00\x00\x01x", b"\x00\x00\x00\x02[]"]
)
def test_what_is_no_message_ends_the_talk(pipe: tuple[int, int], said: bytes) -> None:
    """Half a message, one that is too long or no object: whoever says it is not listened to any longer."""
    source, to = pipe
    os.write(to, said)
    os.close(to)
    with pytest.raises(Ended):
        read_message(source, 1)


def test_silence_ends_too(pipe: tuple[int, int]) -> None:
    """Nobody waits for ever."""
    with pytest.raises(Late):
        read_message(pipe[0], 0.01)


_SAID: dict[str, Any] = {
    "content_type": "image/png",
    "width": 1,
    "height": 1,
    "frames": 1,
    "sha256": "0" * 64,
    "size_bytes": 1,
    "is_rewritten": False,
}


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"refused": {"kind": "made-up", "reason": "", "hint": "", "content_type": ""}},
        {"refused": {"kind": "damaged"}},
        {"checked": {}},
        {"checked": _SAID | {"content_type": "text/html"}},
        {"checked": _SAID | {"width": "1"}},
        {"checked": _SAID | {"sha256": "0"}},
        {"checked": _SAID | {"is_rewritten": True}},
    ],
)
def test_a_worker_that_was_taken_over_is_not_believed(small: Path, tmp_path: Path, message: dict[str, Any]) -> None:
    """An answer that no worker gives, a type that is not taken, a file that is not there: the image is refused."""
    question = Question(str(small), str(tmp_path), 1.0, ImageRule(("image/png",)))
    read_answer({"checked": _SAID}, question)
    with pytest.raises(Refused):
        read_answer(message, question)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"expected": None},
        {"expected": _SAID | {"sha256": "1" * 64}},
        {"expected": _SAID | {"is_rewritten": True}},
        {"expected": _SAID | {"content_type": "text/html"}},
    ],
)
def test_what_a_worker_expects_is_not_believed_either(small: Path, tmp_path: Path, said: dict[str, Any]) -> None:
    """A digest that is not the file's, a file that is not there: nothing is sent before the answer."""
    question = Question(str(small), str(tmp_path), 1.0, ImageRule(("image/png",)), sha256="0" * 64)
    assert read_expected({"expected": _SAID}, question) is not None
    assert read_expected(said, question) is None


@pytest.mark.anyio
async def test_a_worker_says_what_it_expects(checker: ImageChecker, small: Path) -> None:
    """Before the pixels are decoded it is known what will be stored, and the digest that was known is not computed."""
    said: list[Checked] = []
    digest = hashlib.sha256(small.read_bytes()).hexdigest()
    with await checker.check(small, ImageRule(("image/png",)), sha256=digest, expect=said.append) as checked:
        assert said == [checked]
        assert checked.sha256 == digest
    small.write_bytes(small.read_bytes()[:-20])
    with pytest.raises(Refused):
        await checker.check(small, ImageRule(("image/png",)), expect=said.append)
