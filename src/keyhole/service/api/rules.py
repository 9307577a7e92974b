"""GET /v1/rules: what the service takes from whoever asks."""

from __future__ import annotations

from fastapi import APIRouter

from keyhole.service.api.answers import CallerAnswer, Rules, UploadRules, describe_problems
from keyhole.service.api.desk import Desk
from keyhole.service.callers.caller import Caller, CallerKind
from keyhole.service.callers.require import RequiredCaller, may_use
from keyhole.service.settings import Settings


def make_rules_router(desk: Desk) -> APIRouter:
    """Give the route of the rules."""
    router = APIRouter(tags=["uploads"])

    @router.get("/v1/rules", summary="What the service takes", responses=describe_problems())
    async def read_rules(caller: RequiredCaller) -> Rules:
        return Rules(
            app=desk.service.app,
            uploads=[
                describe_upload(settings) for settings in desk.service.uploads.values() if may_use(caller, settings)
            ],
            caller=_describe_caller(caller),
        )

    return router


def describe_upload(settings: Settings) -> UploadRules:
    """Give the rules of one upload."""
    return UploadRules(
        name=settings.name,
        content_types=list(settings.content_types),
        max_bytes=settings.max_bytes,
        max_pixels=settings.max_pixels,
        is_public=settings.is_public,
        ttl_s=None if settings.is_public else settings.signed_ttl_s,
        max_ttl_s=settings.max_ttl_s,
        thumbnails=list(settings.thumbnails),
        signed_uploads=settings.signed_uploads,
        per_caller=settings.per_caller,
    )


def _describe_caller(caller: Caller) -> CallerAnswer | None:
    return None if caller.kind is CallerKind.ANYONE else CallerAnswer(name=caller.name, kind=caller.kind.value)
