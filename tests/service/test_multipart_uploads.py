"""Uploads in parts against the local AWS, asked for as Uppy's client asks."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from aws_service import AwsServiceClient, make_workload, send_form, send_put
from service_client import ServiceClient, problem_of
from service_fakes import make_settings_for_test
from service_images import make_png

from gate_clients import Aws

_MIB = 1024 * 1024
_LARGE = make_png(noise=bytes(6 * _MIB))


def _begin(client: ServiceClient, **more: object) -> dict[str, str]:
    wish = {"filename": "a.png", "type": "image/png", "metadata": {"name": "my cat.png", "to": "images"}, **more}
    response = client.ask("POST", "/v1/s3/multipart", json=wish)
    assert response.status_code == 201, response.text
    begun: dict[str, str] = response.json()
    return begun


def _path(begun: dict[str, str], rest: str = "", **query: str) -> str:
    """As Uppy writes it."""
    return f"/v1/s3/multipart/{quote(begun['uploadId'], safe='')}{rest}?{urlencode({'key': begun['key'], **query})}"


def _send(client: ServiceClient, begun: dict[str, str], number: int, data: bytes) -> dict[str, Any]:
    url = client.ask("GET", _path(begun, f"/{number}")).json()["url"]
    sent = httpx.put(url, content=data, trust_env=False)
    assert sent.status_code == 200, sent.text
    return {"PartNumber": number, "ETag": sent.headers["etag"]}


def test_parts_become_an_image(aws: Aws) -> None:
    """Created, signed one by one, listed, completed: the answer has what Uppy looks for, and what we tell besides."""
    client = AwsServiceClient(aws)
    begun = _begin(client)
    assert begun["key"].startswith("incoming/images/")
    parts = [_send(client, begun, 1, _LARGE[: 5 * _MIB]), _send(client, begun, 2, _LARGE[5 * _MIB :])]
    listed = client.ask("GET", _path(begun)).json()
    assert [(part["PartNumber"], part["ETag"]) for part in listed] == [(p["PartNumber"], p["ETag"]) for p in parts]
    assert [part["Size"] for part in listed] == [5 * _MIB, len(_LARGE) - 5 * _MIB]
    response = client.ask("POST", _path(begun, "/complete"), json={"parts": parts})
    assert response.status_code == 200, response.text
    done = response.json()
    assert done["location"] == done["url"]
    assert done["bucket"] == client.bucket
    assert done["name"] == "my cat.png"
    assert done["bytes"] == len(_LARGE)
    name = begun["key"].rpartition("/")[2]
    assert client.stored() == [f"uploads/images/thumbnails/320/{name}.webp", f"uploads/images/{name}.png"]
    again = client.ask("POST", _path(begun, "/complete"), json={"parts": parts}).json()
    assert again["key"] == done["key"]


def test_the_workloads_own_rights_are_enough(aws: Aws) -> None:
    """Nothing in all of the API asks for more than the blueprint grants."""
    bucket = aws.bucket()
    client = AwsServiceClient(aws, bucket, who=make_workload(aws, bucket))
    for number in range(20):
        for _ in range(2):
            uploaded = client.upload(make_png(), headers={"Idempotency-Key": str(number)})
            assert uploaded.status_code == 201, uploaded.text
    begun = _begin(client)
    parts = [_send(client, begun, 1, make_png())]
    problem_of(client.ask("POST", _complete(begun, "y" * 25), json={"parts": parts}), 404, "nothing-arrived")
    for _ in range(2):
        assert client.ask("POST", _path(begun, "/complete"), json={"parts": parts}).status_code == 200
    assert client.ask("DELETE", _path(_begin(client))).status_code == 204
    wish = {"content_type": "image/png", "bytes": len(make_png())}
    for method, send in (("POST", send_form), ("PUT", send_put)):
        signed = client.ask("POST", "/v1/signed-uploads", json={**wish, "method": method}).json()
        problem_of(client.ask("POST", signed["complete_url"]), 404, "nothing-arrived")
        send(signed, make_png()).raise_for_status()
        for _ in range(2):
            assert client.ask("POST", signed["complete_url"]).status_code == 201
    for item in client.ask("GET", "/v1/uploads").json()["items"]:
        assert httpx.get(item["url"], trust_env=False).status_code == 200
        assert client.ask("GET", f"/v1/uploads/{item['key']}/metadata").status_code == 200
        assert client.ask("DELETE", f"/v1/uploads/{item['key']}").status_code == 204
        problem_of(client.ask("GET", f"/v1/uploads/{item['key']}/metadata"), 404, "no-such-image")
    assert client.ask("GET", "/readyz").status_code == 200
    assert all("/idempotency/" in key for key in client.stored())


def _complete(begun: dict[str, str], name: str) -> str:
    """The completion of another wait than the one that has begun."""
    return _path({**begun, "key": begun["key"].rpartition("/")[0] + f"/{name}"}, "/complete")


def test_etags_without_quotes_are_the_same(aws: Aws) -> None:
    """Uppy takes the quotes off that S3 has put around an ETag."""
    client = AwsServiceClient(aws)
    begun = _begin(client)
    part = _send(client, begun, 1, make_png())
    parts = [{**part, "ETag": part["ETag"].strip('"')}]
    assert client.ask("POST", _path(begun, "/complete"), json={"parts": parts}).status_code == 200


def test_several_parts_are_signed_at_once(aws: Aws) -> None:
    """In a batch every part has its URL, and each works."""
    client = AwsServiceClient(aws)
    begun = _begin(client)
    answer = client.ask("GET", _path(begun, "/batch", partNumbers="1,3")).json()
    assert list(answer["presignedUrls"]) == ["1", "3"]
    assert answer["expires"] == 600
    assert httpx.put(answer["presignedUrls"]["3"], content=b"x", trust_env=False).status_code == 200


def test_an_aborted_upload_is_gone(aws: Aws) -> None:
    """Its parts go with it; a second time is no error, and listing says that it is gone."""
    client = AwsServiceClient(aws)
    begun = _begin(client)
    _send(client, begun, 1, b"x")
    assert client.ask("DELETE", _path(begun)).status_code == 204
    assert client.ask("DELETE", _path(begun)).status_code == 204
    problem_of(client.ask("GET", _path(begun)), 404, "no-such-multipart")
    parts = [{"PartNumber": 1, "ETag": "x"}]
    problem_of(client.ask("POST", _path(begun, "/complete"), json={"parts": parts}), 404, "nothing-arrived")
    assert client.s3.list_multipart_uploads(Bucket=client.bucket).get("Uploads", []) == []


def test_what_is_no_image_is_deleted(aws: Aws) -> None:
    """Refused at completion, it leaves nothing in the bucket."""
    client = AwsServiceClient(aws)
    begun = _begin(client)
    part = _send(client, begun, 1, b"<script>alert(1)</script>")
    problem_of(client.ask("POST", _path(begun, "/complete"), json={"parts": [part]}), 400, "not-an-image")
    assert client.stored() == []


def test_too_much_in_parts_is_thrown_away_unread() -> None:
    """What is larger than `max_bytes` is never joined, let alone read; its parts are deleted."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True, max_bytes=1000))
    begun = _begin(client)
    client.store.uploads[begun["uploadId"]].data[1] = bytes(1001)
    (part,) = client.store.list_parts(begun["key"], begun["uploadId"]) or ()
    parts = [{"PartNumber": 1, "ETag": part.etag}]
    problem_of(client.ask("POST", _path(begun, "/complete"), json={"parts": parts}), 413, "too-large")
    assert client.store.uploads == {}
    assert client.store.objects == {}
    assert not {"GetObject", "CompleteMultipartUpload"} & set(client.store.asked)


