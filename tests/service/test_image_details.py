"""Thumbnails, checksums, metadata, prefixes of lists: what goes along with an image, and away with it."""

from __future__ import annotations

import base64
import hashlib
import io

import pytest
from service_client import FORM_TAIL, ServiceClient, form_head, problem_of
from service_fakes import FakeStore, make_settings_for_test, refusal
from service_images import make_png

from keyhole.aws.checksums import SIZES, compute
from keyhole.service.store import ObjectHeaders

_PNG = make_png(30, 20)
_SHA256 = hashlib.sha256(_PNG)


def _thumbnails() -> ServiceClient:
    return ServiceClient(make_settings_for_test(thumbnails=(320, 64)))


def test_thumbnails_are_stored_beside_the_image_and_told() -> None:
    """WebP under `thumbnails/<size>/`, with the same name; upload, list and metadata give their URLs."""
    client = _thumbnails()
    uploaded = client.upload(_PNG).json()
    name = uploaded["key"].removeprefix("uploads/images/").removesuffix(".png")
    keys = {size: f"uploads/images/thumbnails/{size}/{name}.webp" for size in ("320", "64")}
    assert set(client.store.objects) == {uploaded["key"], *keys.values()}
    assert client.store.objects[keys["64"]].headers.content_type == "image/webp"
    urls = {size: f"http://127.0.0.1:4566/pictures/{key}" for size, key in keys.items()}
    assert uploaded["thumbnails"] == urls
    (item,) = client.ask("GET", "/v1/uploads").json()["items"]
    assert item["thumbnails"] == urls
    assert client.ask("GET", f"/v1/uploads/{uploaded['key']}/metadata").json()["thumbnails"] == urls


def test_thumbnails_come_first_and_the_image_last() -> None:
    """Whoever finds an image finds its thumbnails; if the image fails, they are taken back."""

    class Order(FakeStore):
        fails_at = ""

        def put_object(
            self, key: str, body: object, headers: object, *, sha256: str = "", only_new: bool = False
        ) -> bool:
            if self.fails_at and self.fails_at in key:
                raise refusal("SlowDown", 503)
            return super().put_object(key, body, headers, sha256=sha256, only_new=only_new)  # type: ignore[arg-type]

    store = Order()
    client = ServiceClient(make_settings_for_test(thumbnails=(320, 64)), store)
    key = client.upload(_PNG).json()["key"]
    assert list(store.objects)[-1] == key
    for fails_at in (".png", "/64/"):
        store.objects.clear()
        store.fails_at = fails_at
        assert client.upload(_PNG).status_code == 503
        assert store.objects == {}


def test_an_image_takes_its_thumbnails_along() -> None:
    """Deleted with it, also of sizes that the file no longer has; the image goes last."""
    client = _thumbnails()
    key = client.upload(_PNG).json()["key"]
    later = ServiceClient(make_settings_for_test(thumbnails=(1280,)), client.store)
    assert later.ask("DELETE", f"/v1/uploads/{key}").status_code == 204
    assert client.store.objects == {}


def test_metadata_tells_what_is_known() -> None:
    """Name, size, pixels and digest as they were at the upload; 404 for what is not there."""
    client = ServiceClient()
    key = client.upload(_PNG, "사진 1.png").json()["key"]
    found = client.ask("GET", f"/v1/uploads/{key}/metadata").json()
    assert found["name"] == "사진 1.png"
    assert (found["width"], found["height"], found["bytes"]) == (30, 20, len(_PNG))
    assert found["sha256"] == _SHA256.hexdigest()
    problem_of(client.ask("GET", "/v1/uploads/uploads/images/none.png/metadata"), 404, "no-such-image")


@pytest.mark.parametrize(
    "metadata", [{}, {"width": "x", "height": "-1", "thumbnails": "a,,9999999999"}, {"original-name": "%ZZ%00"}]
)
def test_objects_of_others_are_described_as_far_as_they_go(metadata: dict[str, str]) -> None:
    """What another program has stored, with other metadata or none, is no error."""
    client = ServiceClient()
    client.store.put_object("uploads/images/a", io.BytesIO(b"x"), ObjectHeaders("text/x", metadata=metadata))
    found = client.ask("GET", "/v1/uploads/uploads/images/a/metadata").json()
    assert (found["width"], found["height"], found["sha256"], found["thumbnails"]) == (None, None, None, {})


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Checksum-SHA256": _SHA256.hexdigest()},
        {"X-Checksum-SHA256": _SHA256.hexdigest().upper()},
        {"x-amz-checksum-sha256": base64.b64encode(_SHA256.digest()).decode()},
        {
            "X-Checksum-SHA256": _SHA256.hexdigest(),
            "x-amz-checksum-sha256": base64.b64encode(_SHA256.digest()).decode(),
        },
    ],
)
def test_a_true_checksum_is_taken(headers: dict[str, str]) -> None:
    """In hexadecimal or in base 64."""
    assert ServiceClient().upload(_PNG, headers=headers).status_code == 201


