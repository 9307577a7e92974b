"""What a worker is asked, and what it answers, as both sides write and read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from keyhole.service.images.checked import Checked, ImageRule, Kind, Refused, Unavailable

_KINDS: tuple[Kind, ...] = get_args(Kind)
_MAX_TEXT = 500
_DAMAGED = "the image cannot be decoded"
# What a worker writes: names are agreed on, so that an answer cannot point at other files.
STORED = "stored"


@dataclass(frozen=True, slots=True)
class Question:
    """Look at the file `path` by the rule; new files go into `directory`; after `limit_s` of work the worker ends.

    `sha256`: that of the file, if it is known already; hexadecimal.
    """

    path: str
    directory: str
    limit_s: float
    rule: ImageRule
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What `Checked` says, without the paths: `is_rewritten` holds iff there is a new file to store."""

    content_type: str
    width: int
    height: int
    frames: int
    sha256: str
    size_bytes: int
    is_rewritten: bool


def thumbnail_name(size: int) -> str:
    """Give the name of the thumbnail whose longest side is `size`."""
    return f"{size}.webp"


def write_question(question: Question) -> dict[str, Any]:
    """Give the question as JSON's values."""
    return asdict(question)


def read_question(message: dict[str, Any]) -> Question:
    """Give the question back."""
    rule = message["rule"]
    content_types, thumbnails = tuple(rule["content_types"]), tuple(rule["thumbnails"])
    return Question(
        path=message["path"],
        directory=message["directory"],
        limit_s=message["limit_s"],
        rule=ImageRule(content_types, rule["max_pixels"], thumbnails, rule["strip_metadata"]),
        sha256=message["sha256"],
    )


def write_answer(answer: Answer | Refused | Unavailable) -> dict[str, Any]:
    """Give the answer as JSON's values."""
    if isinstance(answer, Unavailable):
        return {"unavailable": {"reason": answer.reason}}
    if isinstance(answer, Answer):
        return {"checked": asdict(answer)}
    said = {"reason": answer.reason, "hint": answer.hint, "content_type": answer.content_type}
    return {"refused": {"kind": answer.kind} | {name: text[:_MAX_TEXT] for name, text in said.items()}}


def write_expected(answer: Answer) -> dict[str, Any]:
    """Give what will be answered if the pixels turn out as the header says."""
    return {"expected": asdict(answer)}


def read_expected(message: dict[str, Any], question: Question) -> Checked | None:
    """Give what is likely to be answered, for those who can use the time; it is no answer. None if it says nothing."""
    try:
        return _read_checked(message.get("expected"), question)
    except Refused:
        return None


def read_answer(message: dict[str, Any], question: Question) -> Checked:
    """Give what the file is. Raises: Unavailable, Refused.

    What is no answer is a refusal too: who wrote it has read a stranger's file.
    """
    match message:
        case {"unavailable": {"reason": str(reason)}}:
            raise Unavailable(reason, hint="nothing is lost: try again in a moment")
        case {"refused": {"kind": kind, "reason": str(reason), "hint": str(hint), "content_type": str(content_type)}}:
            if kind in _KINDS:
                raise Refused(kind, reason, hint, content_type=content_type)
        case {"checked": said}:
            checked = _read_checked(said, question)
            if all(path.is_file() for path in checked.thumbnails.values()):
                return checked
    raise Refused("damaged", _DAMAGED)


def _read_checked(said: object, question: Question) -> Checked:
    match said:
        case {
            "content_type": str(content_type),
            "width": int(width),
            "height": int(height),
            "frames": int(frames),
            "sha256": str(sha256),
            "size_bytes": int(size_bytes),
            "is_rewritten": bool(is_rewritten),
        }:
            directory = Path(question.directory)
            thumbnails = {size: directory / thumbnail_name(size) for size in question.rule.thumbnails}
            path = directory / STORED if is_rewritten else Path(question.path)
            is_digest = len(sha256) == 64 and (is_rewritten or sha256 == (question.sha256 or sha256))
            if content_type in question.rule.content_types and is_digest and path.is_file():
                return Checked(content_type, width, height, frames, sha256, size_bytes, path, thumbnails, directory)
    raise Refused("damaged", _DAMAGED)