@pytest.mark.parametrize(("max_bytes", "most"), [(1000, 1), (5 * _MIB, 1), (5 * _MIB + 1, 2), (5 * 1024 * _MIB, 1024)])
def test_no_more_parts_are_signed_than_fit(max_bytes: int, most: int) -> None:
    """Parts but the last have 5 MiB at least: more of them than this could not be taken."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True, max_bytes=max_bytes))
    begun = _begin(client)
    assert client.ask("GET", _path(begun, f"/{most}")).status_code == 200
    problem_of(client.ask("GET", _path(begun, f"/{most + 1}")), 413, "too-large")
    problem_of(client.ask("GET", _path(begun, "/batch", partNumbers=f"1,{most + 1}")), 413, "too-large")


@pytest.mark.parametrize("numbers", ["", "0", "1,", "x", "-1", "1;2", "100000", ",".join(["1"] * 4000)])
def test_parts_that_cannot_be_are_not_signed(numbers: str) -> None:
    """What is no list of part numbers is refused."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True, max_bytes=20 * _MIB))
    assert client.ask("GET", _path(_begin(client), "/batch", partNumbers=numbers)).status_code in {400, 413}


@pytest.mark.parametrize(
    "parts",
    [
        [{"PartNumber": 2, "ETag": "x"}],
        [{"PartNumber": 1, "ETag": "other"}],
        [{"PartNumber": 1, "ETag": "ETAG"}, {"PartNumber": 1, "ETag": "ETAG"}],
    ],
)
def test_parts_that_did_not_arrive_make_no_image(parts: list[dict[str, Any]]) -> None:
    """A missing part, another one, or one twice: 400, and the upload goes on."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True))
    begun = _begin(client)
    client.store.uploads[begun["uploadId"]].data[1] = make_png()
    (part,) = client.store.list_parts(begun["key"], begun["uploadId"]) or ()
    sent = json.loads(json.dumps(parts).replace("ETAG", part.etag.strip('"')))
    problem_of(client.ask("POST", _path(begun, "/complete"), json={"parts": sent}), 400, "no-such-part")
    assert begun["uploadId"] in client.store.uploads


@pytest.mark.parametrize(
    "key",
    [
        "uploads/images/a.png",
        "incoming/images/../a",
        "incoming/other/" + "y" * 25,
        "incoming/images/idempotency/0a",
        "",
    ],
)
def test_only_what_waits_can_be_touched(key: str) -> None:
    """A key that the service did not give for a wait leads nowhere, on no route."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True))
    begun = {"key": key, "uploadId": "u"}
    for method, rest, body in (
        ("GET", "", None),
        ("GET", "/1", None),
        ("GET", "/batch", None),
        ("POST", "/complete", {"parts": [{"PartNumber": 1, "ETag": "x"}]}),
        ("DELETE", "", None),
    ):
        query = {"partNumbers": "1"} if rest == "/batch" else {}
        response = client.ask(method, _path(begun, rest, **query), json=body)
        problem_of(response, 404, "no-such-multipart")
    assert client.store.asked == []


def test_uppy_gets_a_form_for_what_is_small(aws: Aws) -> None:
    """`/s3/params` gives a form for up to `max_bytes`, and says how to complete."""
    client = AwsServiceClient(aws)
    query = urlencode({"filename": "x", "type": "image/png", "metadata[name]": "my cat.png", "metadata[to]": "images"})
    signed = client.ask("GET", f"/v1/s3/params?{query}").json()
    assert signed["method"] == "POST"
    sent = httpx.post(signed["url"], data=signed["fields"], files={"file": ("x", make_png())}, trust_env=False)
    assert sent.status_code == 201
    assert client.ask("POST", signed["complete_url"]).json()["name"] == "my cat.png"


@pytest.mark.parametrize("metadata", [{"to": "nowhere"}, {"to": "../images"}])
def test_an_upload_that_is_not_there_takes_nothing(metadata: dict[str, str]) -> None:
    """`to` names one of the file's uploads, or is refused."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True))
    wish = {"filename": "a.png", "type": "image/png", "metadata": metadata}
    problem_of(client.ask("POST", "/v1/s3/multipart", json=wish), 404, "no-such-upload")