def test_a_wrong_checksum_is_refused() -> None:
    """What arrived is not what was sent: 422, nobody looks at it, and nothing is stored."""
    client = ServiceClient()
    body = problem_of(client.upload(_PNG, headers={"X-Checksum-SHA256": "ab" * 32}), 422, "wrong-checksum")
    assert body["sha256"] == _SHA256.hexdigest()
    assert client.checker.seen == []
    assert client.store.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Checksum-SHA256": "x"},
        {"X-Checksum-SHA256": ""},
        {"X-Checksum-SHA256": "zz" * 32},
        {"x-amz-checksum-sha256": "AAAA"},
        {"x-amz-checksum-sha512": "AAAAAAAAAAA="},
        {"X-Checksum-SHA256": "ab" * 32, "x-amz-checksum-sha256": base64.b64encode(_SHA256.digest()).decode()},
    ],
)
def test_a_checksum_that_cannot_be_checked_is_refused(headers: dict[str, str]) -> None:
    """One that is none, of a kind that is not computed here, or two that differ: never passed over in silence."""
    problem_of(ServiceClient().upload(_PNG, headers=headers), 400, "bad-checksum")


@pytest.mark.parametrize("name", ["crc32", "crc32c", "crc64nvme", "sha1"])
def test_the_other_checksums_of_s3_are_held_against_the_file(name: str) -> None:
    """A true one is taken; a wrong one is 422, nobody looks at the file, and nothing is stored."""
    header, true = f"x-amz-checksum-{name}", compute(name, _PNG)
    assert ServiceClient().upload(_PNG, headers={header: true}).status_code == 201
    client = ServiceClient()
    wrong = base64.b64encode(bytes(SIZES[name])).decode()
    assert problem_of(client.upload(_PNG, headers={header: wrong}), 422, "wrong-checksum")[name] == true
    assert (client.checker.seen, client.store.asked) == ([], [])


def test_the_store_is_told_the_digest_of_what_was_looked_at() -> None:
    """If the file changed between check and store, the store refuses it."""
    client = ServiceClient()
    asked: list[str] = []
    put = client.store.put_object

    def remember(key: str, *given: object, sha256: str = "", **named: object) -> bool:
        asked.append(sha256)
        return put(key, *given, sha256=sha256, **named)  # type: ignore[arg-type]

    client.store.put_object = remember  # type: ignore[method-assign]
    client.upload(_PNG)
    assert asked == [_SHA256.hexdigest()]


def test_a_list_goes_into_folders_below_the_prefix_only() -> None:
    """`prefix` is below the upload's own; neither dots nor slashes lead out of it."""
    client = ServiceClient()
    client.store.put_object("uploads/images/2026/a.png", io.BytesIO(b"x"), ObjectHeaders("image/png"))
    items = client.ask("GET", "/v1/uploads", params={"prefix": "2026/"}).json()["items"]
    assert [item["key"] for item in items] == ["uploads/images/2026/a.png"]
    for wrong in ("../", "a//", "/", "\x00", ".idempotency/"):
        problem_of(client.ask("GET", "/v1/uploads", params={"prefix": wrong}), 400, "bad-prefix")


def test_a_name_that_is_html_stays_text() -> None:
    """It comes back as JSON, whose type browsers do not sniff; as metadata it is encoded."""
    client = ServiceClient()
    name = "<script>alert(1)</script>.png"
    response = client.post_form(form_head(file_name=name), _PNG, FORM_TAIL)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json()["name"] == "script>.png"  # after the last slash, as of any path
    assert "<" not in str(client.store.objects)


def test_no_answer_leads_to_another_host() -> None:
    """Location and URLs are the store's; nothing that the client says about hosts goes into an answer."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True))
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"}
    uploaded = client.upload(_PNG, headers=evil)
    assert uploaded.headers["location"].startswith("http://127.0.0.1:4566/pictures/")
    wish = {"content_type": "image/png", "bytes": 5}
    signed = client.ask("POST", "/v1/signed-uploads", json=wish, headers=evil)
    assert "evil" not in signed.text
    for path in ("//evil.example/%2e%2e", "/v1/uploads/", "/https://evil.example", "/v1/rules/"):
        response = client.ask("GET", path, headers=evil)
        assert "evil" not in response.headers.get("location", "")
