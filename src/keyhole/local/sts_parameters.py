"""What STS accepts as parameters: lengths, ranges and patterns, and how session tags come together.

AWS: Security Token Service API Reference, request parameters of each operation; IAM User Guide, "Pass session tags in
AWS STS".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keyhole.local.call import ApiCall, Fault
from keyhole.local.sessions import Session

Tags = tuple[tuple[str, str], ...]

_TAG_CHARACTERS = re.compile(r"[\w \u00a0\u2000-\u200a\u3000.:/=+\-@]*")


@dataclass(frozen=True, slots=True)
class _Text:
    """A string member: its length, and the pattern that all of it matches; a secret is not repeated in messages."""

    name: str
    min_length: int
    max_length: int
    pattern: str = ""
    is_required: bool = False
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class _Number:
    """An integer member and its range."""

    name: str
    least: int
    most: int


_NAME_PATTERN = r"[\w+=,.@-]*"
_SOURCE_IDENTITY = _Text("SourceIdentity", 2, 64, _NAME_PATTERN)
_POLICY = _Text("Policy", 1, 2048, r"[\u0009\u000A\u000D\u0020-\u00FF]+")
_ROLE = (
    _Text("RoleArn", 20, 2048, is_required=True),
    _Text("RoleSessionName", 2, 64, _NAME_PATTERN, is_required=True),
    _POLICY,
    _Number("DurationSeconds", 900, 43200),
)

_CONSTRAINTS: dict[str, tuple[_Text | _Number, ...]] = {
    "AssumeRole": (*_ROLE, _Text("ExternalId", 2, 1224, r"[\w+=,.@:\/-]*"), _SOURCE_IDENTITY),
    "AssumeRoleWithWebIdentity": (
        *_ROLE,
        _Text("WebIdentityToken", 4, 20000, is_required=True, is_secret=True),
        _Text("ProviderId", 4, 2048),
    ),
    "GetSessionToken": (_Number("DurationSeconds", 900, 129600),),
    "GetFederationToken": (
        _Text("Name", 2, 32, _NAME_PATTERN, is_required=True),
        _POLICY,
        _Number("DurationSeconds", 900, 129600),
    ),
    "DecodeAuthorizationMessage": (_Text("EncodedMessage", 1, 10240, is_required=True, is_secret=True),),
    "GetAccessKeyInfo": (_Text("AccessKeyId", 16, 128, r"[\w]*", is_required=True),),
}

_MAX_POLICY_ARNS = 10
_MAX_TAGS = 50


def check_parameters(call: ApiCall) -> None:
    """Hold the call's parameters against AWS's constraints. Raises: Fault, naming every one that fails."""
    constraints = _CONSTRAINTS.get(call.operation, ())
    _raise_for([failure for constraint in constraints for failure in _failures(call.params, constraint)])
    if str(call.params.get("SourceIdentity", "")).lower().startswith("aws:"):
        raise _reserved_source_identity()
    if len(call.params.get("PolicyArns", ())) > _MAX_POLICY_ARNS:
        raise Fault("ValidationError", f"You can pass at most {_MAX_POLICY_ARNS} managed session policies.")


def check_source_identity(value: str) -> None:
    """Hold a source identity that comes in a token against the same constraints. Raises: Fault."""
    _raise_for(list(_failures({"SourceIdentity": value}, _SOURCE_IDENTITY)))
    if value.lower().startswith("aws:"):
        raise _reserved_source_identity()


def _reserved_source_identity() -> Fault:
    return Fault("ValidationError", "The source identity must not begin with aws:, which is reserved.")


def _raise_for(failures: list[str]) -> None:
    if failures:
        count = "1 validation error" if len(failures) == 1 else f"{len(failures)} validation errors"
        raise Fault("ValidationError", f"{count} detected: {'; '.join(failures)}")


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of an IAM ARN that STS looks at."""

    account: str
    name: str


