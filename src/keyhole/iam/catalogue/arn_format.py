"""Whether a resource pattern of a policy can name some resource of a type, given the format of the type's ARN.

Both are wildcard patterns: the policy's has `*` and `?`, the format has placeholders such as `${BucketName}`. They have
a resource in common iff the product of the two automata reaches its end, which is searched exactly.
AWS: Service Authorization Reference, "Resource types defined by …" of each service.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from keyhole.iam.match import ARN_FIELDS

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_PLAIN_ARN = re.compile(r"arn:[^:]*:[^:*?]*:(?P<fields>[a-z0-9*-]*:(?:\*|[0-9]{12}|aws|)):.*", re.DOTALL)
_SEGMENT_NAMES = frozenset({"BucketName", "TableName", "RoleName", "Partition"})
"""Placeholders whose values hold neither `/` nor `:`, by the naming rules of S3, DynamoDB and IAM."""
_EMPTY_FIELDS = frozenset({"s3", "iam"})
"""Services whose formats are taken at their word where Region or account is empty; elsewhere any value passes."""
_OLDER_FORMATS = {
    "${ClusterName}/${ServiceName}": "${ServiceName}",
    "${ClusterName}/${TaskId}": "${TaskId}",
    "${ClusterName}/${ContainerInstanceId}": "${ContainerInstanceId}",
}
"""ECS's ARNs without the cluster's name. AWS: ECS Developer Guide, "Amazon Resource Names (ARNs) and IDs"."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One character of a pattern, or any number of them: a literal, or whatever is not in `excluded`."""

    literal: str = ""
    excluded: frozenset[str] = frozenset()
    repeats: bool = False


_ANY = frozenset[str]()
_NO_COLON = frozenset(":")
_NO_SEPARATOR = frozenset(":/")


@lru_cache(maxsize=4096)
def fits_format(resource: str, arn_format: str) -> bool:
    """Hold iff some ARN fits both the policy's pattern and the format; policy variables stand for any text.

    It errs on the side of holding: placeholders take any text unless a naming rule is certain.
    """
    if not arn_format:
        return True
    if _names_another_service(resource, arn_format):
        return False
    pattern = _read_pattern(resource)
    older = next((old for old in _OLDER_FORMATS if arn_format.endswith(f"/{old}")), None)
    formats = [arn_format] if older is None else [arn_format, arn_format.replace(older, _OLDER_FORMATS[older])]
    return any(_overlap(pattern, _read_format(each)) for each in formats)


def _names_another_service(resource: str, arn_format: str) -> bool:
    """Hold iff both say which service and they differ: the quick answer to most questions."""
    written = resource.split(":", 3)
    if len(written) < 4 or any(character in "".join(written[:3]) for character in "*?$"):
        return False
    return written[2] != arn_format.split(":", 3)[2]


def _read_pattern(resource: str) -> tuple[_Step, ...]:
    """The pattern's steps; a `*` that is the Region or the account of a plain ARN stands for that field alone.

    It could cross a `:` and make a Region of half the ARN, but only where no ARN of the service looks like that.
    """
    text = _VARIABLE.sub("*", resource)
    plain = _PLAIN_ARN.fullmatch(text)
    start, end = plain.span("fields") if plain else (0, 0)
    steps = []
    for index, character in enumerate(text):
        wild = character in "*?"
        excluded = _NO_COLON if wild and start <= index < end else _ANY
        steps.append(_Step("" if wild else character, excluded, repeats=character == "*"))
    return tuple(steps)


@lru_cache(maxsize=4096)
def _read_format(arn_format: str) -> tuple[_Step, ...]:
    fields = arn_format.split(":", ARN_FIELDS - 1)
    strict = fields[2] in _EMPTY_FIELDS
    steps: list[_Step] = []
    for index, field in enumerate(fields):
        if index:
            steps.append(_Step(":"))
        if index in {3, 4} and (field or not strict):
            steps.append(_Step("", _NO_COLON, repeats=True))
        else:
            steps += _read_field(field)
    return tuple(steps)


def _read_field(field: str) -> list[_Step]:
    steps: list[_Step] = []
    position = 0
    for found in _PLACEHOLDER.finditer(field):
        steps += [_Step(character) for character in field[position : found.start()]]
        excluded = _NO_SEPARATOR if found[1] in _SEGMENT_NAMES else _ANY
        steps += [_Step("", excluded), _Step("", excluded, repeats=True)]
        position = found.end()
    return steps + [_Step(character) for character in field[position:]]


def _overlap(left: tuple[_Step, ...], right: tuple[_Step, ...]) -> bool:
    """Hold iff some text fits both: each pair of places is visited once."""
    goal = (len(left), len(right))
    seen = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        place = waiting.pop()
        if place == goal:
            return True
        fresh = [found for found in _follow(left, right, place) if found not in seen]
        seen.update(fresh)
        waiting += fresh
    return False


def _follow(left: tuple[_Step, ...], right: tuple[_Step, ...], place: tuple[int, int]) -> list[tuple[int, int]]:
    """The places that are reached by skipping a repeated step, or by one character that both take."""
    i, j = place
    a = left[i] if i < len(left) else None
    b = right[j] if j < len(right) else None
    found = []
    if a and a.repeats:
        found.append((i + 1, j))
    if b and b.repeats:
        found.append((i, j + 1))
    if a and b and _share(a, b):
        found.append((i if a.repeats else i + 1, j if b.repeats else j + 1))
    return found


def _share(a: _Step, b: _Step) -> bool:
    """Hold iff some character is taken by both steps."""
    if a.literal and b.literal:
        return a.literal == b.literal
    return a.literal not in b.excluded if a.literal else b.literal not in a.excluded or not b.literal
