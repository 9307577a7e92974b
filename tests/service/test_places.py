"""Which upload a request is about, and whose: several in one service, each caller among its own."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from service_client import ServiceClient, problem_of
from service_fakes import make_service_for_test, make_settings_for_test
from service_images import make_png

from keyhole.service.callers.tokens import make_token
from keyhole.service.operation import Operation
from keyhole.service.runtime import make_runtime
from keyhole.service.store import ObjectHeaders
from keyhole.spec.uploads import TokenCallers

_CALLERS = {"app": TokenCallers(kind="token"), "admin": TokenCallers(kind="token")}


class Town:
    """A service with three uploads, and the tokens of three callers."""

    def __init__(self, folder: Path) -> None:
        own = make_settings_for_test(
            name="own", prefix="own/", callers=("app",), per_caller=True, signed_uploads=True, max_objects=2
        )
        shared = make_settings_for_test(name="shared", prefix="shared/", callers=("app", "admin"), uploads_per_minute=3)
        closed = make_settings_for_test(name="closed", prefix="closed/", callers=("admin",))
        service = make_service_for_test(own, shared, closed, callers=dict(_CALLERS))
        tokens = folder / "tokens.json"
        self.ana, self.ben, self.root = (
            {"Authorization": f"Bearer {make_token(tokens, group, name)[0]}"}
            for group, name in (("app", "ana"), ("app", "ben"), ("admin", "root"))
        )
        runtime = make_runtime(service, Operation(tokens_file=tokens))
        self.client = ServiceClient(service=service, runtime=runtime)

    def put(self, key: str) -> str:
        """Lay an object into the bucket."""
        self.client.store.put_object(key, io.BytesIO(b"x"), ObjectHeaders("image/png"))
        return key


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """The service."""
    return Town(tmp_path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/rules"),
        ("GET", "/v1/uploads"),
        ("POST", "/v1/uploads"),
        ("GET", "/v1/uploads/own/app.ana/a.png/url"),
        ("GET", "/v1/uploads/own/app.ana/a.png/url?ttl=5"),
        ("GET", "/v1/uploads/own/app.ana/a.png/metadata"),
        ("DELETE", "/v1/uploads/own/app.ana/a.png"),
        ("POST", "/v1/urls"),
        ("POST", "/v1/signed-uploads"),
        ("POST", f"/v1/signed-uploads/{'y' * 25}/complete"),
        ("GET", "/v1/s3/params?type=image/png"),
        ("POST", "/v1/s3/multipart"),
        ("GET", "/v1/s3/multipart/u?key=k"),
        ("GET", "/v1/s3/multipart/u/1?key=k"),
        ("GET", "/v1/s3/multipart/u/batch?key=k&partNumbers=1"),
        ("POST", "/v1/s3/multipart/u/complete?key=k"),
        ("DELETE", "/v1/s3/multipart/u?key=k"),
    ],
)
def test_strangers_are_let_in_nowhere(town: Town, method: str, path: str) -> None:
    """Without a token every route is 401 where the file has callers, and the store is not asked."""
    bodies = {"/v1/urls": {"keys": ["own/app.ana/a.png"]}, "/v1/signed-uploads": {"content_type": "x", "bytes": 1}}
    body = bodies.get(path, {"parts": [{"PartNumber": 1, "ETag": "x"}]} if "complete" in path else {"type": "x"})
    response = town.client.ask(method, path, json=body if method == "POST" else None)
    assert response.status_code == 401, response.text
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert town.client.store.asked == []


def test_each_caller_has_a_folder_that_no_other_sees(town: Town) -> None:
    """What Ana uploads is under her folder; Ben neither lists, reads, signs nor deletes it."""
    client = town.client
    key = client.upload(make_png(), headers=town.ana).json()["key"]
    assert key.startswith("own/app.ana/")
    assert [item["key"] for item in client.ask("GET", "/v1/uploads", headers=town.ana).json()["items"]] == [key]
    assert client.ask("GET", "/v1/uploads", headers=town.ben).json()["items"] == []
    for method, path in (
        ("GET", f"{key}/url"),
        ("GET", f"{key}/metadata"),
        ("DELETE", key),
        ("DELETE", f"{key}?to=own"),
    ):
        problem_of(client.ask(method, f"/v1/uploads/{path}", headers=town.ben), 400, "bad-key")
    problem_of(client.ask("POST", "/v1/urls", json={"keys": [key]}, headers=town.ben), 400, "bad-key")
    assert key in client.store.objects
    assert client.ask("DELETE", f"/v1/uploads/{key}", headers=town.ana).status_code == 204


def test_nobody_completes_what_another_has_sent(town: Town) -> None:
    """Ids and keys of quarantine are the caller's own, too."""
    client = town.client
    wish = {"content_type": "image/png", "bytes": 5}
    signed = client.ask("POST", "/v1/signed-uploads", json=wish, headers=town.ana).json()
    waiting = town.put(f"incoming/own/app.ana/{signed['id']}")
    problem_of(client.ask("POST", signed["complete_url"], headers=town.ben), 404, "nothing-arrived")
    begun = client.ask("POST", "/v1/s3/multipart", json={"type": "image/png"}, headers=town.ana).json()
    path = f"/v1/s3/multipart/{begun['uploadId']}?key={begun['key']}"
    problem_of(client.ask("GET", path, headers=town.ben), 404, "no-such-multipart")
    problem_of(client.ask("DELETE", path, headers=town.ben), 404, "no-such-multipart")
    assert waiting in client.store.objects
    assert begun["uploadId"] in client.store.uploads


