"""What the app may do and why, for the people who use it: GET /v1/access."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, Field

from keyhole.service.problems import Problem

Picture = Callable[[], dict[str, Any] | None]
"""Gives the picture of access as it is known now, as `keyhole.verify.picture` describes; None where there is none."""


class AccessGrant(BaseModel):
    """What a workload may do in one bucket."""

    bucket: str = Field(examples=["images"])
    prefix: str = Field(examples=["uploads/images/"])
    verbs: list[str] = Field(examples=[["read", "write"]])


class AccessWorkload(BaseModel):
    """Something that runs, and what it was granted."""

    name: str = Field(examples=["api"])
    kind: str = Field(examples=["ec2"])
    runs_as: str = Field(examples=["role AIImageCommunityEC2Role"])
    grants: list[AccessGrant]


class AccessBucket(BaseModel):
    """A bucket, and what of it everyone may read."""

    key: str = Field(examples=["images"])
    name: str = Field(examples=["ai-image-community-123456789012"])
    public_prefixes: list[str] = Field(examples=[["uploads/images/"]])
    encryption: str = Field(examples=["AES256"])
    versioning: bool


class OnPaper(BaseModel):
    """What the policies decide."""

    holds: bool
    reason: str


class Probed(BaseModel):
    """What AWS said when it was tried."""

    verdict: str = Field(examples=["holds"])
    got: str = Field(examples=["denied"])
    reason: str


class AccessClaim(BaseModel):
    """What must hold, or must not, and how that is known; `probed` is null where nobody has tried it here."""

    id: str
    who: str = Field(examples=["api"])
    sentence: str
    action: str = Field(examples=["s3:PutObject"])
    resource: str
    expected: str = Field(examples=["can"])
    why: str
    on_paper: OnPaper | None
    probed: Probed | None


class Access(BaseModel):
    """The picture of an app's access."""

    app: str
    environment: str
    account: str
    workloads: list[AccessWorkload]
    buckets: list[AccessBucket]
    claims: list[AccessClaim]
    probed_at: str | None = Field(description="When `keyhole verify` was last run on this machine; null if never.")


def make_access_router(picture: Picture) -> APIRouter:
    """Give the route; the picture is drawn anew for each request, off the event loop."""
    router = APIRouter()

    @router.get("/v1/access", summary="Who can do what, and how that is known")
    async def read_access() -> Access:
        found = await to_thread.run_sync(picture)
        if found is None:
            hint = "it is drawn from AWS's policies; a store at an `endpoint` has none"
            raise Problem(404, "no-picture", "there is no picture of access here", hint=hint)
        return Access.model_validate(found)

    return router