def read_arn(arn: str, kind: str) -> Arn:
    """Give the account and name in an IAM ARN of that kind ("role", "policy"). Raises: Fault."""
    fields = arn.split(":", 5)
    if len(fields) != 6 or fields[0] != "arn" or fields[2] != "iam" or not fields[5].startswith(f"{kind}/"):
        raise Fault("ValidationError", f"{arn} is invalid")
    return Arn(fields[4], fields[5].rsplit("/", 1)[-1])


def read_session_tags(call: ApiCall) -> tuple[Tags, tuple[str, ...]]:
    """Give the session tags that a call passes, and which of them are transitive."""
    tags = tuple((str(tag.get("Key", "")), str(tag.get("Value", ""))) for tag in call.params.get("Tags", ()))
    return tags, tuple(str(key) for key in call.params.get("TransitiveTagKeys", ()))


def merge_session_tags(
    passed: Tags, transitive: tuple[str, ...], session: Session | None
) -> tuple[Tags, tuple[str, ...]]:
    """Give the new session's tags and which of them are transitive: those passed, after those inherited.

    Raises: Fault where the tags are not as AWS takes them.
    """
    inherited = transitive_tags(session)
    inherited_keys = {key.lower() for key, _ in inherited}
    passed_keys = {key.lower() for key, _ in passed}
    _check_tags(passed)
    if not {key.lower() for key in transitive} <= passed_keys:
        raise Fault("ValidationError", "The specified transitive tag key must be included in the requested tags.")
    if passed_keys & inherited_keys:
        raise Fault(
            "ValidationError",
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session.",
        )
    if len(inherited) + len(passed) > _MAX_TAGS:
        raise Fault("ValidationError", f"A session can have at most {_MAX_TAGS} tags.")
    return inherited + passed, tuple(key for key, _ in inherited) + transitive


def transitive_tags(session: Session | None) -> Tags:
    """Give the tags that whatever session is made from this one inherits."""
    if session is None:
        return ()
    keys = {key.lower() for key in session.transitive_tag_keys}
    return tuple((key, value) for key, value in session.tags if key.lower() in keys)


def _check_tags(tags: Tags) -> None:
    seen: set[str] = set()
    for key, value in tags:
        if not 1 <= len(key) <= 128 or not _TAG_CHARACTERS.fullmatch(key) or key.lower().startswith("aws:"):
            raise Fault("ValidationError", f"{key} is not a valid session tag key.")
        if len(value) > 256 or not _TAG_CHARACTERS.fullmatch(value):
            raise Fault("ValidationError", f"The value of the session tag {key} is not valid.")
        if key.lower() in seen:
            raise Fault("ValidationError", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        seen.add(key.lower())


def _failures(params: Mapping[str, Any], constraint: _Text | _Number) -> Iterator[str]:
    value = params.get(constraint.name)
    member = constraint.name[0].lower() + constraint.name[1:]
    failed = f"at '{member}' failed to satisfy constraint: Member must"
    if isinstance(constraint, _Number):
        if value is None:
            return
        if int(value) < constraint.least:
            yield f"Value '{value}' {failed} have value greater than or equal to {constraint.least}"
        if int(value) > constraint.most:
            yield f"Value '{value}' {failed} have value less than or equal to {constraint.most}"
    elif value is None:
        if constraint.is_required:
            yield f"Value null {failed} not be null"
    else:
        # A policy or an over-long value is not repeated, as on AWS.
        is_hidden = constraint.is_secret or constraint.name == "Policy" or len(value) > constraint.max_length
        shown = "Value" if is_hidden else f"Value '{value}'"
        if len(value) < constraint.min_length:
            yield f"{shown} {failed} have length greater than or equal to {constraint.min_length}"
        if len(value) > constraint.max_length:
            yield f"{shown} {failed} have length less than or equal to {constraint.max_length}"
        if constraint.pattern and not re.fullmatch(constraint.pattern, value, re.ASCII):
            yield f"{shown} {failed} satisfy regular expression pattern: {constraint.pattern}"
