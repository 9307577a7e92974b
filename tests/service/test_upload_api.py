"""Uploading: what is stored, what is refused and why, and how much is read before that."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import AsyncIterator

import pytest
from service_client import FORM, FORM_TAIL, ServiceClient, form_head, problem_of
from service_fakes import make_settings_for_test, refusal
from service_images import make_gif, make_jpeg, make_png, make_webp

from keyhole.service.form import OVERHEAD_BYTES, receive_file
from keyhole.service.images.checked import Refused, Unavailable


def test_an_image_is_stored_and_its_url_given() -> None:
    """201 says where it is; the object is byte for byte the file, with its type, cache and disposition."""
    client = ServiceClient()
    data = make_png(30, 20)
    response = client.upload(data, "my cat.png")
    assert response.status_code == 201
    answer = response.json()
    assert answer["key"].startswith("uploads/images/")
    assert answer["key"].endswith(".png")
    digest = hashlib.sha256(data).hexdigest()
    assert answer == {
        "key": answer["key"],
        "url": f"http://127.0.0.1:4566/pictures/{answer['key']}",
        "content_type": "image/png",
        "bytes": len(data),
        "width": 30,
        "height": 20,
        "sha256": digest,
        "thumbnails": {},
        "name": "my cat.png",
    }
    assert response.headers["location"] == answer["url"]
    kept = client.store.objects[answer["key"]]
    assert kept.data == data
    assert kept.headers.content_type == "image/png"
    assert kept.headers.content_disposition == "inline"
    assert kept.headers.cache_control.startswith("public")
    assert kept.headers.metadata == {
        "original-name": "my%20cat.png",
        "width": "30",
        "height": "20",
        "sha256": digest,
    }


@pytest.mark.parametrize(
    ("data", "content_type", "ending"),
    [
        (make_jpeg(), "image/jpeg", ".jpg"),
        (make_gif(), "image/gif", ".gif"),
        (make_webp(), "image/webp", ".webp"),
    ],
)
def test_right_bytes_with_a_wrong_name_are_accepted(data: bytes, content_type: str, ending: str) -> None:
    """Type and ending come from the bytes, whatever name and type the client gives."""
    client = ServiceClient()
    answer = client.upload(data, "malware.exe").json()
    assert answer["content_type"] == content_type
    assert answer["key"].endswith(ending)
    assert client.store.objects[answer["key"]].headers.content_type == content_type


def test_wrong_bytes_with_a_right_name_are_refused() -> None:
    """An executable called `cat.png` is no image, and nothing is stored."""
    client = ServiceClient()
    body = problem_of(client.upload(b"\x7fELF" + bytes(100), "cat.png"), 400, "not-an-image")
    assert "image/png" in body["hint"]
    assert client.store.asked == []


def test_an_image_of_another_type_is_named() -> None:
    """415 says what it is and what is taken; nothing is stored."""
    client = ServiceClient()
    body = problem_of(client.upload(b"BM\x00\x00"), 415, "wrong-type")
    assert body["content_type"] == "image/bmp"
    assert "image/bmp" in body["detail"]
    assert "image/webp" in body["hint"]
    assert client.store.asked == []


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (Refused("damaged", "the file ends in the middle", "send all of it"), 400),
        (Refused("too-many-pixels", "the image has 100 megapixels"), 413),
        (Refused("hidden-content", "the file is also an archive"), 400),
        (Refused("too-costly", "looking at it takes too long"), 400),
    ],
)
def test_a_refusal_of_the_check_goes_to_the_client(refused: Refused, status: int) -> None:
    """Kind, reason and hint are those of whoever looked; nothing is stored, and the file is gone."""
    client = ServiceClient()
    client.checker.failure = refused
    body = problem_of(client.upload(make_png()), status, refused.kind)
    assert body["detail"] == refused.reason
    assert client.store.asked == []
    assert not client.checker.seen[0].exists()


def test_an_image_that_nobody_could_look_at_is_not_stored() -> None:
    """No worker: 503, try again; unchecked bytes never reach the bucket."""
    client = ServiceClient()
    client.checker.failure = Unavailable("no worker is free")
    response = client.upload(make_png())
    problem_of(response, 503, "busy")
    assert response.headers["retry-after"] == "5"
    assert client.store.asked == []


def test_an_empty_file_is_refused() -> None:
    """A file of no bytes is said to be empty."""
    problem_of(ServiceClient().upload(b""), 400, "empty")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data": {"file": "not a file"}},
        {"json": {"file": "x"}},
        {"files": {"picture": ("a.png", make_png())}},
        {"content": b"nonsense", "headers": FORM},
        {"content": form_head() + make_png(), "headers": FORM},
        {"content": b"", "headers": FORM},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    ],
)
def test_a_form_without_a_file_is_refused(options: dict[str, object]) -> None:
    """Whatever else is sent, it is refused with the field's name in the hint."""
    client = ServiceClient()
    body = problem_of(client.ask("POST", "/v1/uploads", **options), 400, "bad-form")
    assert "`file`" in body["hint"]
    assert client.store.asked == []


