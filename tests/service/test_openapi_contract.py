"""The OpenAPI document holds: whatever fits it, and whatever does not, no answer is a failure of the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from service_client import ServiceClient
from service_fakes import make_service_for_test, make_settings_for_test

_CLIENT = ServiceClient(
    service=make_service_for_test(
        make_settings_for_test(is_public=False, signed_uploads=True, max_bytes=5_000, thumbnails=(320,)),
        make_settings_for_test(name="public", prefix="public/"),
    )
)
_DOCUMENT: dict[str, Any] = _CLIENT.ask("GET", "/v1/openapi.json").json()
schema = schemathesis.openapi.from_asgi("/v1/openapi.json", _CLIENT.app)


@schema.parametrize()
@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_no_request_makes_the_service_fail(case: Case[Any]) -> None:
    """No 5xx, and every answer is of a status that the document names for the address."""
    response = case.call()
    assert response.status_code < 500, response.text
    described = case.operation.definition.raw["responses"]
    if response.status_code not in {404, 405, 408, 413}:
        assert str(response.status_code) in described, (response.status_code, response.text)
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.json()["detail"]


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in _DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_field_and_parameter_has_an_example() -> None:
    """Whoever reads the document sees what each value looks like."""
    missing = []
    for name, operation in _operations():
        missing += [
            f"{name}: {parameter['name']}"
            for parameter in operation.get("parameters", ())
            if not ({"example", "examples"} & set(parameter) or _has_example(parameter["schema"]))
        ]
    for name, model in _DOCUMENT["components"]["schemas"].items():
        missing += [f"{name}.{field}" for field, one in model.get("properties", {}).items() if not _has_example(one)]
    assert missing == []


def _has_example(one: dict[str, Any]) -> bool:
    """Hold iff there is one, or the value is another model, a choice or a switch, which say it themselves."""
    inner = [one, *one.get("anyOf", ()), *([one["items"]] if isinstance(one.get("items"), dict) else [])]
    return any(
        {"examples", "example", "$ref", "enum", "const"} & set(part) or part.get("type") == "boolean" for part in inner
    )


def test_every_refusal_is_described_as_a_problem() -> None:
    """FastAPI's own 422 never goes out, and is not promised; what is, has the problem document's shape."""
    text = json.dumps(_DOCUMENT)
    assert "HTTPValidationError" not in text
    for name, operation in _operations():
        assert operation["summary"], name
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert "application/problem+json" in answer["content"], (name, status)


@pytest.mark.parametrize(
    "address",
    [
        "GET /v1/rules",
        "POST /v1/uploads",
        "GET /v1/uploads",
        "GET /v1/uploads/{key}/metadata",
        "GET /v1/uploads/{key}/url",
        "POST /v1/urls",
        "DELETE /v1/uploads/{key}",
        "POST /v1/signed-uploads",
        "POST /v1/signed-uploads/{id}/complete",
        "GET /v1/s3/params",
        "POST /v1/s3/multipart",
        "GET /v1/s3/multipart/{uploadId}",
        "GET /v1/s3/multipart/{uploadId}/{partNumber}",
        "GET /v1/s3/multipart/{uploadId}/batch",
        "POST /v1/s3/multipart/{uploadId}/complete",
        "DELETE /v1/s3/multipart/{uploadId}",
    ],
)
def test_every_address_is_described(address: str) -> None:
    """The document lists them all."""
    assert address in {name for name, _ in _operations()}