def test_idempotency_keys_are_the_callers_own(town: Town) -> None:
    """Two callers with the same key have nothing to do with each other."""
    keys = {
        town.client.upload(make_png(), headers={**who, "Idempotency-Key": "1"}).json()["key"]
        for who in (town.ana, town.ben)
    }
    assert len(keys) == 2


def test_an_upload_is_open_to_those_it_names(town: Town) -> None:
    """403 for others; the rules show only what is open."""
    client = town.client
    problem_of(client.ask("GET", "/v1/uploads?to=closed", headers=town.ana), 403, "not-your-upload")
    assert client.ask("GET", "/v1/uploads?to=closed", headers=town.root).status_code == 200
    rules = client.ask("GET", "/v1/rules", headers=town.root).json()
    assert [upload["name"] for upload in rules["uploads"]] == ["shared", "closed"]
    assert rules["caller"] == {"name": "root", "kind": "token"}
    problem_of(client.ask("GET", "/v1/uploads?to=nowhere", headers=town.root), 404, "no-such-upload")
    problem_of(client.ask("GET", "/v1/uploads/closed/a.png/url", headers=town.ana), 400, "bad-key")


def test_without_a_name_it_is_the_first_that_is_open(town: Town) -> None:
    """Ana's first is `own`, root's is `shared`; a key says itself which it is of."""
    client = town.client
    assert client.upload(make_png(), headers=town.root).json()["key"].startswith("shared/")
    key = town.put("shared/a.png")
    assert client.ask("GET", f"/v1/uploads/{key}/url", headers=town.ana).status_code == 200
    assert client.opener.opened[-1][0] == "shared"


def test_the_store_is_opened_for_the_caller(town: Town) -> None:
    """The credentials that a request is made with are those of the one who asks."""
    town.client.upload(make_png(), headers=town.ben)
    name, caller = town.client.opener.opened[-1]
    assert (name, caller.name) == ("own", "ben")


def test_too_many_uploads_in_a_minute_are_429(town: Town) -> None:
    """Counted before a byte is read, for each caller alone; signing counts as well."""
    client = town.client
    path = "/v1/uploads?to=shared"
    for _ in range(3):
        assert client.ask("POST", path, files={"file": ("a", make_png())}, headers=town.ana).status_code == 201
    response = client.ask("POST", path, files={"file": ("a", make_png())}, headers=town.ana)
    problem_of(response, 429, "too-many-uploads")
    assert int(response.headers["retry-after"]) > 0
    assert client.ask("POST", path, files={"file": ("a", make_png())}, headers=town.root).status_code == 201


def test_a_caller_that_keeps_all_it_may_uploads_nothing_more(town: Town) -> None:
    """403 until something is deleted; thumbnails and markers do not count."""
    client = town.client
    keys = [client.upload(make_png(), headers=town.ana).json()["key"] for _ in range(2)]
    problem_of(client.upload(make_png(), headers=town.ana), 403, "quota")
    wish = {"content_type": "image/png", "bytes": 5}
    problem_of(client.ask("POST", "/v1/signed-uploads", json=wish, headers=town.ana), 403, "quota")
    assert client.upload(make_png(), headers=town.ben).status_code == 201
    assert client.ask("DELETE", f"/v1/uploads/{keys[0]}", headers=town.ana).status_code == 204
    assert client.upload(make_png(), headers=town.ana).status_code == 201
