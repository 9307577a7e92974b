"""Signed uploads against the local AWS: what the browser may send, and what becomes of it."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from typing import Any

import pytest
from aws_service import AwsServiceClient, Send, send_form, send_put
from service_client import ServiceClient, problem_of
from service_fakes import make_settings_for_test
from service_images import make_gif, make_png

from gate_clients import Aws
from keyhole.service.store import ObjectHeaders

_PNG = make_png(30, 20)


def _wish(data: bytes = _PNG, **more: object) -> dict[str, object]:
    return {"name": "my cat.png", "content_type": "image/png", "bytes": len(data), **more}


def _sign(client: ServiceClient, data: bytes = _PNG, **more: object) -> dict[str, Any]:
    response = client.ask("POST", "/v1/signed-uploads", json=_wish(data, **more))
    assert response.status_code == 201, response.text
    signed: dict[str, Any] = response.json()
    return signed


@pytest.mark.parametrize(("method", "send"), [("POST", send_form), ("PUT", send_put)])
def test_what_was_sent_is_promoted_once_it_was_looked_at(aws: Aws, method: str, send: Send) -> None:
    """Until completion it is in quarantine alone; then it is under the prefix with its thumbnails, and nowhere else."""
    client = AwsServiceClient(aws)
    signed = _sign(client, name="내 고양이.png", method=method)
    sent = send(signed, _PNG)
    assert sent.status_code in {200, 201}, sent.text
    assert client.stored() == [f"incoming/images/{signed['id']}"]
    response = client.ask("POST", signed["complete_url"])
    assert response.status_code == 201, response.text
    uploaded = response.json()
    assert uploaded["key"] == f"uploads/images/{signed['id']}.png"
    assert uploaded["name"] == "내 고양이.png"
    assert (uploaded["width"], uploaded["height"]) == (30, 20)
    assert uploaded["sha256"] == hashlib.sha256(_PNG).hexdigest()
    assert client.stored() == [f"uploads/images/thumbnails/320/{signed['id']}.webp", uploaded["key"]]
    head = client.s3.head_object(Bucket=client.bucket, Key=uploaded["key"])
    assert head["ContentType"] == "image/png"
    assert head["ContentDisposition"] == "inline"
    assert head["Metadata"]["sha256"] == uploaded["sha256"]


def test_stripped_images_are_put_anew(aws: Aws) -> None:
    """What the check has changed is stored as the check left it, not as it came."""
    client = AwsServiceClient(aws)
    data = make_png(noise=b"EXIF with a place")
    signed = _sign(client, data)
    send_form(signed, data)
    uploaded = client.ask("POST", signed["complete_url"]).json()
    stored = client.s3.get_object(Bucket=client.bucket, Key=uploaded["key"])["Body"].read()
    assert b"EXIF" not in stored
    assert hashlib.sha256(stored).hexdigest() == uploaded["sha256"]


@pytest.mark.parametrize(("method", "send"), [("POST", send_form), ("PUT", send_put)])
def test_the_store_holds_the_browser_to_what_was_signed(aws: Aws, method: str, send: Send) -> None:
    """Another length, type, key or name than was signed is refused by the store itself."""
    client = AwsServiceClient(aws)
    signed = _sign(client, method=method)
    assert send(signed, _PNG + b"x").status_code >= 400
    assert send(signed, _PNG[:-1]).status_code >= 400
    place = "fields" if method == "POST" else "headers"
    for name in signed[place]:
        if name in {"policy", "x-amz-signature"} or (name.startswith("x-amz-") and "meta" not in name):
            continue
        assert send({**signed, place: {**signed[place], name: "text/html"}}, _PNG).status_code >= 400
    assert client.stored() == []


def test_completing_again_gives_the_same_answer(aws: Aws) -> None:
    """Whatever is sent to the finished name in between is thrown away, and never becomes public."""
    client = AwsServiceClient(aws)
    signed = _sign(client)
    send_form(signed, _PNG)
    first = client.ask("POST", signed["complete_url"]).json()
    send_form(signed, make_png(30, 20, (1, 2, 3))[: len(_PNG)].ljust(len(_PNG)))
    second = client.ask("POST", signed["complete_url"])
    assert second.status_code == 201
    assert {**second.json(), "url": "", "thumbnails": {}} == {**first, "url": "", "thumbnails": {}}
    assert [key for key in client.stored() if key.startswith("incoming/")] == []
    assert client.s3.get_object(Bucket=client.bucket, Key=first["key"])["Body"].read() == _PNG


def test_completions_at_the_same_time_make_one_object(aws: Aws) -> None:
    """Six services complete one upload at once: those that answer give the same image, and there is one."""
    first = AwsServiceClient(aws)
    clients = [first, *(AwsServiceClient(aws, first.bucket) for _ in range(5))]
    signed = _sign(first)
    send_form(signed, _PNG)
    answers: list[tuple[int, str]] = []

    def complete(client: AwsServiceClient) -> None:
        response = client.ask("POST", signed["complete_url"])
        answers.append((response.status_code, response.json().get("key", "")))

    threads = [threading.Thread(target=complete, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    key = f"uploads/images/{signed['id']}.png"
    assert {status for status, _ in answers} <= {201, 409}
    assert {given for status, given in answers if status == 201} == {key}
    assert [found for found in first.stored() if "thumbnails" not in found] == [key]


def test_what_is_refused_is_deleted(aws: Aws) -> None:
    """Neither quarantine nor prefix keep anything of a file that is no image, or of another type."""
    client = AwsServiceClient(aws)
    for data, status, kind in (
        (b"<svg onload=alert(1)>", 400, "not-an-image"),
        (b"BM" + bytes(40), 415, "wrong-type"),
    ):
        signed = _sign(client, data)
        assert send_form(signed, data).status_code == 201
        problem_of(client.ask("POST", signed["complete_url"]), status, kind)
        assert client.stored() == []
        problem_of(client.ask("POST", signed["complete_url"]), 404, "nothing-arrived")


def test_the_bytes_decide_and_not_the_type_that_was_told(aws: Aws) -> None:
    """A GIF that was called a PNG is a GIF."""
    client = AwsServiceClient(aws)
    data = make_gif()
    signed = _sign(client, data)
    send_form(signed, data)
    uploaded = client.ask("POST", signed["complete_url"]).json()
    assert uploaded["content_type"] == "image/gif"
    assert uploaded["key"].endswith(".gif")


@pytest.mark.parametrize(("method", "send"), [("POST", send_form), ("PUT", send_put)])
def test_the_store_holds_the_browser_to_the_checksum(aws: Aws, method: str, send: Send) -> None:
    """Other bytes than those whose SHA-256 was told are refused by the store, and leave nothing; the true ones pass."""
    client = AwsServiceClient(aws)
    signed = _sign(client, sha256=hashlib.sha256(_PNG).hexdigest(), method=method)
    other = _PNG[:-1] + bytes([_PNG[-1] ^ 1])
    refused = send(signed, other)
    assert (refused.status_code, b"<Code>BadDigest</Code>" in refused.content) == (400, True)
    place = "fields" if method == "POST" else "headers"
    digest = base64.b64encode(hashlib.sha256(other).digest()).decode()
    assert send({**signed, place: {**signed[place], "x-amz-checksum-sha256": digest}}, other).status_code == 403
    without = {name: value for name, value in signed[place].items() if name != "x-amz-checksum-sha256"}
    assert send({**signed, place: without}, other).status_code == 403
    assert client.stored() == []
    problem_of(client.ask("POST", signed["complete_url"]), 404, "nothing-arrived")
    assert send(signed, _PNG).status_code in {200, 201}
    assert client.ask("POST", signed["complete_url"]).status_code == 201


def test_a_store_that_heeds_no_checksum_is_no_way_around_it() -> None:
    """What came and is not what was told is refused on completion, unseen, and deleted."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True))
    name = _sign(client, sha256="ab" * 32)["id"]
    headers = ObjectHeaders("image/png", metadata={"sha256": "ab" * 32})
    client.store.put_object(f"incoming/images/{name}", io.BytesIO(_PNG), headers)
    problem_of(client.ask("POST", f"/v1/signed-uploads/{name}/complete"), 422, "wrong-checksum")
    assert client.checker.seen == []
    assert client.store.objects == {}


