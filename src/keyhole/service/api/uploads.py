"""POST /v1/uploads: one image through the service itself."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from keyhole.service.api.answers import SHA256, Uploaded, describe_problems
from keyhole.service.api.desk import Desk, Place, ask_store, move_file
from keyhole.service.api.links import describe_uploaded, make_links
from keyhole.service.callers.require import RequiredCaller
from keyhole.service.checksums import check_checksum, read_checksum
from keyhole.service.form import FIELD, ReceivedFile, check_length, receive_file
from keyhole.service.idempotency import check_idempotency_key, marker_folder, plan_name
from keyhole.service.images.checked import Checked, Refused, Unavailable
from keyhole.service.intake import Kept, describe_head, postpone_image, refuse_image, store_image
from keyhole.service.keys import encode_name, make_key

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
                description="SHA-256 of the file, hexadecimal: what arrives and is another, is refused.",
                examples=[SHA256],
            ),
        ] = None,
    ) -> Uploaded:
        place = desk.find_place(caller, to)
        if idempotency_key is not None:
            check_idempotency_key(idempotency_key)
        said = read_checksum(request.headers)
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
                # What is stored has its digest from the check: this one takes as long as all the rest of receiving.
                is_digested=bool(said) or idempotency_key is not None,
            )
        with received:
            check_checksum(said, received.sha256)
            kept = await _keep(desk, place, received, idempotency_key)
        uploaded = describe_uploaded(await make_links(place), kept)
        response.headers["Location"] = uploaded.url
        return uploaded

    return router


async def check_image(desk: Desk, place: Place, received: ReceivedFile) -> Checked:
    """Have the file looked at by a process of its own. Raises: Problem."""
    try:
        return await desk.check_image(place, received.path)
    except Refused as refused:
        raise refuse_image(refused, place.settings) from refused
    except Unavailable as unavailable:
        raise postpone_image(unavailable) from unavailable


async def _keep(desk: Desk, place: Place, received: ReceivedFile, idempotency_key: str | None) -> Kept:
    """Look at what arrived, and store it under a new key, or under that which the same request had before."""
    with await check_image(desk, place, received) as checked:
        store, settings = place.store, place.settings
        name, is_planned = "", idempotency_key is not None
        if idempotency_key is not None:
            folder = marker_folder(settings, place.prefix, place.quarantine)
            plan = await ask_store(partial(plan_name, store, folder, idempotency_key, received.sha256))
            name = plan.name
        key = make_key(place.prefix, checked.content_type, name=name)
        if is_planned and not plan.is_new:
            head = await ask_store(partial(store.read_head, key))
            if head is not None:
                return describe_head(key, head)

        def keep() -> Kept:
            with desk.runtime.quotas.reserve(settings, place.caller, store, checked.size_bytes):
                return store_image(store, settings, key, checked, encode_name(received.name), is_planned=is_planned)

        return await move_file(keep)
