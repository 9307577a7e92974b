"""Listing and deleting, the health checks, and what holds for every response."""

from __future__ import annotations

import io
import logging

import pytest
from service_client import ServiceClient, problem_of
from service_fakes import make_settings_for_test, refusal
from service_images import make_png

from keyhole.service.store import ObjectHeaders


def _upload_many(client: ServiceClient, count: int) -> list[str]:
    return [client.upload(make_png(number + 1, 1)).json()["key"] for number in range(count)]


def _add(client: ServiceClient, key: str) -> None:
    client.store.put_object(key, io.BytesIO(b"x"), ObjectHeaders("image/png"))


def test_the_list_goes_through_everything_once() -> None:
    """Pages follow each other by continuation; the last has none; each image has its URL and size."""
    client = ServiceClient()
    keys = set(_upload_many(client, 5))
    seen: list[str] = []
    continuation = ""
    for _ in range(3):
        page = client.ask("GET", "/v1/uploads", params={"limit": 2, "continuation": continuation}).json()
        seen += [item["key"] for item in page["items"]]
        for item in page["items"]:
            assert item["url"] == f"http://127.0.0.1:4566/pictures/{item['key']}"
            assert item["content_type"] == "image/png"
            assert item["bytes"] == len(client.store.objects[item["key"]].data)
            assert item["uploaded_at"].endswith("Z")
        continuation = page["continuation"]
    assert page["continuation"] is None
    assert len(seen) == 5
    assert set(seen) == keys


def test_the_list_shows_only_what_is_under_the_prefix() -> None:
    """Neighbours and folder markers are not images; foreign files have no content type."""
    client = ServiceClient()
    for key in ("uploads/other/a.png", "uploads/images/", "uploads/images/sub/", "uploads/images/notes", "zz.png"):
        _add(client, key)
    _add(client, "uploads/images/thumbnails/320/a.webp")
    _add(client, "uploads/images/.idempotency/00")
    items = client.ask("GET", "/v1/uploads").json()["items"]
    assert [(item["key"], item["content_type"]) for item in items] == [("uploads/images/notes", None)]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "continuation=%00",
        "continuation=c2VjcmV0Lw",
        "continuation=ä",
        "continuation=a",
    ],
)
def test_bad_parameters_are_refused(query: str) -> None:
    """A limit out of range, or a continuation that no page gave, is 400; none reaches the store."""
    client = ServiceClient()
    response = client.ask("GET", f"/v1/uploads?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["hint"]
    assert client.store.asked == []


def test_a_private_list_has_signed_urls() -> None:
    """Each URL lives for `ttl_s`."""
    client = ServiceClient(make_settings_for_test(is_public=False))
    _upload_many(client, 1)
    (item,) = client.ask("GET", "/v1/uploads").json()["items"]
    assert "&X-Amz-Expires=600&" in item["url"]


def test_delete_takes_an_image_away() -> None:
    """204, and it is gone; a second time is no error, as with S3."""
    client = ServiceClient()
    (key,) = _upload_many(client, 1)
    assert client.ask("DELETE", f"/v1/uploads/{key}").status_code == 204
    assert client.store.objects == {}
    assert client.ask("DELETE", f"/v1/uploads/{key}").status_code == 204


@pytest.mark.parametrize(
    "path",
    [
        "uploads/other/a.png",
        "secret.png",
        "uploads/images/%2e%2e/secret.png",
        "uploads/images/..%2Fsecret.png",
        "uploads%2Fimages%2F..%2F..%2Fsecret.png",
        "uploads/images//a.png",
        "uploads/images/",
        "/uploads/images/a.png",
        "uploads/images/%00",
        "uploads/images/.idempotency/0a1b",
    ],
)
def test_delete_outside_the_prefix_is_refused(path: str) -> None:
    """No spelling reaches another object, and the store is not even asked."""
    client = ServiceClient()
    _add(client, "secret.png")
    client.store.asked.clear()
    problem_of(client.ask("DELETE", f"/v1/uploads/{path}"), 400, "bad-key")
    assert client.store.asked == []


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://service.test.evil.example"},
        {"Origin": "http://service.test", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_writes_from_other_sites_are_refused(method: str, headers: dict[str, str]) -> None:
    """A page elsewhere cannot make a visitor's browser upload or delete."""
    client = ServiceClient()
    _add(client, "uploads/images/a.png")
    client.store.asked.clear()
    path = "/v1/uploads" if method == "POST" else "/v1/uploads/uploads/images/a.png"
    problem_of(client.ask(method, path, headers=headers), 403, "cross-site")
    assert client.store.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://service.test"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://service.test"},
    ],
)
def test_writes_from_here_and_from_programs_are_taken(headers: dict[str, str]) -> None:
    """The own page and programs may write."""
    assert ServiceClient().upload(make_png(), headers=headers).status_code == 201


@pytest.mark.parametrize("path", ["/", "/v1/rules", "/v1/uploads", "/nothing", "/page/keyhole.svg", "/healthz"])
def test_every_response_has_safe_headers(path: str) -> None:
    """No framing, no sniffing, no foreign scripts, no referrer, and an id to ask about."""
    headers = ServiceClient().ask("GET", path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http://127.0.0.1:4566" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert len(headers["x-request-id"]) == 16


def test_health_does_not_ask_the_store() -> None:
    """The process runs, whatever the store does."""
    client = ServiceClient()
    client.store.failure = refusal("Unreachable", 0)
    assert client.ask("GET", "/healthz").json() == {"status": "ok"}
    assert client.store.asked == []


def test_readiness_says_why_not() -> None:
    """Ready means that the prefix can be listed; otherwise 503 with AWS's code."""
    client = ServiceClient()
    assert client.ask("GET", "/readyz").json() == {"status": "ready"}
    client.store.failure = refusal("AccessDenied", 403)
    response = client.ask("GET", "/readyz")
    body = problem_of(response, 503, "not-ready")
    assert body["aws_code"] == "AccessDenied"
    assert "TopSecretRole" not in response.text
    assert response.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("PUT", "/v1/uploads", 405), ("GET", "/page/../app.py", 404)],
)
def test_unknown_addresses_are_problems_too(method: str, path: str, status: int) -> None:
    """404 and 405 are problem documents as all others."""
    problem_of(ServiceClient().ask(method, path), status, f"http-{status}")


def test_rules_tell_what_is_taken() -> None:
    """The page and programs learn the limits from the service."""
    assert ServiceClient(make_settings_for_test(is_public=False)).ask("GET", "/v1/rules").json() == {
        "app": "ai-image-community",
        "caller": None,
        "uploads": [
            {
                "name": "images",
                "content_types": ["image/png", "image/jpeg", "image/gif", "image/webp"],
                "max_bytes": 100_000,
                "max_pixels": 50_000_000,
                "is_public": False,
                "ttl_s": 600,
                "max_ttl_s": 3600,
                "thumbnails": [],
                "signed_uploads": False,
                "per_caller": False,
            }
        ],
    }


def test_openapi_describes_the_upload() -> None:
    """Programs find the form's field in the document."""
    document = ServiceClient().ask("GET", "/v1/openapi.json").json()
    form = document["paths"]["/v1/uploads"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]


def test_a_request_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Method, path, status, duration and id; no request can add a line, nor is its query written down."""
    caplog.set_level(logging.INFO, logger="keyhole.service")
    response = ServiceClient().ask("GET", "/a%0aFORGED?token=secret")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "keyhole.service"]
    assert line.startswith("GET /a%0AFORGED 404 ")
    assert response.headers["x-request-id"] in line
    assert "secret" not in line
