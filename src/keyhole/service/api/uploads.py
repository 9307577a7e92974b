"""POST /v1/uploads: one image through the service itself."""

from __future__ import annotations

from functools import partial
from typing import IO, Annotated, cast

from fastapi import APIRouter, Header, Query, Request, Response

from keyhole.service.api.answers import SHA256, Uploaded, describe_problems
from keyhole.service.api.desk import Desk, Place, ask_store, move_file
from keyhole.service.api.early import EarlyTransfer
from keyhole.service.api.links import describe_uploaded, make_links
from keyhole.service.callers.require import RequiredCaller
from keyhole.service.checksums import check_received, read_checksums
from keyhole.service.form import FIELD, ReceivedFile, check_length, receive_file
from keyhole.service.held import HeldBody
from keyhole.service.idempotency import check_idempotency_key, forget_plan, marker_folder, plan_name
from keyhole.service.images.checked import Checked, Expect, Refused, Unavailable
from keyhole.service.intake import (
    Kept,
    describe_checked,
    describe_head,
    make_headers,
    postpone_image,
    refuse_image,
    send_image,
    store_image,
    store_thumbnails,
    withdraw_image,
)
from keyhole.service.keys import encode_name, make_key, make_name
from keyhole.service.problems import Problem

To = Annotated[
    str,
    Query(
        description="Which upload is meant; left out, the first that is open to the caller.",
        max_length=100,
        examples=["images"],
    ),
]

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


def make_uploads_router(desk: Desk) -> APIRouter:
    """Give the route of direct uploads."""
    router = APIRouter(tags=["uploads"])

    @router.post(
        "/v1/uploads",
        status_code=201,
        summary="Upload an image",
        openapi_extra=_UPLOAD_FORM,
        responses=describe_problems(404, 413, 415, 422, 429, 502),
    )
    async def upload_image(
        request: Request,
        response: Response,
        caller: RequiredCaller,
        *,
        to: To = "",
        idempotency_key: Annotated[
            str | None,
            Header(
                description="Makes one image of this request, however often it is sent. A new one for each image.",
                examples=["7f0c9c5e-6c0b-4a55-9c63-3f6d1d6f2a10"],
            ),
        ] = None,
        x_checksum_sha256: Annotated[  # noqa: ARG001 - read with its other spelling, described here
            str | None,
            Header(
                description="SHA-256 of the file, hexadecimal: what arrives and is another, is refused. S3's own "
                "`x-amz-checksum-…` headers are taken as well.",
                examples=[SHA256],
            ),
        ] = None,
    ) -> Uploaded:
        place = desk.find_place(caller, to)
        if idempotency_key is not None:
            check_idempotency_key(idempotency_key)
        said = read_checksums(request.headers)
        max_bytes = place.settings.max_bytes
        check_length(request.headers.get("content-length"), max_bytes)
        desk.admit(place, request)
        await desk.check_quota(place)
        content_type = request.headers.get("content-type", "")
        with desk.receiving.enter():
            received = await receive_file(
                content_type,
                request.stream(),
                max_bytes,
                desk.directory,
                share=lambda: desk.receiving.inside,
            )
        with received:
            await check_received(said, received)
            if idempotency_key is None:
                kept = await _keep_early(desk, place, received)
            else:
                kept = await _keep_once(desk, place, received, idempotency_key)
        uploaded = describe_uploaded(await make_links(place), kept)
        response.headers["Location"] = uploaded.url
        return uploaded

    return router


async def check_image(desk: Desk, place: Place, received: ReceivedFile, expect: Expect | None = None) -> Checked:
    """Have the file looked at by a process of its own. Raises: Problem."""
    try:
        return await desk.check_image(place, received.path, sha256=received.sha256, expect=expect)
    except Refused as refused:
        raise refuse_image(refused, place.settings) from refused
    except Unavailable as unavailable:
        raise postpone_image(unavailable) from unavailable


async def _keep_once(desk: Desk, place: Place, received: ReceivedFile, idempotency_key: str) -> Kept:
    """Keep it under the name which the same request had before, if there was one. Raises: Problem, AwsError."""
    store, settings = place.store, place.settings
    folder = marker_folder(settings, place.prefix, place.quarantine)
    plan = await ask_store(partial(plan_name, store, folder, idempotency_key, received.sha256))
    if plan.is_new:
        try:
            return await _keep_early(desk, place, received, planned=plan.name)
        except Problem as problem:
            if problem.status < 500:  # refused: the key is free for another file
                await ask_store(partial(forget_plan, store, folder, idempotency_key))
            raise
    with await check_image(desk, place, received) as checked:
        key = make_key(place.prefix, checked.content_type, name=plan.name)
        head = await ask_store(partial(store.read_head, key))
        if head is not None:
            return describe_head(key, head)
        return await _store(desk, place, key, checked, encode_name(received.name), is_planned=True)


async def _keep_early(desk: Desk, place: Place, received: ReceivedFile, *, planned: str = "") -> Kept:
    """Look at what arrived and send it at the same time, under a new name or the planned. Raises: Problem, AwsError."""
    store, settings, name = place.store, place.settings, encode_name(received.name)
    bare = planned or make_name()

    def send(expected: Checked, body: HeldBody) -> None:
        key = make_key(place.prefix, expected.content_type, name=bare)
        with desk.runtime.quotas.reserve(settings, place.caller, store, expected.size_bytes):
            send_image(store, key, expected, make_headers(settings, expected, name), cast("IO[bytes]", body))

    early = EarlyTransfer(send)
    try:
        with await check_image(desk, place, received, early.expect) as checked:
            key = make_key(place.prefix, checked.content_type, name=bare)
            if early.is_of(checked) and await _finish(place, early, key, checked, is_planned=bool(planned)):
                return describe_checked(key, checked, name)
            await early.abandon()
            return await _store(desk, place, key, checked, name, is_planned=bool(planned))
    finally:
        await early.abandon()


async def _finish(place: Place, early: EarlyTransfer, key: str, checked: Checked, *, is_planned: bool) -> bool:
    """Store the thumbnails and let the image follow; if that fails, nothing stays. False if it took too long."""
    try:
        # Not by `move_file`: the image has its turn already, and must not wait for another one while it keeps this.
        await ask_store(partial(store_thumbnails, place.store, place.settings, key, checked))
        return await early.finish()
    except BaseException:
        await early.abandon()
        if not is_planned:
            await ask_store(partial(withdraw_image, place.store, key, checked))
        raise


async def _store(desk: Desk, place: Place, key: str, checked: Checked, name: str, *, is_planned: bool = False) -> Kept:
    """Store what has passed, if the caller may keep it. Raises: Problem, AwsError."""

    def keep() -> Kept:
        with desk.runtime.quotas.reserve(place.settings, place.caller, place.store, checked.size_bytes):
            return store_image(place.store, place.settings, key, checked, name, is_planned=is_planned)

    return await move_file(keep)
