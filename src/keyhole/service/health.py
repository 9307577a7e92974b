"""Whether the service runs, and whether it can work: for balancers, containers and people."""

from __future__ import annotations

import logging

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, Field

from keyhole.errors import AwsError
from keyhole.service.api import describe_problems
from keyhole.service.problems import RETRY_AFTER_S, Problem, store_problem
from keyhole.service.settings import Settings
from keyhole.service.store import Store

log = logging.getLogger("keyhole.service")


class Health(BaseModel):
    """How it is."""

    status: str = Field(examples=["ok"])


def make_health_router(settings: Settings, store: Store) -> APIRouter:
    """Give `/healthz`, which asks nobody, and `/readyz`, which lists the prefix."""
    router = APIRouter()

    @router.get("/healthz", summary="Whether the process runs")
    async def check_health() -> Health:
        return Health(status="ok")

    @router.get("/readyz", summary="Whether the store answers", responses=describe_problems(503))
    async def check_ready() -> Health:
        try:
            await to_thread.run_sync(lambda: store.list_objects(settings.prefix, limit=1))
        except AwsError as error:
            log.warning("not ready: %s", error)
            raise Problem(
                503,
                "not-ready",
                f"the images cannot be listed ({error.code})",
                hint=store_problem(error).hint,
                headers={"Retry-After": str(RETRY_AFTER_S)},
                extra={"aws_code": error.code},
            ) from error
        return Health(status="ready")

    return router
