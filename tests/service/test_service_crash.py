"""The service is killed in the middle, and the store goes away: nothing that was promised is lost."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import httpx
from service_images import make_png
from service_process import ServiceProcess, relay, run_service

from gate_clients import Aws

_UPLOADS = 12


def _options(aws: Aws, bucket: str) -> dict[str, Any]:
    root = aws.root
    return {
        "bucket": bucket,
        "endpoint_url": aws.url,
        "is_public": False,
        "signed_uploads": True,
        "max_bytes": 20_000_000,
        "thumbnails": [64],
        "credentials": {"access_key_id": root.access_key_id, "secret_access_key": root.secret_access_key},
    }


def _stored(aws: Aws, bucket: str) -> dict[str, int]:
    pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", ())}


def _upload_until_it_dies(
    service: ServiceProcess, keys: list[str], done: dict[str, str], first: threading.Event
) -> None:
    """Upload one image under each idempotency key, and note what was acknowledged."""
    for key in keys:
        try:
            response = service.upload(make_png(40, 40, noise=bytes(300_000)), **{"Idempotency-Key": key})
        except httpx.TransportError:
            return
        if response.status_code == 201:
            done[key] = response.json()["key"]
            first.set()


def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(aws: Aws) -> None:
    """After SIGKILL every acknowledged image is whole; repeating the rest makes each exactly once."""
    bucket = aws.bucket()
    keys = [str(uuid.uuid4()) for _ in range(_UPLOADS)]
    done: dict[str, str] = {}
    first = threading.Event()
    with run_service(**_options(aws, bucket)) as service:
        threads = [
            threading.Thread(target=_upload_until_it_dies, args=(service, keys[start::4], done, first))
            for start in range(4)
        ]
        for thread in threads:
            thread.start()
        assert first.wait(60)
        service.kill()
        for thread in threads:
            thread.join()
    stored = _stored(aws, bucket)
    for key in done.values():
        assert stored[key] > 0
    with run_service(**_options(aws, bucket)) as service:
        again = {
            key: service.upload(make_png(40, 40, noise=bytes(300_000)), **{"Idempotency-Key": key}) for key in keys
        }
    assert {response.status_code for response in again.values()} == {201}
    assert done.items() <= {key: response.json()["key"] for key, response in again.items()}.items()
    images = [key for key in _stored(aws, bucket) if key.startswith("uploads/images/") and "thumbnails" not in key]
    assert len(images) == _UPLOADS


def test_a_kill_leaves_nothing_unchecked_outside_quarantine(aws: Aws) -> None:
    """What was sent to quarantine and never completed stays there; completing after the restart still works."""
    bucket = aws.bucket()
    data = make_png(40, 40, noise=bytes(300_000))
    wish = {"content_type": "image/png", "bytes": len(data)}
    with run_service(**_options(aws, bucket)) as service:
        signed = httpx.post(f"{service.url}v1/signed-uploads", json=wish, trust_env=False).json()
        httpx.post(signed["url"], data=signed["fields"], files={"file": data}, trust_env=False).raise_for_status()
        thread = threading.Thread(target=_complete, args=(service, signed["complete_url"]))
        thread.start()
        service.kill()
        thread.join()
    for key in _stored(aws, bucket):
        assert key == f"incoming/images/{signed['id']}" or signed["id"] in key
    with run_service(**_options(aws, bucket)) as service:
        response = _complete(service, signed["complete_url"])
        assert response is not None
        assert response.status_code == 201, response.text
    images = [key for key in _stored(aws, bucket) if "thumbnails" not in key]
    assert images == [f"uploads/images/{signed['id']}.png"]


def _complete(service: ServiceProcess, path: str) -> httpx.Response | None:
    try:
        return httpx.post(service.url + path[1:], trust_env=False, timeout=60)
    except httpx.TransportError:
        return None


def test_the_store_goes_away_and_comes_back(aws: Aws) -> None:
    """Meanwhile 503 with Retry-After, and ready is not; then everything works again, in the same process."""
    with (
        relay(aws.url) as between,
        run_service(**_options(aws, aws.bucket()) | {"endpoint_url": between.url}) as service,
    ):
        assert service.upload(make_png()).status_code == 201
        between.is_cut = True
        response = service.upload(make_png())
        assert response.status_code == 503, response.text
        assert response.headers["retry-after"] == "5"
        assert response.json()["type"] == "urn:keyhole:problem:store-unavailable"
        assert httpx.get(f"{service.url}readyz", trust_env=False).status_code == 503
        assert httpx.get(f"{service.url}healthz", trust_env=False).status_code == 200
        between.is_cut = False
        assert service.upload(make_png()).status_code == 201
        assert httpx.get(f"{service.url}readyz", trust_env=False).status_code == 200