def test_two_files_are_refused() -> None:
    """One request is one image: nothing is silently dropped."""
    client = ServiceClient()
    second = b"\r\n" + form_head()
    problem_of(client.post_form(form_head(), make_png(), second, make_png(), FORM_TAIL), 400, "several-files")
    assert client.store.asked == []


def test_the_largest_file_is_taken_and_one_byte_more_is_not() -> None:
    """`max_bytes` counts the file alone, not the form around it."""
    data = make_png(noise=bytes(5000))
    exact = ServiceClient(make_settings_for_test(max_bytes=len(data)))
    assert exact.upload(data).status_code == 201
    less = ServiceClient(make_settings_for_test(max_bytes=len(data) - 1))
    assert problem_of(less.upload(data), 413, "too-large")["max_bytes"] == len(data) - 1
    assert less.store.asked == []


def test_a_body_that_says_it_is_too_large_is_not_read_at_all() -> None:
    """Content-Length alone is enough to refuse."""
    client = ServiceClient(make_settings_for_test(max_bytes=1000))
    read: list[int] = []

    async def stream() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x"

    headers = FORM | {"Content-Length": str(1000 + OVERHEAD_BYTES + 1)}
    problem_of(client.ask("POST", "/v1/uploads", content=stream(), headers=headers), 413, "too-large")
    assert read == []


def test_a_body_of_unknown_length_is_read_to_the_limit_and_no_further() -> None:
    """A client that streams for ever is cut off at the chunk that is too much."""
    client = ServiceClient(make_settings_for_test(max_bytes=100_000))
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        yield form_head() + make_png()
        while True:
            read.append(10_000)
            yield bytes(10_000)

    response = client.ask("POST", "/v1/uploads", content=endless(), headers=FORM)
    problem_of(response, 413, "too-large")
    assert response.headers["connection"] == "close"
    assert sum(read) <= 110_000
    assert client.store.asked == []


def test_other_fields_cannot_carry_more_than_the_overhead() -> None:
    """What is not the file is bounded too, and not kept."""
    client = ServiceClient(make_settings_for_test(max_bytes=1000))
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        yield form_head("other")
        while True:
            read.append(10_000)
            yield bytes(10_000)

    problem_of(client.ask("POST", "/v1/uploads", content=endless(), headers=FORM), 413, "too-large")
    assert sum(read) <= 1000 + OVERHEAD_BYTES + 10_000


@pytest.mark.anyio
async def test_a_large_file_is_not_held_in_memory() -> None:
    """It is on disk, whole, with its digest, and goes away with its closing."""

    async def stream() -> AsyncIterator[bytes]:
        yield form_head()
        for number in range(40):
            yield bytes([number]) * 100_000
        yield FORM_TAIL

    whole = b"".join(bytes([number]) * 100_000 for number in range(40))
    with await receive_file(FORM["Content-Type"], stream(), 10_000_000) as received:
        assert received.size_bytes == 4_000_000
        assert received.sha256 == hashlib.sha256(whole).hexdigest()
        assert received.path.read_bytes() == whole
    assert not received.path.exists()


