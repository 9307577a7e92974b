"""Actions that do not exist, and the meaning of those that do.

AWS: IAM User Guide, "IAM JSON policy elements: Action"; Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from keyhole.iam.catalogue import Action, Service, find_service, list_prefixes, read_version
from keyhole.iam.lint.report import PolicyWarning, WarningCode, suggest
from keyhole.iam.model import Element


class Reading(Enum):
    """What an action pattern turned out to be. EVERYTHING spans services and is not judged further."""

    KNOWN = "known"
    EVERYTHING = "everything"
    MALFORMED = "malformed"
    SERVICE_UNKNOWN = "service unknown"


@dataclass(frozen=True, slots=True)
class ActionPattern:
    """An action pattern of a statement; if it is KNOWN, its service and the actions of it that it names."""

    index: int
    text: str
    reading: Reading
    service: Service | None = None
    actions: tuple[Action, ...] = ()


_API_NAMES = {
    "s3:completemultipartupload": "s3:PutObject",
    "s3:copyobject": "s3:GetObject` on the source and `s3:PutObject",
    "s3:createmultipartupload": "s3:PutObject",
    "s3:deletebucketcors": "s3:PutBucketCORS",
    "s3:deletebucketencryption": "s3:PutEncryptionConfiguration",
    "s3:deletebucketlifecycle": "s3:PutLifecycleConfiguration",
    "s3:deleteobjects": "s3:DeleteObject",
    "s3:deletepublicaccessblock": "s3:PutBucketPublicAccessBlock",
    "s3:getbucketencryption": "s3:GetEncryptionConfiguration",
    "s3:getbucketlifecycle": "s3:GetLifecycleConfiguration",
    "s3:getbucketlifecycleconfiguration": "s3:GetLifecycleConfiguration",
    "s3:getpublicaccessblock": "s3:GetBucketPublicAccessBlock",
    "s3:headbucket": "s3:ListBucket",
    "s3:headobject": "s3:GetObject",
    "s3:listbuckets": "s3:ListAllMyBuckets",
    "s3:listmultipartuploads": "s3:ListBucketMultipartUploads",
    "s3:listobjects": "s3:ListBucket",
    "s3:listobjectsv2": "s3:ListBucket",
    "s3:listobjectversions": "s3:ListBucketVersions",
    "s3:listparts": "s3:ListMultipartUploadParts",
    "s3:putbucketencryption": "s3:PutEncryptionConfiguration",
    "s3:putbucketlifecycle": "s3:PutLifecycleConfiguration",
    "s3:putbucketlifecycleconfiguration": "s3:PutLifecycleConfiguration",
    "s3:putpublicaccessblock": "s3:PutBucketPublicAccessBlock",
    "s3:uploadpart": "s3:PutObject",
}
"""S3's operations whose action has another name. AWS: S3 User Guide, "Required permissions for S3 API operations"."""


def resolve_actions(element: Element) -> tuple[ActionPattern, ...]:
    """What each pattern of an Action or NotAction names."""
    return tuple(_resolve(index, text) for index, text in enumerate(element.patterns))


def _resolve(index: int, text: str) -> ActionPattern:
    if text and text.strip("*") == "":
        return ActionPattern(index, text, Reading.EVERYTHING)
    prefix, colon, name = text.partition(":")
    is_plain = text.isascii() and text.isprintable() and not {" ", ","} & set(text)
    if not (is_plain and colon and prefix and name):
        return ActionPattern(index, text, Reading.MALFORMED)
    if "*" in prefix or "?" in prefix:
        reading = Reading.EVERYTHING if prefix == "*" else Reading.MALFORMED
        return ActionPattern(index, text, reading)
    service = find_service(prefix)
    if service is None:
        return ActionPattern(index, text, Reading.SERVICE_UNKNOWN)
    return ActionPattern(index, text, Reading.KNOWN, service, service.expand(name))


def check_actions(element: Element, actions: tuple[ActionPattern, ...], path: str) -> Iterator[PolicyWarning]:
    """A warning for each pattern that names no action; in a NotAction it excludes none."""
    name = "NotAction" if element.negated else "Action"
    for pattern in actions:
        place = f"{path}.{name}[{pattern.index}]"
        if pattern.reading is Reading.MALFORMED:
            yield _warn_of_malformed(pattern.text, place)
        elif pattern.reading is Reading.SERVICE_UNKNOWN:
            yield _warn_of_service(pattern.text, place)
        elif pattern.service is not None and not pattern.actions:
            yield _warn_of_absence(pattern.text, pattern.service, place)


def _warn_of_malformed(text: str, place: str) -> PolicyWarning:
    if "," in text or " " in text.strip():
        hint = "write one action per entry of the list"
    elif text.strip() != text:
        hint = f"write `{text.strip()}`, without blanks"
    else:
        hint = "write the service's prefix, a colon and the action's name: `s3:GetObject`"
    return PolicyWarning(WarningCode.ACTION_MALFORMED, place, f"`{text}` is no action: it matches nothing", hint)


def _warn_of_service(text: str, place: str) -> PolicyWarning:
    prefix = text.partition(":")[0]
    message = f"no service with the prefix `{prefix.lower()}` is known as of {read_version().date}: it was not checked"
    return PolicyWarning(
        WarningCode.SERVICE_UNKNOWN, place, message, suggest(prefix, list_prefixes()) or "check the prefix"
    )


def _warn_of_absence(text: str, service: Service, place: str) -> PolicyWarning:
    name = text.partition(":")[2]
    if "*" in name or "?" in name:
        message = f"`{text}` fits no action of {service.name}"
        return PolicyWarning(WarningCode.WILDCARD_UNMATCHED, place, message, "look up the actions' names")
    api_name = _API_NAMES.get(text.lower())
    known = (action.full_name for action in service.actions.values())
    hint = f"the action of that API operation is `{api_name}`" if api_name else suggest(text, known)
    message = f"`{text}` is no action of {service.name}"
    return PolicyWarning(WarningCode.ACTION_UNKNOWN, place, message, hint or "look up the action's name")
