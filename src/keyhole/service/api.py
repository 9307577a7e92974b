"""The upload API: everything under /v1."""

from __future__ import annotations

import base64
import binascii
import logging
from datetime import datetime
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from keyhole.service.form import FIELD, ReceivedFile, check_length, receive_file, show_bytes
from keyhole.service.keys import encode_name, guess_type, key_mistake, make_key
from keyhole.service.problems import MEDIA_TYPE, Problem
from keyhole.service.settings import Settings
from keyhole.service.sniff import NoImage, sniff
from keyhole.service.store import ObjectHeaders, Store

log = logging.getLogger("keyhole.service")

NAME_METADATA = "original-name"
# A key is never used twice, so what is under it never changes; a day bounds how long a deleted image lives in caches.
_PUBLIC_CACHE = "public, max-age=86400, immutable"
_PAGE_LIMIT = 200


class Rules(BaseModel):
    """What the service takes."""

    app: str = Field(examples=["ai-image-community"])
    content_types: list[str] = Field(examples=[["image/png", "image/jpeg"]])
    max_bytes: int = Field(examples=[10485760])
    is_public: bool = Field(description="Whether everyone who has an image's URL may read it, for as long as it lives.")
    ttl_s: int | None = Field(description="For how many seconds a URL works; null if it does not expire.")


class Uploaded(BaseModel):
    """An image that has been stored."""

    key: str = Field(examples=["uploads/images/yc9x4m2kq0t7r5w1z8n3v6b4h.png"])
    url: str = Field(description="Where to read it; a signed URL, for a while, unless the prefix is public.")
    content_type: str = Field(examples=["image/png"])
    bytes: int = Field(examples=[34567])
    width: int
    height: int


class Item(BaseModel):
    """An image in the list."""

    key: str
    url: str
    content_type: str | None = Field(description="From the key's ending; null if it was not stored by this service.")
    bytes: int
    uploaded_at: datetime


class Page(BaseModel):
    """Images, newest first."""

    items: list[Item]
    continuation: str | None = Field(description="Give it back to get the next page; null on the last.")


def describe_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"description": "Problem", "content": {MEDIA_TYPE: {}}} for status in statuses}


_UPLOAD_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary", "description": "The image."}},
                }
            }
        },
    }
}


def make_router(settings: Settings, store: Store) -> APIRouter:
    """Give the routes over one store; the store is only called off the event loop."""
    router = APIRouter()
    _route_upload(router, settings, store)
    _route_gallery(router, settings, store)
    return router


def _route_upload(router: APIRouter, settings: Settings, store: Store) -> None:
    @router.get("/v1/rules", summary="What the service takes")
    async def read_rules() -> Rules:
        return Rules(
            app=settings.app,
            content_types=list(settings.content_types),
            max_bytes=settings.max_bytes,
            is_public=settings.is_public,
            ttl_s=None if settings.is_public else settings.signed_ttl_s,
        )

    @router.post(
        "/v1/uploads",
        status_code=201,
        summary="Upload an image",
        openapi_extra=_UPLOAD_FORM,
        responses=describe_problems(400, 403, 413, 415, 502, 503),
    )
    async def upload_image(request: Request, response: Response) -> Uploaded:
        check_length(request.headers.get("content-length"), settings.max_bytes)
        received = await receive_file(request.headers.get("content-type", ""), request.stream(), settings.max_bytes)
        try:
            uploaded = await to_thread.run_sync(lambda: _store_image(settings, store, received))
            url = await to_thread.run_sync(_give_url, settings, store, uploaded.key)
        finally:
            received.body.close()
        response.headers["Location"] = url
        return uploaded.model_copy(update={"url": url})


def _route_gallery(router: APIRouter, settings: Settings, store: Store) -> None:
    @router.get("/v1/uploads", summary="List images, newest first", responses=describe_problems(400, 502, 503))
    async def list_images(
        continuation: Annotated[str, Query(description="From the page before.", max_length=2048)] = "",
        limit: Annotated[int, Query(ge=1, le=_PAGE_LIMIT)] = 24,
    ) -> Page:
        after_key = _read_continuation(continuation, settings.prefix)

        def list_page() -> Page:
            listing = store.list_objects(settings.prefix, limit=limit, after_key=after_key)
            items = [
                Item(
                    key=found.key,
                    url=_give_url(settings, store, found.key),
                    content_type=guess_type(found.key),
                    bytes=found.size_bytes,
                    uploaded_at=found.modified,
                )
                for found in listing.objects
                if not found.key.endswith("/")  # the empty objects by which consoles make folders
            ]
            more = _make_continuation(listing.objects[-1].key) if listing.has_more and listing.objects else None
            return Page(items=items, continuation=more)

        return await to_thread.run_sync(list_page)

    @router.delete(
        "/v1/uploads/{key:path}",
        status_code=204,
        summary="Delete an image",
        responses=describe_problems(400, 403, 502, 503),
    )
    async def delete_image(key: str) -> None:
        mistake = key_mistake(key, settings.prefix)
        if mistake:
            raise Problem(400, "bad-key", mistake, hint="give a key as the list of uploads shows it")
        await to_thread.run_sync(store.delete_object, key)


def _give_url(settings: Settings, store: Store, key: str) -> str:
    return settings.public_url(key) if settings.is_public else store.sign_get(key, ttl_s=settings.signed_ttl_s)


def _store_image(settings: Settings, store: Store, received: ReceivedFile) -> Uploaded:
    image = sniff(received.body)
    taken = ", ".join(settings.content_types)
    if isinstance(image, NoImage):
        if image.content_type.startswith("image/"):
            raise _wrong_type(image.content_type, taken)
        raise Problem(400, "not-an-image", image.reason, hint=f"the service takes {taken}, whole and undamaged")
    if image.content_type not in settings.content_types:
        raise _wrong_type(image.content_type, taken)
    key = make_key(settings.prefix, image.content_type)
    headers = ObjectHeaders(
        content_type=image.content_type,
        cache_control=_PUBLIC_CACHE if settings.is_public else "",
        metadata={NAME_METADATA: encode_name(received.name)} if encode_name(received.name) else {},
    )
    store.put_object(key, received.body, headers)
    log.info("stored %s: %s, %s", key, image.content_type, show_bytes(received.size_bytes))
    return Uploaded(
        key=key,
        url="",
        content_type=image.content_type,
        bytes=received.size_bytes,
        width=image.width,
        height=image.height,
    )


def _wrong_type(content_type: str, taken: str) -> Problem:
    return Problem(
        415,
        "wrong-type",
        f"the file is {content_type}, which is not taken here",
        hint=f"send one of {taken}",
        extra={"content_type": content_type},
    )


def _make_continuation(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _read_continuation(continuation: str, prefix: str) -> str:
    """Give the key that the page before ended with; "" for the first page. Raises: Problem."""
    if not continuation:
        return ""
    try:
        padded = continuation + "=" * (-len(continuation) % 4)
        key = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not key.startswith(prefix) or not key:
        hint = "give back what the page before said, or nothing for the first page"
        raise Problem(400, "bad-continuation", "the continuation is not one of this list", hint=hint)
    return key
