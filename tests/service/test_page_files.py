"""The page as files: two addresses, compressed, cached for as long as they hold, under a policy that opens nothing."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx
import pytest
from fastapi import FastAPI
from service_fakes import make_settings_for_test

from keyhole.service.guard import make_headers
from keyhole.service.page_files import serve_page
from keyhole.service.problems import Problem

_SCRIPT = b"console.log(1)\n" * 100


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """What a build makes."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "keyhole.svg").write_text("<svg/>")
    (tmp_path / "assets" / "index-abc.js").write_bytes(_SCRIPT)
    (tmp_path / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(_SCRIPT))
    return tmp_path


Get = Callable[..., httpx.Response]


@pytest.fixture
def get(directory: Path) -> Get:
    """Asks an app that has nothing but the page."""
    return _make_get(directory)


def _make_get(directory: Path) -> Get:
    app = FastAPI()
    serve_page(app, directory)

    def get(path: str, **headers: str) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
                return await client.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})

        return anyio.run(run)

    return get


@pytest.mark.parametrize("address", ["/", "/access"])
def test_both_addresses_are_the_same_document(get: Get, address: str) -> None:
    """It is asked about on each visit."""
    response = get(address)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-cache"
    assert "<title>page" in response.text


@pytest.mark.parametrize(
    ("accepted", "is_small"),
    [("gzip, br", True), ("br;q=1, GZIP;q=0.5", True), ("gzip;q=0", False), ("identity", False), ("", False)],
)
def test_scripts_go_out_compressed_where_that_is_understood(get: Get, accepted: str, *, is_small: bool) -> None:
    """What arrives is the same script, of the same type, and caches know that there are two."""
    response = get("/page/assets/index-abc.js", accept_encoding=accepted)
    assert response.content == _SCRIPT
    assert (response.headers.get("content-encoding") == "gzip") is is_small
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["vary"] == "Accept-Encoding"


def test_files_that_are_named_by_their_content_are_kept(get: Get) -> None:
    """For a year; others are asked about, and an answer without a body says that they are as they were."""
    assert get("/page/assets/index-abc.js").headers["cache-control"] == "public, max-age=31536000, immutable"
    first = get("/page/keyhole.svg")
    assert first.headers["cache-control"] == "no-cache"
    again = get("/page/keyhole.svg", if_none_match=first.headers["etag"])
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/page/nothing.js", "/page/../page_files.py", "/page/%2e%2e/secret", "/page/"])
def test_there_is_nothing_else(get: Get, directory: Path, path: str) -> None:
    """Neither what is not there, nor what lies beside the page."""
    (directory.parent / "secret").write_text("secret")
    assert get(path).status_code == 404


def test_a_page_that_was_not_built_says_how(tmp_path: Path) -> None:
    """The service works without it."""
    get = _make_get(tmp_path / "nowhere")
    with pytest.raises(Problem) as raised:
        get("/")
    assert raised.value.kind == "no-page"
    assert "make setup" in raised.value.hint


def _policy(*, signed_uploads: bool) -> dict[str, str]:
    settings = make_settings_for_test(signed_uploads=signed_uploads, endpoint_url="http://127.0.0.1:4566")
    policy = make_headers([settings])["Content-Security-Policy"]
    return dict(directive.partition(" ")[::2] for directive in policy.split("; "))


@pytest.mark.parametrize("signed_uploads", [False, True])
def test_the_policy_opens_what_the_page_needs_and_nothing_more(*, signed_uploads: bool) -> None:
    """No script or style but the service's files, nothing inline, no `data:`; the bucket alone may be sent to."""
    assert _policy(signed_uploads=signed_uploads) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' blob: http://127.0.0.1:4566",
        "connect-src": "'self' http://127.0.0.1:4566" if signed_uploads else "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }


def test_the_page_may_use_the_camera_and_no_other_device() -> None:
    """And only this page: whatever it might embed may not."""
    permissions = make_headers([make_settings_for_test()])["Permissions-Policy"]
    assert permissions == "camera=(self), geolocation=(), microphone=()"
