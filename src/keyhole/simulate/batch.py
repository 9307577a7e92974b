"""Many questions as JSON Lines: a line is read, a line is answered, in order, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol, TextIO

from keyhole.errors import KeyholeError
from keyhole.simulate.answer import answer_question
from keyhole.simulate.request_line import LineReader

CHUNK_BYTES = 1 << 16
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Source(Protocol):
    """Bytes as they come: `sys.stdin.buffer` is one."""

    def read1(self, size: int, /) -> bytes:
        """What is there, at most `size` bytes; waits for the first; b"" at the end."""


def answer_batch(source: Source, sink: TextIO) -> int:
    """Answer every line with one line, and give how many could not be read.

    What came in together is answered together and flushed before more is waited for: a program that writes one line
    and waits for its answer gets it. Empty lines at the end are no lines.
    """
    reader = LineReader()
    number = unreadable = empty = 0
    for lines in read_lines(source):
        answers: list[str] = []
        for line in lines:
            if not line.strip():
                empty += 1
                continue
            for raw in (*[b""] * empty, line):
                number += 1
                answer = _answer_line(reader, raw, number)
                unreadable += "error" in answer
                answers.append(json.dumps(answer))
            empty = 0
        if answers:
            sink.write("\n".join(answers) + "\n")
            sink.flush()
    return unreadable


def _answer_line(reader: LineReader, raw: bytes, number: int) -> dict[str, Any]:
    """The answer to a line, or what is wrong with it."""
    try:
        return answer_question(reader.read(_decode(raw, number)))
    except KeyholeError as error:
        return {"error": {"line": number, "message": str(error), "hint": error.hint}}


def _decode(raw: bytes, number: int) -> str:
    if not raw:
        raise KeyholeError("the line is empty", hint="write one request, `{…}`, on every line")
    try:
        return (raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw).decode()
    except UnicodeDecodeError as error:
        raise KeyholeError(f"the line is not UTF-8 text: byte {error.start + 1}") from None


def read_lines(source: Source) -> Iterator[list[bytes]]:
    """Whole lines, as many as came in together; the last needs no line end."""
    pending: list[bytes] = []
    while chunk := source.read1(CHUNK_BYTES):
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join((*pending, lines[0]))
            pending = []
            yield lines
        pending.append(rest)
    if last := b"".join(pending):
        yield [last]
