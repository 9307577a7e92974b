"""What a route asks for to know its caller: `caller: Caller = Depends(require_caller)`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from keyhole.service.callers.caller import Caller, CallerKind
from keyhole.service.callers.door import Door
from keyhole.service.problems import Problem
from keyhole.service.settings import Settings


async def require_caller(request: Request) -> Caller:
    """Give the caller, and let the request's log line know. Raises: Problem (401; 503 where nobody can be known)."""
    door: Door = request.app.state.door
    caller = await door.identify(request.headers, is_https=request.scope.get("scheme") == "https")
    request.state.caller = caller
    return caller


RequiredCaller = Annotated[Caller, Depends(require_caller)]


def may_use(caller: Caller, settings: Settings) -> bool:
    """Hold iff the upload is open to this caller."""
    if not settings.callers:
        return caller.kind is CallerKind.ANYONE
    return caller.group in settings.callers


def check_may_use(caller: Caller, settings: Settings) -> None:
    """Return if the upload is open to this caller. Raises: Problem (403)."""
    if not may_use(caller, settings):
        raise Problem(
            403,
            "not-your-upload",
            f"upload `{settings.name}` is not open to you",
            hint="`GET /v1/rules` lists those that are",
        )
