"""Batches: a line in, a line out, in order, whatever is in the line."""

import io
import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate_lines import OBJECT, allow, line, policy, requests

from keyhole.iam import (
    Context,
    Decision,
    Outcome,
    PolicyKind,
    PolicySet,
    Request,
    decide,
    denial_message,
    parse_policy,
)
from keyhole.simulate.batch import answer_batch
from keyhole.simulate.principal import parse_principal


class Chunks:
    """A pipe from which a read gives what was written at once; `before_read` sees each read begin."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.sink = io.StringIO()
        self.answered: list[int] = []

    def read1(self, size: int, /) -> bytes:
        self.answered.append(self.sink.getvalue().count("\n"))
        return next(self._chunks, b"")


def answers(*lines: str) -> list[dict[str, Any]]:
    sink = io.StringIO()
    answer_batch(io.BytesIO("\n".join(lines).encode()), sink)
    return [json.loads(found) for found in sink.getvalue().splitlines()]


def decide_plainly(fields: dict[str, Any]) -> tuple[Request, list[Decision]]:
    """The request of a line, and the decisions for each pair of a boundary and an endpoint policy."""

    def parse(documents: Iterable[Any], kind: PolicyKind) -> tuple[Any, ...]:
        return tuple(parse_policy(json.dumps(document), kind) for document in documents)

    context = {
        key: tuple(value) if isinstance(value, list) else json.dumps(value).strip('"')
        for key, value in fields.get("context", {}).items()
    }
    request = Request(
        parse_principal(fields["principal"]),
        fields["action"],
        fields["resource"],
        Context(context),
        fields.get("resource_account") or "",
    )
    bucket = fields.get("resource_policy")
    pairs = itertools.product(
        parse(fields.get("boundaries", ()), PolicyKind.BOUNDARY) or (None,),
        parse(fields.get("endpoint", ()), PolicyKind.ENDPOINT) or (None,),
    )
    found = [
        decide(
            request,
            PolicySet(
                identity=parse(fields.get("identity", ()), PolicyKind.IDENTITY),
                resource=parse([bucket], PolicyKind.RESOURCE)[0] if bucket else None,
                boundary=boundary,
                session=parse(fields.get("session", ()), PolicyKind.SESSION) or None,
                scps=tuple(parse(level, PolicyKind.SCP) for level in fields.get("scps", ())),
                endpoint=endpoint,
            ),
        )
        for boundary, endpoint in pairs
    ]
    return request, found


@settings(deadline=None)
@given(st.lists(requests, min_size=1, max_size=4))
def test_a_batch_answers_as_the_engine_decides(batch: list[dict[str, Any]]) -> None:
    """Each answer is `decide`'s; of several boundaries and endpoint policies, that of the strictest pair of all."""
    order = [Outcome.ALLOWED, Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY]
    for fields, answer in zip(batch, answers(*map(json.dumps, batch)), strict=True):
        request, decisions = decide_plainly(fields)
        worst = max((decision.outcome for decision in decisions), key=order.index)
        blocking = [decision for decision in decisions if decision.outcome is worst]
        assert answer["decision"] == worst.value
        assert set(answer["blocked_by"]) == {kind.value for decision in blocking for kind in decision.blocked_by}
        if len(decisions) == 1:
            assert answer["blocked_by"] == [kind.value for kind in decisions[0].blocked_by]
            assert answer["message"] == denial_message(request, decisions[0])


def test_a_line_that_cannot_be_read_is_answered_in_its_place() -> None:
    """The lines around it are answered as ever; the error has the number of its line."""
    good = line(identity=[policy(allow())])
    sink = io.StringIO()
    source = io.BytesIO(b"\n".join([good.encode(), b"\xff", b"", good.encode(), b"{", good.encode(), b"", b" "]))
    assert answer_batch(source, sink) == 3
    found = [json.loads(answer) for answer in sink.getvalue().splitlines()]
    assert [answer.get("decision") for answer in found] == ["allowed", None, None, "allowed", None, "allowed"]
    assert [answer["error"]["line"] for answer in found if "error" in answer] == [2, 3, 5]
    assert found[1]["error"]["message"] == "the line is not UTF-8 text: byte 1"
    assert found[2]["error"]["hint"] == "write one request, `{…}`, on every line"


def test_line_ends_and_byte_order_marks_do_not_matter() -> None:
    """Lines from Windows, and a last line without an end, are lines."""
    good = line(identity=[policy(allow())]).encode()
    for text in (good, good + b"\n", good + b"\r\n", b"\xef\xbb\xbf" + good, good + b"\n\n\n"):
        sink = io.StringIO()
        assert answer_batch(io.BytesIO(text), sink) == 0
        assert [json.loads(found)["decision"] for found in sink.getvalue().splitlines()] == ["allowed"]


def test_nothing_in_is_nothing_out() -> None:
    """An empty input has no answers and no errors."""
    assert answers() == []
    assert answers("", " ") == []


def test_a_line_is_answered_before_more_is_waited_for() -> None:
    """Who writes one line and waits gets its answer; a line in pieces is answered when it is whole."""
    one = line().encode()
    source = Chunks([one + b"\n", one[:9], one[9:] + b"\n" + one, b"\n"])
    answer_batch(source, source.sink)
    assert source.answered == [0, 1, 1, 2, 3]


@given(st.binary(max_size=60))
def test_any_bytes_are_answered(noise: bytes) -> None:
    """Every line that is not blank at the end has an answer, and the next line is not touched by it."""
    noise = noise.replace(b"\n", b" ")
    sink = io.StringIO()
    answer_batch(io.BytesIO(noise + b"\n" + line(identity=[policy(allow())]).encode()), sink)
    first, second = (json.loads(found) for found in sink.getvalue().splitlines())
    assert "error" in first
    assert second["decision"] == "allowed"


@pytest.mark.parametrize("text", ["é", "\u2028", "\x85", "\U0001f511"])
def test_answers_are_ascii_and_one_line_each(text: str) -> None:
    """A resource with characters that some take for line ends comes back escaped."""
    sink = io.StringIO()
    answer_batch(io.BytesIO(json.dumps(json.loads(line(resource=OBJECT + text)), ensure_ascii=False).encode()), sink)
    assert sink.getvalue().isascii()
    assert OBJECT + text in json.loads(sink.getvalue())["message"]
