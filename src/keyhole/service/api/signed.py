"""Signed uploads: the browser sends to the store itself, into quarantine, and then says that it is done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from keyhole.service.api.answers import NAME, SHA256, WHEN, Uploaded, describe_problems
from keyhole.service.api.completion import complete_upload
from keyhole.service.api.desk import Desk, Place
from keyhole.service.api.links import make_links
from keyhole.service.api.uploads import To
from keyhole.service.callers.require import RequiredCaller
from keyhole.service.checksums import AMAZON, encode_sha256
from keyhole.service.form import too_large
from keyhole.service.intake import NAME as NAME_METADATA
from keyhole.service.intake import SHA256 as SHA256_METADATA
from keyhole.service.keys import encode_name, is_name, make_name
from keyhole.service.problems import Problem

_BUCKET_URL = "https://pictures.s3.ap-northeast-2.amazonaws.com/"
_WAITING = f"incoming/images/{NAME}"


class SignedUploadRequest(BaseModel):
    """What is to be uploaded. Nothing of it is believed: the store holds the browser to it, and the bytes decide."""

    name: str = Field("", max_length=4096, description="What the file is called.", examples=["my cat.png"])
    content_type: str = Field(max_length=200, examples=["image/png"])
    bytes: int = Field(gt=0, le=5 * 1024**4, description="How large it is, exactly.", examples=[34567])
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of the file, hexadecimal: it is signed, and the store refuses other bytes.",
        examples=[SHA256],
    )
    method: Literal["POST", "PUT"] = Field(
        "POST", description="By which method it is sent: a form (POST), or the bare bytes (PUT)."
    )


class SignedUpload(BaseModel):
    """Where to send it, and what to do then."""

    id: str = Field(examples=[NAME])
    method: Literal["POST", "PUT"]
    url: str = Field(examples=[_BUCKET_URL])
    fields: dict[str, str] = Field(
        description="For POST: fields of the form, before the file, which is called `file` and comes last.",
        examples=[{"key": _WAITING, "Content-Type": "image/png", "policy": "eyJleHBpcmF0aW9uIjog…"}],
    )
    headers: dict[str, str] = Field(description="For PUT: headers to send, exactly.", examples=[{}])
    expires_at: datetime = Field(examples=[WHEN])
    complete_url: str = Field(
        description="POST there when it is sent: until then nobody sees it.",
        examples=[f"/v1/signed-uploads/{NAME}/complete?to=images"],
    )


UploadId = Annotated[str, Path(alias="id", description="As the signed upload said.", examples=[NAME], max_length=100)]


def make_signed_router(desk: Desk) -> APIRouter:
    """Give the routes of signed uploads."""
    router = APIRouter(tags=["signed uploads"])

    @router.post(
        "/v1/signed-uploads",
        status_code=201,
        summary="Sign an upload to the store itself",
        responses=describe_problems(404, 413, 415, 429, 502),
    )
    async def sign_upload(
        wanted: SignedUploadRequest, request: Request, caller: RequiredCaller, to: To = ""
    ) -> SignedUpload:
        place = desk.find_open_place(caller, to)
        check_wish(place, wanted.content_type, wanted.bytes)
        desk.admit(place, request)
        await desk.check_quota(place)
        return await sign_wish(place, wanted)

    @router.post(
        "/v1/signed-uploads/{id}/complete",
        status_code=201,
        summary="Say that an upload to the store itself is done",
        description="It is looked at now. Asking again gives the same answer.",
        responses=describe_problems(404, 409, 413, 415, 422, 502),
    )
    async def complete_signed(upload_id: UploadId, response: Response, caller: RequiredCaller, to: To = "") -> Uploaded:
        place = desk.find_open_place(caller, to)
        check_upload_id(upload_id)
        uploaded = await complete_upload(desk, place, upload_id)
        response.headers["Location"] = uploaded.url
        return uploaded

    return router


def check_upload_id(upload_id: str) -> None:
    """Return if it is one. Raises: Problem (404)."""
    if not is_name(upload_id):
        hint = "`POST /v1/signed-uploads` gives one"
        raise Problem(404, "no-such-upload-id", "there is no upload of this id", hint=hint)


def check_wish(place: Place, content_type: str, size_bytes: int) -> None:
    """Return if such a file may be taken at all. Raises: Problem (413, 415)."""
    taken = place.settings.content_types
    if content_type not in taken:
        detail = f"`{content_type[:100]}` is not taken here"
        raise Problem(415, "wrong-type", detail, hint=f"send one of {', '.join(taken)}")
    if size_bytes > place.settings.max_bytes:
        refusal = too_large(place.settings.max_bytes)
        refusal.headers.clear()  # nothing of the file is on its way
        raise refusal


async def sign_wish(place: Place, wanted: SignedUploadRequest, *, bytes_from: int | None = None) -> SignedUpload:
    """Give where to send a file of exactly these bytes, or of `bytes_from` to these. Raises: Problem."""
    links = await make_links(place, is_signed=True)
    signer = links.signer
    assert signer is not None  # noqa: S101 - `is_signed` gives one
    name = make_name()
    key = place.quarantine + name
    stored = _metadata(wanted)
    fields: dict[str, str] = {}
    headers: dict[str, str] = {}
    if wanted.method == "POST":
        url = place.settings.base_url
        fields = signer.sign_form(
            place.settings.bucket,
            {"key": key, "Content-Type": wanted.content_type, "success_action_status": "201", **stored},
            bytes_from=wanted.bytes if bytes_from is None else bytes_from,
            bytes_to=wanted.bytes,
            ttl_s=links.ttl_s,
            now=links.now,
        )
    else:
        headers = {"content-type": wanted.content_type, **stored}
        length = {"content-length": str(wanted.bytes)}  # which every client sends by itself
        url = signer.sign_put(key, headers | length, ttl_s=links.ttl_s, now=links.now)
    expires_at = links.expires_at
    assert expires_at is not None  # noqa: S101 - signed URLs expire
    return SignedUpload(
        id=name,
        method=wanted.method,
        url=url,
        fields=fields,
        headers=headers,
        expires_at=expires_at,
        complete_url=f"/v1/signed-uploads/{name}/complete?to={place.settings.name}",
    )


def _metadata(wanted: SignedUploadRequest) -> dict[str, str]:
    """Give what is signed beside key and type. The checksum is there twice: not every store that speaks S3 heeds it.

    AWS: Amazon S3 API Reference, "POST Object" and PutObject: a body with another digest is refused (BadDigest).
    """
    stored: dict[str, str] = {}
    if wanted.sha256:
        stored = {AMAZON: encode_sha256(wanted.sha256), f"x-amz-meta-{SHA256_METADATA}": wanted.sha256}
    encoded = encode_name(wanted.name)
    return stored | {f"x-amz-meta-{NAME_METADATA}": encoded} if encoded else stored
