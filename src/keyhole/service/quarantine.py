"""What browsers sent to the store itself: looked at, and only then promoted; refused, it is deleted.

The name under which something waits is the name that the image gets, so a completion can be asked for any number of
times, by several at once, and after a crash: there is one image, and whoever comes later is told of it.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import IO

from keyhole.errors import AwsError
from keyhole.service.checksums import check_sha256
from keyhole.service.form import show_bytes, too_large
from keyhole.service.images.checked import Checked
from keyhole.service.intake import (
    NAME,
    SHA256,
    Kept,
    describe_checked,
    describe_head,
    make_headers,
    store_thumbnails,
)
from keyhole.service.keys import decode_name, encode_name, make_key
from keyhole.service.problems import Problem
from keyhole.service.settings import Settings
from keyhole.service.store import Head, Store

log = logging.getLogger("keyhole.service")

_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something in quarantine, as it was when it was looked for. `name` is that of the image it may become."""

    key: str
    name: str
    head: Head

    @property
    def original_name(self) -> str:
        """What the user's file was called, encoded as metadata has it."""
        return encode_name(decode_name(self.head.metadata.get(NAME, "")))


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The quarantine of one upload as one caller may use it: where things wait, and where they go. All of it blocks."""

    settings: Settings
    store: Store
    prefix: str
    waiting_prefix: str

    def find(self, name: str) -> Waiting | Kept | None:
        """Give the image if it was promoted already, else what waits under this name; None if nothing came.

        What came to the name of an image that is there is thrown away: what is under a key never changes.
        """
        key = self.waiting_prefix + name
        for found in self.store.list_objects(f"{self.prefix}{name}.", limit=1).objects:
            head = self.store.read_head(found.key)
            if head is not None:
                self.store.delete_object(key)
                return describe_head(found.key, head)
        head = self.store.read_head(key)
        return None if head is None else Waiting(key, name, head)

    def fetch(self, waiting: Waiting, file: IO[bytes]) -> None:
        """Write what waits into the file; what is too large is deleted and never read. Raises: Problem, AwsError."""
        max_bytes, size_bytes = self.settings.max_bytes, waiting.head.size_bytes
        if size_bytes > max_bytes:
            self.discard(waiting, f"{show_bytes(size_bytes)}, which is too large")
            raise too_large(max_bytes)
        if size_bytes == 0:
            self.discard(waiting, "empty")
            raise Problem(400, "empty", "the file is empty", hint="choose an image with something in it")
        try:
            self.store.read_object(waiting.key, file, etag=waiting.head.etag)
        except AwsError as error:
            if error.code in _CHANGED:
                raise changed() from error
            raise
        said = waiting.head.metadata.get(SHA256, "")
        if said:
            file.seek(0)
            try:
                check_sha256(said, _digest(file))
            except Problem:
                self.discard(waiting, "not what was sent")
                raise

    def promote(self, waiting: Waiting, checked: Checked, *, is_same: bool) -> Kept:
        """Make the image of what waits. `is_same`: its bytes are stored as they came, and the store copies them itself.

        Raises: Problem (409) if other bytes came meanwhile, AwsError.
        """
        key = make_key(self.prefix, checked.content_type, name=waiting.name)
        name = waiting.original_name
        headers = make_headers(self.settings, checked, name)
        store_thumbnails(self.store, self.settings, key, checked)
        if is_same:
            try:
                is_new = self.store.copy_object(waiting.key, key, headers, etag=waiting.head.etag)
            except AwsError as error:
                if error.code in _CHANGED:
                    raise changed() from error
                raise
        else:
            with checked.path.open("rb") as body:
                is_new = self.store.put_object(key, body, headers, sha256=checked.sha256, only_new=True)
        kept = describe_checked(key, checked, name)
        if not is_new:
            head = self.store.read_head(key)
            kept = describe_head(key, head) if head is not None else kept
        self.store.delete_object(waiting.key)
        log.info("promoted %s: %s, %s", key, checked.content_type, show_bytes(kept.size_bytes))
        return kept

    def discard(self, waiting: Waiting, reason: str) -> None:
        """Delete what waits."""
        self.store.delete_object(waiting.key)
        log.info("refused %s: %s", waiting.key, reason)


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def changed() -> Problem:
    """Say that something else came, or somebody else came first, while this completion was at work."""
    return Problem(
        409,
        "changed",
        "what was uploaded changed while it was looked at",
        hint="complete it again: the answer is then about what is there now",
    )
