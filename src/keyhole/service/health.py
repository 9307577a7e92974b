"""Whether the service runs, and whether it can work: for balancers, containers and people."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from fastapi import APIRouter
from pydantic import BaseModel, Field

from keyhole.errors import AwsError
from keyhole.service.api.answers import describe_problems
from keyhole.service.api.desk import Desk, ask_store
from keyhole.service.callers.caller import ANYONE
from keyhole.service.problems import RETRY_AFTER_S, Problem, store_problem

log = logging.getLogger("keyhole.service")


class Health(BaseModel):
    """How it is."""

    status: str = Field(examples=["ok"])


def make_health_router(desk: Desk) -> APIRouter:
    """Give `/healthz`, which asks nobody, and `/readyz`, which lists the prefix of each upload."""
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="Whether the process runs")
    async def check_health() -> Health:
        return Health(status="ok")

    @router.get("/readyz", summary="Whether the store answers", responses=describe_problems())
    async def check_ready() -> Health:
        for settings in desk.service.uploads.values():
            # The workload's own store: what it may do for each caller is less, and is asked for when they come.
            store = desk.open_store(replace(settings, role_arn=""), ANYONE)
            try:
                await ask_store(partial(store.list_objects, settings.prefix, limit=1))
            except AwsError as error:
                log.warning("not ready: %s", error)
                raise Problem(
                    503,
                    "not-ready",
                    f"the images of `{settings.name}` cannot be listed ({error.code})",
                    hint=store_problem(error).hint,
                    headers={"Retry-After": str(RETRY_AFTER_S)},
                    extra={"aws_code": error.code},
                ) from error
        return Health(status="ready")

    return router
