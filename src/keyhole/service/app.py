"""The upload service as an ASGI app: the API, its page, and problem documents for all that goes wrong."""

from __future__ import annotations

import logging
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from keyhole import __version__
from keyhole.errors import AwsError
from keyhole.service.api import make_router
from keyhole.service.guard import Guard
from keyhole.service.health import make_health_router
from keyhole.service.problems import Problem, render_problem, store_problem
from keyhole.service.settings import Settings
from keyhole.service.store import Store

log = logging.getLogger("keyhole.service")

PAGE_DIRECTORY = Path(__file__).parent / "page"
# Asked about each time, so that a new version shows at once; unchanged files cost an empty answer.
_PAGE_CACHE = {"Cache-Control": "no-cache"}


def create_app(settings: Settings, store: Store) -> FastAPI:
    """Give the service over one store. It holds no state: any number of them may run side by side."""
    app = FastAPI(
        title=f"{settings.app} uploads",
        version=__version__,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # these two would load scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(Guard, settings=settings)
    app.include_router(make_router(settings, store))
    app.include_router(make_health_router(settings, store))
    _answer_errors(app)

    @app.get("/", include_in_schema=False)
    async def read_page() -> FileResponse:
        return FileResponse(PAGE_DIRECTORY / "index.html", headers=_PAGE_CACHE)

    app.mount("/page", _PageFiles(directory=PAGE_DIRECTORY))
    return app


class _PageFiles(StaticFiles):
    """The page's own files, revalidated on every visit."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_PAGE_CACHE)
        return response


def _answer_errors(app: FastAPI) -> None:
    """Give every error that can end a request its problem document."""

    @app.exception_handler(Problem)
    async def answer_problem(_request: Request, error: Problem) -> Response:
        return render_problem(error)

    @app.exception_handler(AwsError)
    async def answer_store_failure(_request: Request, error: AwsError) -> Response:
        log.error("%s", error)
        return render_problem(store_problem(error))

    @app.exception_handler(RequestValidationError)
    async def answer_bad_parameters(_request: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(f"`{mistake['loc'][-1]}`: {mistake['msg'].lower()}" for mistake in error.errors())
        return render_problem(Problem(400, "bad-parameter", wrong, hint="/v1/openapi.json describes every parameter"))

    @app.exception_handler(HTTPException)
    async def answer_http_error(_request: Request, error: HTTPException) -> Response:
        details = {404: "there is nothing at this address", 405: "this address does not take this method"}
        detail = details.get(error.status_code, str(error.detail))
        hint = "/v1/openapi.json lists what there is" if error.status_code in details else ""
        kind = f"http-{error.status_code}"
        return render_problem(Problem(error.status_code, kind, detail, hint=hint, headers=error.headers))
