"""What the service answers, as the OpenAPI document describes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from keyhole.service.problems import MEDIA_TYPE

KEY = "uploads/images/yc9x4m2kq0t7r5w1z8n3v6b4h.png"
URL = f"https://pictures.s3.ap-northeast-2.amazonaws.com/{KEY}"
THUMBNAIL_URL = URL.replace("images/", "images/thumbnails/320/").replace(".png", ".webp")
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CONTINUATION = "dXBsb2Fkcy9pbWFnZXMveWM5eDRtMmtxMHQ3cjV3MXo4bjN2NmI0aC5wbmc"
WHEN = "2026-11-21T09:30:00Z"
NAME = "yc9x4m2kq0t7r5w1z8n3v6b4h"

_KEY = Field(description="What the service calls it; no two uploads share one.", examples=[KEY])
_URL = Field(description="Where to read it; a signed URL, for a while, unless the prefix is public.", examples=[URL])
_BYTES = Field(examples=[34567])
_NAME = Field(description='What its file was called; "" if nobody said.', examples=["my cat.png"])
_SHA256 = Field(
    description="Of what is stored, hexadecimal. It is not that of what was sent where metadata was taken out.",
    examples=[SHA256],
)
_THUMBNAILS = Field(description="URLs of smaller ones, by their longer side.", examples=[{"320": THUMBNAIL_URL}])


class CallerAnswer(BaseModel):
    """Who asks."""

    name: str = Field(examples=["shop-backend"])
    kind: str = Field(examples=["token"])


class UploadRules(BaseModel):
    """What one upload takes, and how it gives it out."""

    name: str = Field(examples=["images"])
    content_types: list[str] = Field(examples=[["image/png", "image/jpeg"]])
    max_bytes: int = Field(examples=[10485760])
    max_pixels: int = Field(examples=[50000000])
    is_public: bool = Field(
        description="Whether everyone who has an image's URL may read it, for as long as it lives.", examples=[False]
    )
    ttl_s: int | None = Field(
        description="For how many seconds a URL works; null if it does not expire.", examples=[600]
    )
    max_ttl_s: int = Field(description="The longest life of a signed URL that may be asked for.", examples=[3600])
    thumbnails: list[int] = Field(examples=[[320, 1280]])
    signed_uploads: bool = Field(description="Whether browsers may send to the store itself.", examples=[True])
    per_caller: bool = Field(description="Whether each caller sees its own uploads only.", examples=[False])


class Rules(BaseModel):
    """What the service takes from whoever asks."""

    app: str = Field(examples=["ai-image-community"])
    uploads: list[UploadRules]
    caller: CallerAnswer | None = Field(description="Who asks; null where the service knows no callers.")


class Uploaded(BaseModel):
    """An image that has been stored."""

    key: str = _KEY
    url: str = _URL
    content_type: str = Field(examples=["image/png"])
    bytes: int = _BYTES
    width: int = Field(examples=[640])
    height: int = Field(examples=[480])
    sha256: str = _SHA256
    thumbnails: dict[str, str] = _THUMBNAILS
    name: str = _NAME


class Item(BaseModel):
    """An image in the list."""

    key: str = _KEY
    url: str = _URL
    content_type: str | None = Field(
        description="From the key's ending; null if it was not stored by this service.", examples=["image/png"]
    )
    bytes: int = _BYTES
    uploaded_at: datetime = Field(examples=[WHEN])
    thumbnails: dict[str, str] = _THUMBNAILS


class Page(BaseModel):
    """Images, newest first."""

    items: list[Item]
    continuation: str | None = Field(
        description="Give it back to get the next page; null on the last.", examples=[CONTINUATION]
    )


class Metadata(BaseModel):
    """What is known of one image without reading it."""

    key: str = _KEY
    url: str = _URL
    content_type: str = Field(examples=["image/png"])
    bytes: int = _BYTES
    uploaded_at: datetime = Field(examples=[WHEN])
    name: str = _NAME
    width: int | None = Field(description="Null if it was not stored by this service.", examples=[640])
    height: int | None = Field(description="Null if it was not stored by this service.", examples=[480])
    sha256: str | None = Field(description="Null if it was not stored by this service.", examples=[SHA256])
    thumbnails: dict[str, str] = _THUMBNAILS


class SignedUrl(BaseModel):
    """Where to read an image, and for how long."""

    url: str = _URL
    expires_at: datetime | None = Field(description="Null if it does not expire.", examples=[WHEN])
    ttl_s: int | None = Field(description="Null if it does not expire.", examples=[600])
    limited_by: Literal["credentials"] | None = Field(
        description="Why it lives shorter than was asked for: the credentials that sign it end then.", examples=[None]
    )


class SignedUrls(BaseModel):
    """Where to read several images, and for how long."""

    urls: dict[str, str] = Field(description="By key.", examples=[{KEY: URL}])
    expires_at: datetime | None = Field(description="Null if they do not expire.", examples=[WHEN])
    ttl_s: int | None = Field(description="Null if they do not expire.", examples=[600])
    limited_by: Literal["credentials"] | None = Field(
        description="Why they live shorter than was asked for: the credentials that sign them end then.",
        examples=[None],
    )


class ProblemDocument(BaseModel):
    """What was wrong (RFC 9457)."""

    type: str = Field(examples=["urn:keyhole:problem:too-large"])
    title: str = Field(examples=["Content Too Large"])
    status: int = Field(examples=[413])
    detail: str = Field(examples=["the file is larger than 10 MiB"])
    hint: str = Field("", examples=["send an image of at most 10 MiB"])
    request_id: str = Field("", examples=["8b1ce518654cfedb"])


def describe_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Give the refusals of a route for the OpenAPI document; every route may refuse its caller or its parameters."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {"description": "Problem", "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted({400, 401, 403, 503, *statuses})
    }
