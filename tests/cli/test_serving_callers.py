"""Callers with a role, from the file to the bucket: what `up` makes is enough for the service, and for nobody more."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aws_service import send_form
from service_client import ServiceClient, problem_of
from service_images import make_png

from keyhole.cli.serving import find_tokens, prepare_service
from keyhole.cli.workload_environment import become_workload
from keyhole.cli.workspace import open_workspace
from keyhole.errors import AwsError
from keyhole.local.server import LocalAws
from keyhole.service.app import create_app
from keyhole.service.callers.caller import Caller, CallerKind
from keyhole.service.callers.tokens import make_token
from keyhole.service.operation import Operation
from keyhole.service.run import make_opener
from keyhole.service.runtime import make_runtime
from keyhole.service.store import ObjectHeaders, OpenStore
from local_story import AccountFactory, blueprint_of, run_instance, up

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]

[workloads.api]
kind = "ec2"
instance = "shop-api"

[[workloads.api.grants]]
bucket = "images"
prefix = "u/"
verbs = ["read", "write", "delete", "list"]

[uploads.images]
workload = "api"
bucket = "images"
prefix = "u/"
thumbnails = [320]
per_caller = true
caller_role = true
signed_uploads = true

[callers.robots]
kind = "token"
"""
BEN = Caller(CallerKind.TOKEN, "robots", "ben")


@dataclass
class Shop:
    """The service as the workload, with two callers."""

    client: ServiceClient
    open_store: OpenStore
    tokens: dict[str, str]

    def ask(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return self.client.ask(method, path, headers=headers, **options)

    def upload(self, who: str) -> dict[str, Any]:
        answer = self.ask(who, "POST", "/v1/uploads", files={"file": ("a.png", make_png(), "image/png")})
        assert answer.status_code == 201, answer.text
        uploaded: dict[str, Any] = answer.json()
        return uploaded


@pytest.fixture
def shop(
    local_aws: LocalAws, account: AccountFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    file = tmp_path / "keyhole.toml"
    file.write_text(SPEC, "utf-8")
    aws = account(region="eu-west-1")
    run_instance(aws, "shop-api")
    assert up(aws, blueprint_of(file)).is_complete
    workspace = open_workspace(file, "", local=True, port=local_aws.port, profile="")
    with become_workload(workspace, "api", local_aws.port):
        service, _ = prepare_service(workspace.spec, ("images",), local=True)
        path, remark = find_tokens(service, None, file)
        assert remark
        tokens = {name: make_token(path, "robots", name)[0] for name in ("ana", "ben")}
        operation = Operation(tokens_file=path)
        runtime = make_runtime(service, operation)
        client = ServiceClient(service=service, runtime=runtime)
        opener = make_opener(service, operation)
        client.app = create_app(service, runtime, open_store=opener, checker=client.checker)
        yield Shop(client, opener, tokens)


def test_the_role_is_enough_for_all_that_the_service_does(shop: Shop) -> None:
    """Uploading, listing, reading, signing, completing, joining parts, deleting: nothing is refused by the store."""
    uploaded = shop.upload("ana")
    assert uploaded["key"].startswith("u/robots.ana/")
    assert httpx.get(uploaded["url"], trust_env=False).content == make_png()
    assert httpx.get(uploaded["thumbnails"]["320"], trust_env=False).status_code == 200
    listed = shop.ask("ana", "GET", "/v1/uploads").json()["items"]
    assert [item["key"] for item in listed] == [uploaded["key"]]
    assert shop.ask("ana", "GET", f"/v1/uploads/{uploaded['key']}/metadata").status_code == 200
    signed = shop.ask("ana", "GET", f"/v1/uploads/{uploaded['key']}/url?ttl=3600").json()
    assert httpx.get(signed["url"], trust_env=False).status_code == 200

    wish = {"name": "b.png", "content_type": "image/png", "bytes": len(make_png())}
    begun = shop.ask("ana", "POST", "/v1/signed-uploads", json=wish).json()
    assert send_form(begun, make_png()).status_code in {200, 201, 204}
    completed = shop.ask("ana", "POST", begun["complete_url"])
    assert completed.status_code == 201, completed.text

    for key in (uploaded["key"], completed.json()["key"]):
        assert shop.ask("ana", "DELETE", f"/v1/uploads/{key}").status_code == 204
    assert shop.ask("ana", "GET", "/v1/uploads").json()["items"] == []
    assert shop.ask("ana", "GET", "/readyz").status_code == 200


def test_parts_arrive_and_are_joined(shop: Shop) -> None:
    """As the page's resumable uploads do it."""
    data = make_png(noise=bytes(2000))
    wish = {"filename": "a.png", "type": "image/png", "metadata": {"name": "a.png", "size": str(len(data))}}
    begun = shop.ask("ana", "POST", "/v1/s3/multipart", json=wish)
    assert begun.status_code in {200, 201}, begun.text
    upload_id, key = begun.json()["uploadId"], begun.json()["key"]
    signed = shop.ask("ana", "GET", f"/v1/s3/multipart/{upload_id}/1", params={"key": key})
    assert signed.status_code == 200, signed.text
    sent = httpx.put(signed.json()["url"], content=data, trust_env=False)
    assert sent.status_code == 200, sent.text
    parts = {"parts": [{"PartNumber": 1, "ETag": sent.headers["etag"]}]}
    joined = shop.ask("ana", "POST", f"/v1/s3/multipart/{upload_id}/complete", params={"key": key}, json=parts)
    assert joined.status_code in {200, 201}, joined.text
    (item,) = shop.ask("ana", "GET", "/v1/uploads").json()["items"]
    assert item["bytes"] == len(data)


def test_a_caller_has_nothing_of_another(shop: Shop) -> None:
    """The service refuses, and where it is passed by, the store refuses too."""
    mine = shop.upload("ana")["key"]
    assert shop.ask("ben", "GET", "/v1/uploads").json()["items"] == []
    for method, path in (
        ("DELETE", f"/v1/uploads/{mine}"),
        ("GET", f"/v1/uploads/{mine}/metadata"),
        ("GET", f"/v1/uploads/{mine}/url"),
    ):
        problem_of(shop.ask("ben", method, path), 400, "bad-key")
    store = shop.open_store(shop.client.settings, BEN)
    for attempt in (
        lambda: store.read_object(mine, io.BytesIO(), etag='"x"'),
        lambda: store.delete_object(mine),
        lambda: store.put_object(mine, io.BytesIO(b"x"), ObjectHeaders("image/png")),
        lambda: store.list_objects("u/", limit=10),
        lambda: store.list_objects("u/robots.ana/", limit=10),
    ):
        with pytest.raises(AwsError) as raised:
            attempt()
        assert raised.value.code == "AccessDenied"
    assert len(shop.ask("ana", "GET", "/v1/uploads").json()["items"]) == 1
