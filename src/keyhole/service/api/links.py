"""URLs of images: public ones as they are, others signed for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from keyhole.service.api.answers import Uploaded
from keyhole.service.api.desk import Place, find_signer
from keyhole.service.intake import Kept
from keyhole.service.keys import decode_name, encode_name, thumbnail_key
from keyhole.service.problems import RETRY_AFTER_S, Problem
from keyhole.service.settings import Settings
from keyhole.service.signing import Signer


@dataclass(frozen=True, slots=True)
class Links:
    """Makes URLs that all live equally long. `signer` is None where they are public."""

    settings: Settings
    signer: Signer | None
    now: datetime
    ttl_s: int
    limited_by: Literal["credentials"] | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When the URLs end; None for public ones."""
        return self.now + timedelta(seconds=self.ttl_s) if self.signer else None

    def give(self, key: str, disposition: str = "") -> str:
        """Give the URL of one object."""
        if self.signer is None:
            return self.settings.public_url(key)
        return self.signer.sign_get(key, ttl_s=self.ttl_s, now=self.now, disposition=disposition)

    def give_thumbnails(self, key: str, sizes: tuple[int, ...]) -> Mapping[str, str]:
        """Give the URLs of an image's thumbnails, by size."""
        return {str(size): self.give(thumbnail_key(key, size)) for size in sizes}


async def make_links(place: Place, ttl_s: int | None = None, *, is_signed: bool = False) -> Links:
    """Give what makes URLs that live `ttl_s` seconds, or as long as the upload says, or as the credentials do.

    `is_signed`: also those of a public prefix are. Raises: Problem.
    """
    settings = place.settings
    if ttl_s is not None:
        check_ttl(ttl_s, settings)
    if settings.is_public and not is_signed:
        return Links(settings, None, datetime.now(UTC), 0)
    signer = await find_signer(place.store)
    wanted_s = settings.signed_ttl_s if ttl_s is None else ttl_s
    now = datetime.now(UTC).replace(microsecond=0)
    given_s = signer.keys.cap_ttl(wanted_s, now)
    if given_s < 1:
        raise Problem(
            503,
            "credentials-end",
            "the service's credentials end now, and nothing signed with them would work",
            hint="nothing is lost: try again in a moment; who runs the service checks where it takes credentials from",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    return Links(settings, signer, now, given_s, "credentials" if given_s < wanted_s else None)


def check_ttl(ttl_s: int, settings: Settings) -> None:
    """Return if a caller may ask for this life. Raises: Problem (400)."""
    if 1 <= ttl_s <= settings.max_ttl_s:
        return
    raise Problem(
        400,
        "bad-ttl",
        f"a signed URL lives from 1 to {settings.max_ttl_s} seconds here",
        hint=f"ask for less, or leave `ttl` out for {settings.signed_ttl_s} seconds",
        extra={"max_ttl_s": settings.max_ttl_s},
    )


def make_disposition(name: str) -> str:
    """Give the Content-Disposition by which a browser saves the image under this name, "" for one of its own.

    RFC 6266, "4.1. Grammar", and RFC 8187: whatever is in the name, it is percent-encoded.
    """
    encoded = encode_name(name)
    return f"attachment; filename*=UTF-8''{encoded}" if encoded else "attachment"


def describe_uploaded(links: Links, kept: Kept) -> Uploaded:
    """Give an image that is kept as the answer to its upload."""
    return Uploaded(
        key=kept.key,
        url=links.give(kept.key),
        content_type=kept.content_type,
        bytes=kept.size_bytes,
        width=kept.width or 0,
        height=kept.height or 0,
        sha256=kept.sha256 or "",
        thumbnails=dict(links.give_thumbnails(kept.key, kept.thumbnails)),
        name=decode_name(kept.name),
    )
