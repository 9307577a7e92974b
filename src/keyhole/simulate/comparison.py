"""A comparison of two policies, for people, pull requests and machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from keyhole.iam import Request
from keyhole.iam.showing import as_code
from keyhole.iam.symbolic.compare import Comparison, Relation
from keyhole.iam.symbolic.question import Answer, Verdict
from keyhole.iam.symbolic.telling import describe_request, request_as_json

_SENTENCES = {
    Relation.EQUAL: "both allow the same",
    Relation.NARROWER: "{first} is narrower: it allows nothing that {second} does not, and less",
    Relation.WIDER: "{first} is wider: it allows all that {second} does, and more",
    Relation.INCOMPARABLE: "each allows something that the other does not",
    Relation.UNKNOWN: "it cannot be told which is wider",
}
_COLORS = {Relation.EQUAL: "green", Relation.NARROWER: "green", Relation.WIDER: "bold red"}


def render_comparison(found: Comparison, names: tuple[str, str]) -> RenderableType:
    """Give the relation, and a request for each direction in which one allows more."""
    color = _COLORS.get(found.relation, "bold yellow")
    lines = [f"[{color}]{found.relation}[/]: {escape(_sentence(found, names))}"]
    for title, answer in _directions(found, names):
        lines.append(f"\n{escape(title)}")
        lines.extend(f"    {escape(line)}" for line in _details(answer))
    return Text.from_markup("\n".join(lines))


def comparison_as_markdown(found: Comparison, names: tuple[str, str]) -> str:
    """Give the same as a comment for a pull request."""
    lines = [f"**{found.relation}**: {_sentence(found, (as_code(names[0]), as_code(names[1])))}"]
    for title, answer in _directions(found, (as_code(names[0]), as_code(names[1]))):
        lines.append(f"\n{title}\n")
        lines.extend(f"- {as_code(line)}" for line in _details(answer))
    return "\n".join(lines)


def comparison_as_json(found: Comparison, names: tuple[str, str]) -> dict[str, Any]:
    """Give the same as plain data."""

    def direction(answer: Answer) -> dict[str, Any]:
        witness = request_as_json(answer.witness) if answer.witness else None
        return {"verdict": str(answer.verdict), "witness": witness, "reason": answer.reason}

    return {
        "relation": str(found.relation),
        "first": names[0],
        "second": names[1],
        "first_within_second": direction(found.within),
        "second_within_first": direction(found.contains),
    }


def _sentence(found: Comparison, names: tuple[str, str]) -> str:
    return _SENTENCES[found.relation].format(first=names[0], second=names[1])


def _directions(found: Comparison, names: tuple[str, str]) -> Iterator[tuple[str, Answer]]:
    for answer, more, less in ((found.within, names[0], names[1]), (found.contains, names[1], names[0])):
        if answer.verdict is Verdict.FAILS:
            yield f"{more} allows, and {less} does not:", answer
        elif answer.verdict is Verdict.UNKNOWN:
            yield f"whether {more} allows more than {less} cannot be told:", answer


def _details(answer: Answer) -> list[str]:
    witness: Request | None = answer.witness
    return describe_request(witness) if witness is not None else [answer.reason]
