"""Hostile files through the API, with real workers and a real bucket: refused with the reason, and nothing is left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aws_service import AwsServiceClient, send_form
from hostile_images import HOSTILE

from gate_clients import Aws
from keyhole.service.app import create_app
from keyhole.service.images.check import ImageChecker

_ALL = ("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp")


@pytest.fixture(scope="module")
def checker() -> Iterator[ImageChecker]:
    with ImageChecker(workers=1) as checker:
        yield checker


def open_client(aws: Aws, checker: ImageChecker) -> AwsServiceClient:
    client = AwsServiceClient(aws, content_types=_ALL)
    client.app = create_app(client.service, client.runtime, open_store=client.opener, checker=checker)
    client.ask("GET", "/nothing")
    return client


def test_nothing_of_the_corpus_gets_in(aws: Aws, checker: ImageChecker) -> None:
    """Sent directly, each is refused by a problem document that says why; the bucket is empty after all of them."""
    client = open_client(aws, checker)
    for name, hostile in HOSTILE.items():
        response = client.upload(hostile.make(), name)
        assert 400 <= response.status_code < 500, f"{name}: {response.status_code}"
        problem = response.json()
        assert problem["detail"], name
        assert problem["type"], name
    assert client.stored() == []


def test_nothing_of_the_corpus_is_promoted(aws: Aws, checker: ImageChecker) -> None:
    """Sent to the store itself, each is refused on completion, and gone from quarantine."""
    client = open_client(aws, checker)
    for name, hostile in HOSTILE.items():
        data = hostile.make()
        wish = {"name": name, "content_type": "image/png", "bytes": max(1, len(data))}
        signed = client.ask("POST", "/v1/signed-uploads", json=wish).json()
        sent = send_form(signed, data)
        response = client.ask("POST", signed["complete_url"])
        assert 400 <= response.status_code < 500, f"{name}: sent {sent.status_code}, completed {response.status_code}"
        assert response.json()["detail"], name
    assert client.stored() == []