def test_what_lies_there_and_is_too_large_is_never_read() -> None:
    """Whoever got something larger into quarantine has it deleted unread."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True, max_bytes=1000))
    name = _sign(client)["id"]
    _put(client, f"incoming/images/{name}", bytes(1001))
    problem_of(client.ask("POST", f"/v1/signed-uploads/{name}/complete"), 413, "too-large")
    assert client.store.objects == {}
    assert "GetObject" not in client.store.asked


def _put(client: ServiceClient, key: str, data: bytes) -> None:
    client.store.put_object(key, io.BytesIO(data), ObjectHeaders("image/png"))


@pytest.mark.parametrize(
    ("wish", "status", "kind"),
    [
        (_wish(content_type="image/svg+xml"), 415, "wrong-type"),
        (_wish(content_type="image/png\r\nX-Evil: 1"), 415, "wrong-type"),
        (_wish() | {"bytes": 100_001}, 413, "too-large"),
        (_wish() | {"bytes": 0}, 400, "bad-parameter"),
        (_wish(method="DELETE"), 400, "bad-parameter"),
        (_wish(sha256="zz"), 400, "bad-parameter"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(wish: dict[str, object], status: int, kind: str) -> None:
    """What would be refused in the end is not signed in the beginning."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True))
    problem_of(client.ask("POST", "/v1/signed-uploads", json=wish), status, kind)
    assert "sign" not in client.store.asked


def test_nothing_is_signed_where_the_file_does_not_say_so() -> None:
    """Without `signed_uploads` the workload has no right to a quarantine, and nobody is sent there."""
    problem_of(ServiceClient().ask("POST", "/v1/signed-uploads", json=_wish()), 403, "no-signed-uploads")


@pytest.mark.parametrize("upload_id", ["x", "%2e%2e%2fsecret", "y" * 25 + ".png", "Y" * 25, "idempotency", "%00" * 25])
def test_an_id_that_was_never_given_is_not_looked_up(upload_id: str) -> None:
    """No spelling of an id leads to another object."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True))
    response = client.ask("POST", f"/v1/signed-uploads/{upload_id}/complete")
    assert response.status_code == 404
    assert client.store.asked == []