def test_a_form_may_come_one_byte_at_a_time() -> None:
    """Where the chunks are cut does not matter."""
    client = ServiceClient()
    data = make_png(noise=b"\r\n--keyhole-test-boundar")
    whole = form_head() + data + FORM_TAIL
    response = client.post_form(*(whole[at : at + 1] for at in range(len(whole))))
    assert response.status_code == 201
    assert client.store.objects[response.json()["key"]].data == data


@pytest.mark.parametrize(
    "file_name",
    ['x\\"; filename=\\"y.png', "a%0d%0aX-Evil: 1.png", "<img src=x onerror=alert(1)>.png", "사진.png", "\x7f\x01.png"],
)
def test_a_hostile_file_name_is_only_ever_encoded_metadata(file_name: str) -> None:
    """It reaches neither the key nor a header as it is."""
    client = ServiceClient()
    response = client.post_form(form_head(file_name=file_name), make_png(), FORM_TAIL)
    assert response.status_code == 201
    (key,) = client.store.objects
    name = client.store.objects[key].headers.metadata.get("original-name", "")
    assert all(character.isalnum() or character in "%-._~" for character in name)
    assert name.isascii()
    assert not set(key) & set('"<>\\%\r\n ')


def test_a_line_break_in_a_file_name_ends_no_header() -> None:
    """CR and LF inside the quotes make the form unreadable, or the name shorter; never a header."""
    client = ServiceClient()
    response = client.post_form(form_head(file_name="a\r\nX-Evil: 1\r\n.png"), make_png(), FORM_TAIL)
    assert response.status_code in {201, 400}
    assert "x-evil" not in response.headers
    for kept in client.store.objects.values():
        assert "\n" not in "".join(kept.headers.metadata.values())


@pytest.mark.parametrize(
    ("code", "aws_status", "status", "kind"),
    [
        ("Unreachable", 0, 503, "store-unavailable"),
        ("NoCredentials", 0, 503, "store-unavailable"),
        ("SlowDown", 503, 503, "store-unavailable"),
        ("InternalError", 500, 503, "store-unavailable"),
        ("AccessDenied", 403, 502, "store-refused"),
        ("NoSuchBucket", 404, 502, "store-refused"),
    ],
)
def test_the_store_failing_is_said_without_its_secrets(code: str, aws_status: int, status: int, kind: str) -> None:
    """AWS's code goes to the client, its sentence with ARNs does not; what may pass says when to try again."""
    client = ServiceClient()
    client.store.failure = refusal(code, aws_status)
    response = client.upload(make_png())
    assert response.status_code == status
    body = response.json()
    assert body["type"] == f"urn:keyhole:problem:{kind}"
    assert body["aws_code"] == code
    assert code in body["detail"]
    assert "TopSecretRole" not in response.text
    assert ("retry-after" in response.headers) is (status == 503)


def test_a_defect_shows_no_traceback() -> None:
    """What nobody foresaw is a 500 that says nothing of the inside but the request's id."""
    client = ServiceClient()
    client.store.failure = RuntimeError("secret detail")
    response = client.upload(make_png())
    body = problem_of(response, 500, "internal")
    assert "secret detail" not in response.text
    assert response.headers["x-request-id"] in body["hint"]


def test_the_store_is_called_off_the_event_loop() -> None:
    """A slow store does not hold up other requests: its thread is not the loop's."""
    client = ServiceClient()
    client.upload(make_png())
    assert client.store.threads
    assert threading.get_ident() not in client.store.threads


def test_a_private_prefix_gives_signed_urls_and_no_public_cache() -> None:
    """The URL is signed for `ttl_s`, and the object may not be cached by others."""
    client = ServiceClient(make_settings_for_test(is_public=False, ttl_s=90))
    answer = client.upload(make_png()).json()
    assert answer["url"].startswith(f"https://signed.example/{answer['key']}?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert "&X-Amz-Expires=90&" in answer["url"]
    assert client.store.objects[answer["key"]].headers.cache_control == ""


def test_what_the_store_says_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """AWS's own words are in the log for who runs the service."""
    client = ServiceClient()
    client.store.failure = refusal("AccessDenied", 403)
    client.upload(make_png())
    assert "TopSecretRole" in caplog.text
    assert "REQ1" in caplog.text
