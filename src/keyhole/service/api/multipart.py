"""Uploads in parts, resumable, in the shape that Uppy's S3 plugin asks a Companion for (`companionEndpoint: "/v1"`)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from keyhole.service.api.answers import NAME, URL, Uploaded, describe_problems
from keyhole.service.api.completion import complete_upload
from keyhole.service.api.desk import Desk, Place, ask_store
from keyhole.service.api.links import make_links
from keyhole.service.api.signed import SignedUpload, SignedUploadRequest, check_wish, sign_wish
from keyhole.service.api.uploads import To
from keyhole.service.callers.caller import Caller
from keyhole.service.callers.require import RequiredCaller, may_use
from keyhole.service.form import too_large
from keyhole.service.intake import NAME as NAME_METADATA
from keyhole.service.keys import encode_name, is_name, make_name
from keyhole.service.problems import Problem
from keyhole.service.store import ObjectHeaders, Part

# AWS: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
_MOST_PARTS = 10_000
_SMALLEST_PART_BYTES = 5 * 1024 * 1024
_WAITING = f"incoming/images/{NAME}"
_UPLOAD_ID = "VXBsb2FkSWQtZXhhbXBsZQ"
_PART_URL = f"https://pictures.s3.ap-northeast-2.amazonaws.com/{_WAITING}?partNumber=1"

WaitingKey = Annotated[str, Query(description="As the create said.", max_length=1024, examples=[_WAITING])]
UploadId = Annotated[
    str, Path(alias="uploadId", description="As the create said.", max_length=1024, examples=[_UPLOAD_ID])
]
PartNumber = Annotated[int, Path(alias="partNumber", ge=1, le=_MOST_PARTS, examples=[1])]


class MultipartRequest(BaseModel):
    """What is to be uploaded. Nothing of it is believed."""

    filename: str = Field("", max_length=4096, examples=["my cat.png"])
    type: str = Field(max_length=200, examples=["image/png"])
    metadata: dict[str, str | int | float | bool | None] = Field(
        {}, max_length=100, description="`name` and `to` are read.", examples=[{"name": "my cat.png", "to": "images"}]
    )


class Multipart(BaseModel):
    """An upload in parts that has begun."""

    key: str = Field(description="Where it waits until it is complete.", examples=[_WAITING])
    uploadId: str = Field(examples=[_UPLOAD_ID])  # noqa: N815 - Uppy's spelling


class PartUrl(BaseModel):
    """Where to PUT one part."""

    url: str = Field(examples=[_PART_URL])
    expires: int = Field(description="In how many seconds it ends.", examples=[600])


class PartUrls(BaseModel):
    """Where to PUT each part."""

    presignedUrls: dict[str, str] = Field(examples=[{"1": _PART_URL}])  # noqa: N815 - Uppy's spelling
    expires: int = Field(description="In how many seconds they end.", examples=[600])


class ArrivedPart(BaseModel):
    """A part that has arrived, as S3 spells it."""

    PartNumber: int = Field(ge=1, le=_MOST_PARTS, examples=[1])
    ETag: str = Field(max_length=200, examples=['"5d41402abc4b2a76b9719d911017c592"'])
    Size: int = Field(0, ge=0, examples=[5242880])


class CompleteRequest(BaseModel):
    """Which parts make the whole."""

    parts: list[ArrivedPart] = Field(min_length=1, max_length=_MOST_PARTS)


class Completed(Uploaded):
    """An image that has been stored, with what Uppy looks for."""

    location: str = Field(description="The same as `url`.", examples=[URL])
    bucket: str = Field(examples=["pictures"])


def make_multipart_router(desk: Desk) -> APIRouter:
    """Give the routes of uploads in parts."""
    router = APIRouter(tags=["multipart uploads"])
    _route_begin(router, desk)
    _route_parts(router, desk)
    _route_end(router, desk)
    return router


def _route_begin(router: APIRouter, desk: Desk) -> None:
    @router.get(
        "/v1/s3/params",
        summary="Sign an upload in one piece, for Uppy",
        description="As `POST /v1/signed-uploads`, for a file whose size nobody says.",
        responses=describe_problems(404, 413, 415, 429, 502),
    )
    async def sign_params(
        request: Request,
        caller: RequiredCaller,
        type: Annotated[str, Query(max_length=200, examples=["image/png"])],
        filename: Annotated[str, Query(max_length=4096, examples=["my cat.png"])] = "",
        to: To = "",
    ) -> SignedUpload:
        query = request.query_params
        place = desk.find_open_place(caller, to or query.get("metadata[to]", ""))
        check_wish(place, type, 1)
        desk.admit(place, request)
        await desk.check_quota(place)
        name = (query.get("metadata[name]") or filename)[:4096]
        wanted = SignedUploadRequest(
            name=name, content_type=type, bytes=place.settings.max_bytes, sha256=None, method="POST"
        )
        return await sign_wish(place, wanted, bytes_from=1)

    @router.post(
        "/v1/s3/multipart",
        status_code=201,
        summary="Begin an upload in parts",
        responses=describe_problems(404, 413, 415, 429, 502),
    )
    async def begin_multipart(
        wanted: MultipartRequest, request: Request, caller: RequiredCaller, to: To = ""
    ) -> Multipart:
        place = desk.find_open_place(caller, to or str(wanted.metadata.get("to") or ""))
        check_wish(place, wanted.type, 1)
        desk.admit(place, request)
        await desk.check_quota(place)
        name = encode_name(str(wanted.metadata.get("name") or wanted.filename))
        headers = ObjectHeaders(
            wanted.type, content_disposition="attachment", metadata={NAME_METADATA: name} if name else {}
        )
        key = place.quarantine + make_name()
        upload_id = await ask_store(partial(place.store.begin_parts, key, headers))
        return Multipart(key=key, uploadId=upload_id)


def _route_parts(router: APIRouter, desk: Desk) -> None:
    @router.get(
        "/v1/s3/multipart/{uploadId}", summary="List the parts that have arrived", responses=describe_problems(404, 502)
    )
    async def list_parts(upload_id: UploadId, key: WaitingKey, caller: RequiredCaller) -> list[ArrivedPart]:
        place, _ = find_waiting(desk, caller, key)
        parts = await ask_store(partial(place.store.list_parts, key, upload_id))
        if parts is None:
            raise _no_such_multipart()
        return [ArrivedPart(PartNumber=part.number, ETag=part.etag, Size=part.size_bytes) for part in parts]

    @router.get(
        "/v1/s3/multipart/{uploadId}/batch",
        summary="Sign URLs for several parts",
        responses=describe_problems(404, 413, 502),
    )
    async def sign_parts(
        upload_id: UploadId,
        key: WaitingKey,
        caller: RequiredCaller,
        part_numbers: Annotated[
            str,
            Query(
                alias="partNumbers",
                description="Separated by commas.",
                pattern=r"^[0-9]{1,5}(,[0-9]{1,5})*$",
                max_length=6000,
                examples=["1,2,3"],
            ),
        ],
    ) -> PartUrls:
        place, _ = find_waiting(desk, caller, key)
        urls, ttl_s = await _sign(place, key, upload_id, [int(number) for number in part_numbers.split(",")])
        return PartUrls(presignedUrls=urls, expires=ttl_s)

    @router.get(
        "/v1/s3/multipart/{uploadId}/{partNumber}",
        summary="Sign a URL for one part",
        responses=describe_problems(404, 413, 502),
    )
    async def sign_part(
        upload_id: UploadId, part_number: PartNumber, key: WaitingKey, caller: RequiredCaller
    ) -> PartUrl:
        place, _ = find_waiting(desk, caller, key)
        urls, ttl_s = await _sign(place, key, upload_id, [part_number])
        return PartUrl(url=urls[str(part_number)], expires=ttl_s)


def _route_end(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/v1/s3/multipart/{uploadId}/complete",
        summary="Say that all parts have arrived",
        description="What they make is looked at now. Asking again gives the same answer.",
        responses=describe_problems(404, 409, 413, 415, 422, 502),
    )
    async def complete_multipart(
        upload_id: UploadId, wanted: CompleteRequest, key: WaitingKey, caller: RequiredCaller
    ) -> Completed:
        place, name = find_waiting(desk, caller, key)
        await ask_store(partial(_join, place, key, upload_id, wanted))
        uploaded = await complete_upload(desk, place, name)
        return Completed(**uploaded.model_dump(), location=uploaded.url, bucket=place.settings.bucket)

    @router.delete(
        "/v1/s3/multipart/{uploadId}",
        status_code=204,
        summary="Throw an upload in parts away",
        responses=describe_problems(404, 502),
    )
    async def abort_multipart(upload_id: UploadId, key: WaitingKey, caller: RequiredCaller) -> None:
        place, _ = find_waiting(desk, caller, key)
        await ask_store(partial(place.store.abort_parts, key, upload_id))


def find_waiting(desk: Desk, caller: Caller, key: str) -> tuple[Place, str]:
    """Give the upload that something waits for under this key, and its name. Raises: Problem (404)."""
    for settings in desk.service.uploads.values():
        prefix = settings.caller_quarantine(caller)
        is_open = settings.signed_uploads and may_use(caller, settings)
        if is_open and key.startswith(prefix) and is_name(key[len(prefix) :]):
            return desk.find_place(caller, settings.name), key[len(prefix) :]
    raise _no_such_multipart()


async def _sign(place: Place, key: str, upload_id: str, numbers: list[int]) -> tuple[dict[str, str], int]:
    """Give the URLs of parts by their numbers, and how long they live. Raises: Problem (413)."""
    # No part but the last is smaller than S3 allows: more parts than this were more bytes than the upload takes.
    most = min(_MOST_PARTS, -(-place.settings.max_bytes // _SMALLEST_PART_BYTES))
    if not all(1 <= number <= most for number in numbers):
        refusal = too_large(place.settings.max_bytes)
        refusal.hint += f": it has {most} parts at most"
        refusal.headers.clear()
        raise refusal
    links = await make_links(place, is_signed=True)
    signer = links.signer
    assert signer is not None  # noqa: S101 - `is_signed` gives one
    urls = {
        str(number): signer.sign_part(key, upload_id, number, ttl_s=links.ttl_s, now=links.now) for number in numbers
    }
    return urls, links.ttl_s


def _join(place: Place, key: str, upload_id: str, wanted: CompleteRequest) -> None:
    """Join the parts, unless that has been done; what is too large is thrown away unread. Raises: Problem."""
    arrived = place.store.list_parts(key, upload_id)
    if arrived is None:
        return  # joined already, or never begun: what waits under the key tells
    by_number = {part.number: part for part in arrived}
    asked = sorted(wanted.parts, key=lambda part: part.PartNumber)
    parts: list[Part] = []
    for one in asked:
        part = by_number.get(one.PartNumber)
        if part is None or part.etag.strip('"') != one.ETag.strip('"'):
            raise Problem(
                400,
                "no-such-part",
                f"part {one.PartNumber} has not arrived, or another one in its place",
                hint="list the parts, send what is missing, and complete again",
            )
        parts.append(part)
    if len({part.number for part in parts}) < len(parts):
        raise Problem(400, "no-such-part", "a part is named twice", hint="name each part once")
    if sum(part.size_bytes for part in parts) > place.settings.max_bytes:
        place.store.abort_parts(key, upload_id)
        refusal = too_large(place.settings.max_bytes)
        refusal.headers.clear()
        raise refusal
    place.store.join_parts(key, upload_id, parts)


def _no_such_multipart() -> Problem:
    hint = "begin a new one: `POST /v1/s3/multipart`"
    return Problem(404, "no-such-multipart", "there is no upload in parts of this id", hint=hint)
