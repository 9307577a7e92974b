"""A file that has arrived becomes an image that is kept: looked at first, stored whole, or refused and gone."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from dataclasses import dataclass
from typing import IO

from keyhole.errors import AwsError
from keyhole.service.form import show_bytes
from keyhole.service.images.checked import Checked, Refused, Unavailable
from keyhole.service.keys import thumbnail_key
from keyhole.service.problems import RETRY_AFTER_S, Problem
from keyhole.service.settings import Settings
from keyhole.service.store import Head, ObjectHeaders, Store

log = logging.getLogger("keyhole.service")

NAME, WIDTH, HEIGHT, SHA256, THUMBNAILS = "original-name", "width", "height", "sha256", "thumbnails"
"""Metadata of an image that is kept."""
# A key is never used twice, so what is under it never changes; a day bounds how long a deleted image lives in caches.
_PUBLIC_CACHE = "public, max-age=86400, immutable"
_STATUS = {"wrong-type": 415, "too-many-pixels": 413}


@dataclass(frozen=True, slots=True)
class Kept:
    """An image in the bucket. `name` is encoded as metadata has it; width, height and SHA-256 are those stored."""

    key: str
    content_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    thumbnails: tuple[int, ...] = ()
    name: str = ""


def refuse_image(refused: Refused, settings: Settings) -> Problem:
    """Give the refusal of a file as a problem, which says what it was and what is taken."""
    taken = ", ".join(settings.content_types)
    hint = f"send one of {taken}" if refused.kind == "wrong-type" else f"the service takes {taken}, whole and undamaged"
    extra = {"content_type": refused.content_type} if refused.content_type else {}
    status = _STATUS.get(refused.kind, 400)
    return Problem(status, refused.kind, refused.reason, hint=refused.hint or hint, extra=extra)


def postpone_image(unavailable: Unavailable) -> Problem:
    """Say that nobody could look at the file now."""
    return Problem(
        503,
        "busy",
        unavailable.reason,
        hint=unavailable.hint or "nothing is lost: try again in a moment",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def make_headers(settings: Settings, checked: Checked, name: str) -> ObjectHeaders:
    """Give what is stored beside the image; `name` is encoded already."""
    metadata = {
        WIDTH: str(checked.width),
        HEIGHT: str(checked.height),
        SHA256: checked.sha256,
    }
    if checked.thumbnails:
        metadata[THUMBNAILS] = ",".join(str(size) for size in sorted(checked.thumbnails))
    if name:
        metadata[NAME] = name
    return ObjectHeaders(
        content_type=checked.content_type,
        cache_control=_PUBLIC_CACHE if settings.is_public else "",
        content_disposition=settings.content_disposition,
        metadata=metadata,
    )


def store_image(
    store: Store, settings: Settings, key: str, checked: Checked, name: str, *, is_planned: bool = False
) -> Kept:
    """Store the image and its thumbnails. Blocks. Raises: AwsError.

    If that fails, nothing of it stays, unless the key `is_planned`: then another request may be storing the same.
    """
    try:
        store_thumbnails(store, settings, key, checked)
        with checked.path.open("rb") as body:
            send_image(store, key, checked, make_headers(settings, checked, name), body)
    except BaseException:
        if not is_planned:
            withdraw_image(store, key, checked)
        raise
    return describe_checked(key, checked, name)


def send_image(store: Store, key: str, checked: Checked, headers: ObjectHeaders, body: IO[bytes]) -> None:
    """Store the image itself, which `body` reads. Blocks. Raises: AwsError."""
    store.put_object(key, body, headers, sha256=checked.sha256)
    log.info("stored %s: %s, %s", key, checked.content_type, show_bytes(checked.size_bytes))


def store_thumbnails(store: Store, settings: Settings, key: str, checked: Checked) -> None:
    """Store the thumbnails of an image, before it: whoever sees an image finds its thumbnails too."""
    headers = ObjectHeaders(
        content_type="image/webp",
        cache_control=_PUBLIC_CACHE if settings.is_public else "",
        content_disposition=settings.content_disposition,
    )
    for size, path in checked.thumbnails.items():
        with path.open("rb") as body:
            digest = hashlib.file_digest(body, "sha256").hexdigest()
            body.seek(0)
            store.put_object(thumbnail_key(key, size), body, headers, sha256=digest)


def delete_image(store: Store, settings: Settings, key: str) -> None:
    """Delete the image and its thumbnails, the image last: what failed in the middle can be asked for again."""
    head = store.read_head(key)
    named = read_sizes(head.metadata.get(THUMBNAILS, "")) if head is not None else ()
    for size in sorted({*settings.thumbnails, *named}):
        store.delete_object(thumbnail_key(key, size))
    store.delete_object(key)


def withdraw_image(store: Store, key: str, checked: Checked) -> None:
    """Take away what was stored of an image that is not acknowledged, if the store lets us."""
    for stored in (key, *(thumbnail_key(key, size) for size in checked.thumbnails)):
        with contextlib.suppress(AwsError):
            store.delete_object(stored)


def describe_checked(key: str, checked: Checked, name: str) -> Kept:
    """Give what is kept now."""
    return Kept(
        key=key,
        content_type=checked.content_type,
        size_bytes=checked.size_bytes,
        width=checked.width,
        height=checked.height,
        sha256=checked.sha256,
        thumbnails=tuple(sorted(checked.thumbnails)),
        name=name,
    )


def describe_head(key: str, head: Head) -> Kept:
    """Give what is kept under the key, by what is stored beside it; others may have stored it without that."""
    metadata = head.metadata
    return Kept(
        key=key,
        content_type=head.content_type,
        size_bytes=head.size_bytes,
        width=_read_number(metadata.get(WIDTH, "")),
        height=_read_number(metadata.get(HEIGHT, "")),
        sha256=metadata.get(SHA256),
        thumbnails=read_sizes(metadata.get(THUMBNAILS, "")),
        name=metadata.get(NAME, ""),
    )


def read_sizes(text: str) -> tuple[int, ...]:
    """Give the sizes of the thumbnails that an image's metadata names."""
    numbers = (_read_number(part) for part in text.split(","))
    return tuple(number for number in numbers if number is not None)


def _read_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None
