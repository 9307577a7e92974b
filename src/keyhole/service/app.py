"""The upload service as an ASGI app: the API, its page, and problem documents for all that goes wrong."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from keyhole import __version__
from keyhole.errors import AwsError
from keyhole.service.access import make_access_router
from keyhole.service.api.answers import ProblemDocument
from keyhole.service.api.desk import Crowd, Desk, Turns
from keyhole.service.api.gallery import make_gallery_router
from keyhole.service.api.multipart import make_multipart_router
from keyhole.service.api.rules import make_rules_router
from keyhole.service.api.signed import make_signed_router
from keyhole.service.api.uploads import make_uploads_router
from keyhole.service.api.urls import make_urls_router
from keyhole.service.callers.session_routes import make_session_router
from keyhole.service.guard import Guard, make_headers
from keyhole.service.health import make_health_router
from keyhole.service.images.checked import Checker
from keyhole.service.metrics import make_metrics_router
from keyhole.service.operation import read_networks
from keyhole.service.page_files import serve_page
from keyhole.service.patience import Patience
from keyhole.service.problems import Problem, render_problem, store_problem
from keyhole.service.runtime import Runtime
from keyhole.service.settings import Service
from keyhole.service.store import OpenStore

log = logging.getLogger("keyhole.service")


def create_app(
    service: Service,
    runtime: Runtime,
    *,
    open_store: OpenStore,
    checker: Checker,
    directory: Path | None = None,
) -> FastAPI:
    """Give one process of the service. What it knows is in the bucket: any number of them may run side by side.

    `directory`: where files wait while they are looked at, by default the system's temporary folder.
    """
    app = FastAPI(
        title=f"{service.app} uploads",
        version=__version__,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # these two would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host that the client says
    )
    app.state.door = runtime.door
    app.state.runtime = runtime
    app.add_middleware(Patience)
    app.add_middleware(Guard, headers=make_headers(service.uploads.values()), runtime=runtime)
    desk = Desk(
        service,
        open_store,
        checker,
        runtime,
        receiving=Crowd(max(1, runtime.operation.max_in_flight // 2)),
        checks=Turns(runtime.operation.checks_at_once),
        directory=directory,
    )
    app.include_router(make_urls_router(desk))
    app.include_router(make_uploads_router(desk))
    app.include_router(make_gallery_router(desk))
    app.include_router(make_rules_router(desk))
    app.include_router(make_signed_router(desk))
    app.include_router(make_multipart_router(desk))
    app.include_router(make_access_router(runtime.operation.picture, runtime.operation.probes_file))
    app.include_router(make_session_router())
    app.include_router(make_health_router(desk))
    app.include_router(make_metrics_router(runtime.metrics, read_networks(runtime.operation.metrics_from, "")))
    _answer_errors(app)
    _describe(app)
    serve_page(app)
    return app


def _describe(app: FastAPI) -> None:
    """Let the OpenAPI document have the problem document, which no route returns by itself."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
            document.setdefault("components", {}).setdefault("schemas", {})["ProblemDocument"] = schema
            for path in document["paths"].values():
                for operation in path.values():
                    # FastAPI's own refusal, which never goes out: bad parameters are answered by a problem.
                    if "application/problem+json" not in operation["responses"].get("422", {}).get("content", {}):
                        operation["responses"].pop("422", None)
            for unused in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(unused, None)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change the document


def _answer_errors(app: FastAPI) -> None:
    """Give every error that can end a request its problem document."""

    def answer(request: Request, problem: Problem) -> Response:
        request.state.problem = problem.kind
        return render_problem(problem, request.state.request_id)

    @app.exception_handler(Problem)
    async def answer_problem(request: Request, error: Problem) -> Response:
        return answer(request, error)

    @app.exception_handler(AwsError)
    async def answer_store_failure(request: Request, error: AwsError) -> Response:
        log.error("request %s: %s", request.state.request_id, error)
        request.state.store_error = error.code
        return answer(request, store_problem(error))

    @app.exception_handler(RequestValidationError)
    async def answer_bad_parameters(request: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(f"`{mistake['loc'][-1]}`: {mistake['msg'].lower()}" for mistake in error.errors()[:5])
        return answer(
            request, Problem(400, "bad-parameter", wrong[:1000], hint="/v1/openapi.json describes every parameter")
        )

    @app.exception_handler(HTTPException)
    async def answer_http_error(request: Request, error: HTTPException) -> Response:
        # FastAPI wraps what goes wrong while it reads a body.
        if isinstance(error.__cause__, Problem):
            return answer(request, error.__cause__)
        if isinstance(error.__cause__, ClientDisconnect):
            raise error.__cause__
        details = {404: "there is nothing at this address", 405: "this address does not take this method"}
        detail = details.get(error.status_code, str(error.detail))
        hint = "/v1/openapi.json lists what there is" if error.status_code in details else ""
        kind = f"http-{error.status_code}"
        return answer(request, Problem(error.status_code, kind, detail, hint=hint, headers=error.headers))
