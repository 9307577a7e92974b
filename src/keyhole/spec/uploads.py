"""What the upload service takes, from whom, and how it hands it out."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from keyhole.spec.fields import Origin, Prefix
from keyhole.spec.table import Table

ContentType = Literal["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]
_HTTPS = re.compile(r"https://[^\s/?#]+[^\s?#]*\Z")
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^\s?#]*)?\Z")
_MOST_PIXELS = 1_000_000_000


def _check_web_address(value: str) -> str:
    """Hold iff it is an https address, or one of this machine."""
    if not _HTTPS.match(value) and not _LOOPBACK.match(value):
        raise ValueError(f"`{value[:100]}` is not an https address|write it like `https://login.example.com`")
    return value


WebAddress = Annotated[str, AfterValidator(_check_web_address), Field(examples=["https://login.example.com"])]
ThumbnailSize = Annotated[int, Field(ge=16, le=4096)]


class Upload(Table):
    """What the upload service (`keyhole serve`) takes, and where it puts it."""

    workload: str = Field(description="The workload that the service runs as.")
    bucket: str = Field(description="The bucket's key in this file.")
    prefix: Prefix = Field("", description="Where uploads are stored.")
    content_types: list[ContentType] = Field(
        ["image/png", "image/jpeg", "image/gif", "image/webp"], min_length=1, description="Checked on the bytes."
    )
    max_bytes: int = Field(10 * 1024 * 1024, gt=0, le=5 * 1024**3, description="The largest upload, in bytes.")
    max_pixels: int = Field(
        50_000_000, gt=0, le=_MOST_PIXELS, description="The largest image: width times height, times its frames."
    )
    thumbnails: list[ThumbnailSize] = Field(
        [], max_length=8, description="Make smaller ones as WebP, with these many pixels on the longer side."
    )
    strip_metadata: bool = Field(
        True,
        description="Take EXIF (with the place where it was taken), XMP, IPTC and comments out of images before they "
        "are stored; orientation and colours stay.",
    )
    content_disposition: Literal["inline", "attachment"] = Field(
        "inline", description="Whether browsers show what they fetch, or offer to save it."
    )
    ttl_s: int = Field(600, gt=0, description="How long a signed URL lives, in seconds.")
    max_ttl_s: int = Field(
        3600, gt=0, le=7 * 24 * 3600, description="The longest life a caller may ask for, in seconds."
    )
    signed_uploads: bool = Field(
        False,
        description="Let browsers send to S3 itself by signed URLs, in parts, resumable: into `incoming/<upload>/`, "
        "which only the workload reads, until what arrived has been checked.",
    )
    origins: list[Origin] = Field(
        [],
        description="The web pages from which browsers send to S3 itself: the bucket's CORS lets these in. "
        "Needs `signed_uploads`.",
    )
    callers: list[str] = Field([], description="The callers who may use it; empty: all of the file.")
    per_caller: bool = Field(
        False, description="Keep each caller's uploads apart, under a prefix of its own that no other caller sees."
    )
    caller_role: bool = Field(
        False,
        description="Serve each caller with credentials that reach its own prefix alone: a role that the workload "
        "assumes with a session policy. Needs `per_caller`.",
    )
    uploads_per_minute: int | None = Field(None, gt=0, description="How many uploads each caller may make in a minute.")
    max_objects: int | None = Field(None, gt=0, description="How many uploads a caller may keep. Needs `per_caller`.")
    max_total_bytes: int | None = Field(
        None, gt=0, description="How many bytes a caller may keep, thumbnails aside. Needs `per_caller`."
    )

    @model_validator(mode="after")
    def _ttl_within_max(self) -> Upload:
        if self.ttl_s > self.max_ttl_s:
            raise ValueError(f"`ttl_s` {self.ttl_s} is above `max_ttl_s` {self.max_ttl_s}|lower one or raise the other")
        return self

    @model_validator(mode="after")
    def _what_needs_callers_apart(self) -> Upload:
        for setting in ("caller_role", "max_objects", "max_total_bytes"):
            if getattr(self, setting) and not self.per_caller:
                raise ValueError(f"`{setting}` needs callers kept apart|add `per_caller = true`")
        return self

    @model_validator(mode="after")
    def _origins_send_to_the_store(self) -> Upload:
        if self.origins and not self.signed_uploads:
            raise ValueError("`origins` is for signed uploads|add `signed_uploads = true`, or leave `origins` out")
        return self

    @model_validator(mode="after")
    def _sizes_once(self) -> Upload:
        if len(set(self.thumbnails)) < len(self.thumbnails):
            raise ValueError("`thumbnails` names a size twice|name each once")
        return self


class TokenCallers(Table):
    """Programs and people with an API token, made by `keyhole token`; only its hash is kept."""

    kind: Literal["token"]


class OidcCallers(Table):
    """People and programs with a JWT of an OpenID Connect issuer. Each subject is a caller of its own."""

    kind: Literal["oidc"]
    issuer: WebAddress = Field(description="The issuer, exactly as its tokens name it.")
    audience: str = Field(min_length=1, description="The audience that its tokens must be for.")
    subject_claim: str = Field("sub", min_length=1, description="The claim that tells one caller from another.")
    jwks_uri: WebAddress | None = Field(
        None, description="Where its keys are. Default: as its discovery document says."
    )


CALLER_KINDS = ("token", "oidc")
AnyCallers = Annotated[TokenCallers | OidcCallers, Field(discriminator="kind")]
