"""The page: files that the build made, sent compressed where the browser takes that, and kept for as long as they hold.

The build is not part of the repository: `make setup` makes it from `page/`, and a wheel carries it.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from keyhole.service.problems import Problem

PAGE_DIRECTORY = Path(__file__).parent / "page"
ROUTES = ("/", "/access")
"""The page's own addresses: one document, which looks at its address."""

# Asked about each time, so that a new version shows at once; unchanged files cost an empty answer.
_REVALIDATED = "no-cache"
# The name of such a file is that of its content.
_FOREVER = "public, max-age=31536000, immutable"


def serve_page(app: FastAPI, directory: Path = PAGE_DIRECTORY) -> None:
    """Let the app answer with the page, or say where it is not built."""

    async def read_page() -> FileResponse:
        index = directory / "index.html"
        if not index.is_file():
            hint = "`make setup` builds it; the API works without"
            raise Problem(404, "no-page", "this installation has no page", hint=hint)
        return FileResponse(index, headers={"Cache-Control": _REVALIDATED})

    for route in ROUTES:
        app.get(route, include_in_schema=False)(read_page)
    app.mount("/page", PageFiles(directory=directory, check_dir=False))


class PageFiles(StaticFiles):
    """The page's own files; beside each of text lies a compressed one."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        is_small = path.endswith((".js", ".css", ".svg")) and _takes_gzip(Headers(scope=scope))
        is_small = is_small and self.lookup_path(f"{path}.gz")[1] is not None
        response = await super().get_response(f"{path}.gz" if is_small else path, scope)
        if is_small:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = _FOREVER if path.startswith("assets/") else _REVALIDATED
        return response


def _takes_gzip(headers: Headers) -> bool:
    names = (part.split(";") for part in headers.get("accept-encoding", "").lower().split(","))
    return any(name.strip() == "gzip" and "q=0" not in (one.strip() for one in more) for name, *more in names)
