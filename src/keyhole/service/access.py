"""What the app may do and why, for the people who use it: GET /v1/access."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, Field

from keyhole.service.api.answers import describe_problems
from keyhole.service.callers.require import RequiredCaller
from keyhole.service.problems import Problem


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
    versioning: bool = Field(examples=[False])


class OnPaper(BaseModel):
    """What the policies say, of all requests that it is about; `holds` is null where that is not known."""

    holds: bool | None
    reason: str = Field(examples=["allowed by Allow of KeyholeApi"])


class Probed(BaseModel):
    """What AWS said when it was tried."""

    verdict: str = Field(examples=["holds"])
    got: str = Field(examples=["denied"])
    reason: str = Field(examples=["no identity-based policy allows s3:PutObject"])


class AccessClaim(BaseModel):
    """What must hold, or must not, and how that is known; `probed` is null where nobody has tried it here."""

    id: str = Field(examples=["api.images.write"])
    who: str = Field(examples=["api"])
    sentence: str = Field(examples=["`api` can write to uploads/images/ of `images`"])
    action: str = Field(examples=["s3:PutObject"])
    resource: str = Field(examples=["arn:aws:s3:::ai-image-community-123456789012/uploads/images/a.png"])
    expected: str = Field(examples=["can"])
    why: str = Field(examples=["the file grants it"])
    place: str = Field(examples=["keyhole.toml:12"])
    on_paper: OnPaper | None
    probed: Probed | None


class AccessProof(BaseModel):
    """That nothing was granted which the file does not ask for, of one workload, bucket or role."""

    id: str = Field(examples=["workload.api.nothing-more"])
    sentence: str = Field(examples=["workload api can do nothing that the file does not ask for"])
    why: str = Field(examples=["its grants are all it may do"])
    place: str = Field(examples=["keyhole.toml:12"])
    on_paper: OnPaper


class Access(BaseModel):
    """The picture of an app's access."""

    app: str = Field(examples=["ai-image-community"])
    environment: str = Field(examples=["default"])
    account: str = Field(examples=["123456789012"])
    workloads: list[AccessWorkload]
    buckets: list[AccessBucket]
    claims: list[AccessClaim]
    nothing_more: list[AccessProof]
    probed_at: str | None = Field(
        description="When `keyhole verify` was last run on this machine; null if never.",
        examples=["2026-11-21T09:30:00Z"],
    )


def make_access_router(picture: Mapping[str, Any] | None, probes_file: Path | None) -> APIRouter:
    """Give the route. What was tried last is read for each request: `keyhole verify` may have run since."""
    router = APIRouter(tags=["access"])

    @router.get("/v1/access", summary="Who can do what, and how that is known", responses=describe_problems(404))
    async def read_access(_caller: RequiredCaller) -> Access:
        if picture is None:
            hint = "it is drawn from AWS's policies; a store at an `endpoint` has none"
            raise Problem(404, "no-picture", "there is no picture of access here", hint=hint)
        probes = await to_thread.run_sync(_read_probes, probes_file)
        return Access.model_validate(_add_probes(picture, probes) if probes else picture)

    return router


def _read_probes(file: Path | None) -> Mapping[str, Any] | None:
    """Give what was found last, None if nothing was or it cannot be read."""
    if file is None:
        return None
    try:
        found = json.loads(file.read_text("utf-8"))
        return {"at": str(found["at"]), "claims": {str(claim["id"]): claim for claim in found["claims"]}}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _add_probes(picture: Mapping[str, Any], probes: Mapping[str, Any]) -> dict[str, Any]:
    claims = [
        {**claim, "probed": {name: tried[name] for name in ("verdict", "got", "reason")}}
        if (tried := probes["claims"].get(claim["id"]))
        else claim
        for claim in picture["claims"]
    ]
    return {**picture, "claims": claims, "probed_at": probes["at"]}
