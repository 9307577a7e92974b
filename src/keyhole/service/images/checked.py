"""What is asked about a file, and the three answers: it is an image as told, it is refused, or nobody could look."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from keyhole.service.settings import Settings

Kind = Literal[
    "empty",  # nothing was sent
    "wrong-type",  # an image, or something else that can be named, whose type is not taken
    "not-an-image",  # nothing that can be named
    "damaged",  # truncated, or not as its own header says
    "too-many-pixels",  # width × height × frames is over the rule's limit
    "unreasonable-shape",  # a line rather than a picture
    "hidden-content",  # also an archive, a page, a script, a document or a program; or a decompression bomb
    "too-costly",  # looking at it took more time or memory than an image may
]


@dataclass(frozen=True, slots=True)
class ImageRule:
    """What an upload takes. `thumbnails` are the longest sides, in pixels, of the thumbnails to make."""

    content_types: tuple[str, ...]
    max_pixels: int = 50_000_000
    thumbnails: tuple[int, ...] = ()
    strip_metadata: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Give the rule of one `[uploads.…]`."""
        return cls(settings.content_types, settings.max_pixels, settings.thumbnails, settings.strip_metadata)


@dataclass(frozen=True, slots=True)
class Checked:
    """An image that was decoded to its last pixel. Width and height are as it is shown, turned if it says so.

    `path` is the file to store: the one that was given, or a copy of it without metadata and without what followed its
    end; `size_bytes` and `sha256` (hexadecimal) are those of this file. `thumbnails`: WebP files by their longest side
    as the rule names it; an image that is smaller is not enlarged. All but the given file goes with `discard`, or at
    the end of `with`.
    """

    content_type: str
    width: int
    height: int
    frames: int
    sha256: str
    size_bytes: int
    path: Path
    thumbnails: dict[int, Path]
    directory: Path

    def discard(self) -> None:
        """Remove the files that the check made."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.discard()


Expect = Callable[[Checked], None]
"""Told what a file will turn out to be, if it can be decoded."""


class Refused(Exception):  # noqa: N818 - an answer, raised so that nobody forgets to look at it
    """A file that is not taken. `kind` is for programs, `reason` and `hint` for people.

    `content_type` is what the file is by its bytes; "" if that is not known.
    """

    def __init__(self, kind: Kind, reason: str, hint: str = "", *, content_type: str = "") -> None:
        super().__init__(reason)
        self.kind: Kind = kind
        self.reason = reason
        self.hint = hint
        self.content_type = content_type


class Unavailable(Exception):  # noqa: N818 - a 503, not a mistake of the program
    """Nobody could look at the file now: no worker starts, or none became free. The file is neither good nor bad."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Checker(Protocol):
    """Looks at files, as `keyhole.service.images.check.ImageChecker` does."""

    async def check(self, path: Path, rule: ImageRule, *, sha256: str = "", expect: Expect | None = None) -> Checked:
        """Give what the file is. Raises: Refused, Unavailable.

        `sha256`: that of the file, where it is known already. `expect` is told from another thread, at most once and
        mostly before, what the answer will be if the image can be decoded; its files are there until the answer is.
        """
