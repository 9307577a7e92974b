"""The page's session over HTTP: a token goes in once, and a cookie that no script can read stands for it."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from keyhole.service.callers.caller import ANYONE, Caller
from keyhole.service.callers.door import Door, refuse
from keyhole.service.callers.session import cookie_name
from keyhole.service.problems import MEDIA_TYPE

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": "Problem", "content": {MEDIA_TYPE: {}}} for status in (400, 401, 503)
}


class SessionRequest(BaseModel):
    """What opens a session."""

    token: str = Field(
        min_length=1,
        max_length=16384,
        description="An API token, or a JWT of the issuer.",
        examples=["kh_0a1b2c3d4e5f_0123456789abcdefghijABCDEFGHIJ0123456789abc"],
    )


class SessionState(BaseModel):
    """Who the visitor is."""

    name: str = Field(description="The caller's name; empty where the service knows no callers.", examples=["ana"])
    kind: str = Field(examples=["token"])
    group: str = Field(examples=["app"])
    expires_s: int | None = Field(
        description="For how many seconds the session goes on; null without one.", examples=[43200]
    )


def make_session_router() -> APIRouter:
    """Give `/v1/session`: POST begins it, GET says whose it is, DELETE ends it."""
    router = APIRouter(tags=["session"])

    @router.post("/v1/session", summary="Begin the page's session", responses=_PROBLEMS)
    async def begin_session(wanted: SessionRequest, request: Request, response: Response) -> SessionState:
        door: Door = request.app.state.door
        if door.is_open:
            return _describe(ANYONE, None)
        session = await door.admit(wanted.token.strip())
        request.state.caller = session.caller
        is_https = request.url.scheme == "https"
        left_s = session.expires_at - int(time.time())
        response.set_cookie(
            cookie_name(is_https=is_https),
            door.seal(session),
            max_age=max(left_s, 0),
            path="/",
            secure=is_https,
            httponly=True,
            samesite="strict",
        )
        return _describe(session.caller, left_s)

    @router.get("/v1/session", summary="Whose session it is", responses=_PROBLEMS)
    async def read_session(request: Request) -> SessionState:
        door: Door = request.app.state.door
        if door.is_open:
            return _describe(ANYONE, None)
        session = door.find_session(request.headers, is_https=request.url.scheme == "https")
        if session is None:
            raise refuse("there is no session")
        request.state.caller = session.caller
        return _describe(session.caller, session.expires_at - int(time.time()))

    @router.delete("/v1/session", status_code=204, summary="End the page's session")
    async def end_session(request: Request, response: Response) -> None:
        is_https = request.url.scheme == "https"
        response.delete_cookie(
            cookie_name(is_https=is_https), path="/", secure=is_https, httponly=True, samesite="strict"
        )

    return router


def _describe(caller: Caller, expires_s: int | None) -> SessionState:
    return SessionState(name=caller.name, kind=caller.kind.value, group=caller.group, expires_s=expires_s)
