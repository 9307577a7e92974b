"""Images that are there: their list, what is known of one, and its end."""

from __future__ import annotations

import base64
import binascii
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query

from keyhole.service.api.answers import CONTINUATION, KEY, Item, Metadata, Page, describe_problems
from keyhole.service.api.desk import Desk, ask_store
from keyhole.service.api.links import make_links
from keyhole.service.api.uploads import To
from keyhole.service.callers.require import RequiredCaller
from keyhole.service.intake import delete_image, describe_head
from keyhole.service.keys import decode_name, guess_type, key_mistake
from keyhole.service.problems import Problem

_PAGE_LIMIT = 200
Key = Annotated[str, Path(description="As the list shows it.", examples=[KEY])]


def make_gallery_router(desk: Desk) -> APIRouter:
    """Give the routes of images that are there."""
    router = APIRouter(tags=["uploads"])
    _route_list(router, desk)
    _route_one(router, desk)
    return router


def _route_list(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/uploads", summary="List images, newest first", responses=describe_problems(404, 502))
    async def list_images(
        caller: RequiredCaller,
        to: To = "",
        prefix: Annotated[
            str,
            Query(description="A folder below the upload's own prefix.", max_length=1024, examples=["2026/"]),
        ] = "",
        continuation: Annotated[
            str, Query(description="From the page before.", max_length=2048, examples=[CONTINUATION])
        ] = "",
        limit: Annotated[int, Query(description="How many at most.", ge=1, le=_PAGE_LIMIT, examples=[24])] = 24,
    ) -> Page:
        place = desk.find_place(caller, to)
        folder = place.prefix + prefix
        if prefix and (mistake := key_mistake(folder + "x", place.prefix)):
            raise Problem(400, "bad-prefix", mistake, hint="give a prefix of keys as the list of uploads shows them")
        after_key = _read_continuation(continuation, folder)
        listing = await ask_store(
            partial(place.store.list_objects, folder, limit=limit, after_key=after_key),
        )
        links = await make_links(place)
        items = [
            Item(
                key=found.key,
                url=links.give(found.key),
                content_type=guess_type(found.key),
                bytes=found.size_bytes,
                uploaded_at=found.modified,
                thumbnails=dict(links.give_thumbnails(found.key, place.settings.thumbnails)),
            )
            for found in listing.objects
            if not found.key.endswith("/")  # the empty objects by which consoles make folders
        ]
        more = _make_continuation(listing.objects[-1].key) if listing.has_more and listing.objects else None
        return Page(items=items, continuation=more)


def _route_one(router: APIRouter, desk: Desk) -> None:
    @router.get(
        "/v1/uploads/{key:path}/metadata",
        summary="What is known of an image",
        responses=describe_problems(404, 502),
    )
    async def read_metadata(key: Key, caller: RequiredCaller, to: To = "") -> Metadata:
        place = desk.find_place_of(caller, key, to)
        head = await ask_store(partial(place.store.read_head, key))
        if head is None:
            raise no_such_image()
        kept = describe_head(key, head)
        links = await make_links(place)
        return Metadata(
            key=key,
            url=links.give(key),
            content_type=kept.content_type,
            bytes=kept.size_bytes,
            uploaded_at=head.modified,
            name=decode_name(kept.name),
            width=kept.width,
            height=kept.height,
            sha256=kept.sha256,
            thumbnails=dict(links.give_thumbnails(key, kept.thumbnails)),
        )

    @router.delete(
        "/v1/uploads/{key:path}",
        status_code=204,
        summary="Delete an image and its thumbnails",
        responses=describe_problems(404, 502),
    )
    async def delete_one(key: Key, caller: RequiredCaller, to: To = "") -> None:
        place = desk.find_place_of(caller, key, to)
        await ask_store(partial(delete_image, place.store, place.settings, key))
        desk.runtime.quotas.forget(place.settings, caller)


def no_such_image() -> Problem:
    """Say that there is no such image."""
    return Problem(
        404, "no-such-image", "there is no image of this key", hint="`GET /v1/uploads` lists those there are"
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
