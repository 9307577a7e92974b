"""The same request twice: one image, one answer; over processes, crashes and days."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from aws_service import AwsServiceClient
from service_client import ServiceClient, problem_of
from service_fakes import FakeStore, make_settings_for_test, refusal
from service_images import make_png

from gate_clients import Aws
from keyhole.service.idempotency import KEPT_S, plan_name
from keyhole.service.problems import Problem
from keyhole.service.store import ObjectHeaders

_KEY = {"Idempotency-Key": "7f0c9c5e-6c0b-4a55-9c63-3f6d1d6f2a10"}
_SHA = "ab" * 32


def _images(client: ServiceClient) -> list[str]:
    return [key for key in client.store.objects if "idempotency" not in key]


@pytest.mark.parametrize("signed_uploads", [True, False])
def test_a_repeated_upload_is_one_image_with_one_answer(signed_uploads: bool) -> None:
    """The same key and file give the same key, name and size, from the second time on without storing anything."""
    client = ServiceClient(make_settings_for_test(signed_uploads=signed_uploads))
    first = client.upload(make_png(), "a.png", headers=_KEY)
    stored = dict(client.store.objects)
    second = client.upload(make_png(), "b.png", headers=_KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert client.store.objects == stored
    assert len(_images(client)) == 1


def test_another_file_under_the_same_key_is_refused() -> None:
    """Keys are for repetitions: another image under one is a mistake of the client, and nothing is stored."""
    client = ServiceClient()
    client.upload(make_png(), headers=_KEY)
    problem_of(client.upload(make_png(9, 9), headers=_KEY), 422, "idempotency-key-reused")
    assert len(_images(client)) == 1


def test_another_key_is_another_image() -> None:
    """Without a key, or under another one, the same file is stored again."""
    client = ServiceClient()
    for headers in (_KEY, {"Idempotency-Key": "other"}, {}):
        assert client.upload(make_png(), headers=headers).status_code == 201
    assert len(_images(client)) == 3


def test_a_crash_between_the_promise_and_the_image_is_mended() -> None:
    """The request that died after its marker is taken up again, under the name that it had."""
    client = ServiceClient()
    first = client.upload(make_png(), headers=_KEY).json()
    del client.store.objects[first["key"]]
    second = client.upload(make_png(), headers=_KEY).json()
    assert second["key"] == first["key"]
    assert _images(client) == [first["key"]]


def test_a_failed_upload_can_be_repeated() -> None:
    """What the store refused once is stored the next time, under the same key."""
    client = ServiceClient()
    client.store.failure = refusal("SlowDown", 503)
    assert client.upload(make_png(), headers=_KEY).status_code == 503
    client.store.failure = None
    assert client.upload(make_png(), headers=_KEY).status_code == 201
    assert len(_images(client)) == 1


def test_a_refused_file_leaves_no_marker() -> None:
    """What was never an image is not remembered: the key is free for the right file."""
    client = ServiceClient()
    assert client.upload(b"BM", headers=_KEY).status_code == 415
    assert client.store.objects == {}
    assert client.upload(make_png(), headers=_KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "a" * 256, "tab\there", "\x7f"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    """Empty, too long or unprintable: 400, before a byte is read."""
    client = ServiceClient()
    problem_of(client.upload(make_png(), headers={"Idempotency-Key": key}), 400, "bad-idempotency-key")
    assert client.store.asked == []


def test_markers_are_where_nobody_looks_and_tell_nothing() -> None:
    """Under the prefix they are in no list; neither their address nor their text leads to the image."""
    client = ServiceClient()
    uploaded = client.upload(make_png(), headers=_KEY).json()
    (marker,) = [key for key in client.store.objects if "idempotency" in key]
    assert marker.startswith("uploads/images/.idempotency/")
    assert [item["key"] for item in client.ask("GET", "/v1/uploads").json()["items"]] == [uploaded["key"]]
    problem_of(client.ask("GET", f"/v1/uploads/{marker}/url"), 400, "bad-key")
    text = client.store.objects[marker].data.decode()
    name = uploaded["key"].removeprefix("uploads/images/").removesuffix(".png")
    assert name[9:] not in text  # the random half
    assert uploaded["sha256"] not in text
    assert set(json.loads(text)) == {"made_ms", "salt", "proof"}


def test_markers_of_a_quarantine_are_in_it() -> None:
    """Where there is a quarantine, which expires, they are there."""
    client = ServiceClient(make_settings_for_test(signed_uploads=True))
    client.upload(make_png(), headers=_KEY)
    assert [key for key in client.store.objects if key.startswith("incoming/images/idempotency/")]


def test_a_key_is_forgotten_after_a_day() -> None:
    """An old marker counts no more, and another file may come under its key."""
    store = FakeStore()
    now = 1_700_000_000.0
    first = plan_name(store, "m/", "key", _SHA, clock=lambda: now)
    again = plan_name(store, "m/", "key", _SHA, clock=lambda: now + KEPT_S - 1)
    later = plan_name(store, "m/", "key", "cd" * 32, clock=lambda: now + KEPT_S + 1)
    assert (first.is_new, again.is_new, later.is_new) == (True, False, True)
    assert again.name == first.name
    assert later.name != first.name


def test_a_marker_that_nobody_made_fits_no_file() -> None:
    """Whatever else lies at the address, it is not taken for a promise."""
    for junk in (b"", b"{}", b"[1]", b"\xff", b'{"made_ms": "x", "salt": "", "proof": ""}', b"x" * 5000):
        store = FakeStore()
        plan_name(store, "m/", "key", _SHA)
        (place,) = store.objects
        store.put_object(place, io.BytesIO(junk), ObjectHeaders("text/plain"))
        with pytest.raises(Problem) as raised:
            plan_name(store, "m/", "key", _SHA)
        assert raised.value.status == 422


def test_old_markers_are_swept() -> None:
    """One key in sixteen sweeps: what is older than a day goes, what is younger stays."""
    store = FakeStore()
    for number in range(20):
        plan_name(store, "m/", f"key {number}", _SHA)
    before = set(store.objects)
    in_two_days = max(kept.modified.timestamp() for kept in store.objects.values()) + 2 * KEPT_S
    for number in range(100, 164):
        plan_name(store, "m/", f"key {number}", _SHA, clock=lambda: in_two_days)
    assert not before & set(store.objects)


def test_young_markers_do_not_hide_old_ones() -> None:
    """However many young ones there are, and wherever they are in the folder, the old ones go in the end."""
    store = FakeStore()
    for number in range(300):
        plan_name(store, "m/", f"key {number}", _SHA)
    now = max(kept.modified.timestamp() for kept in store.objects.values())
    old = {key for key in store.objects if key > "m/4"}
    for key in old:
        kept = store.objects[key]
        store.objects[key] = replace(kept, modified=kept.modified - timedelta(seconds=2 * KEPT_S))
    young = set(store.objects) - old
    assert len(young) > 50
    for number in range(1000, 1600):
        plan_name(store, "m/", f"key {number}", _SHA, clock=lambda: now)
    assert not old & set(store.objects)
    assert young < set(store.objects)


def test_many_at_once_over_several_processes_make_one_image(aws: Aws) -> None:
    """Eight services over one bucket get the same request at the same time: one image, eight equal answers."""
    first = AwsServiceClient(aws)
    clients = [first, *(AwsServiceClient(aws, first.bucket) for _ in range(7))]
    answers: list[dict[str, object]] = []

    def upload(client: AwsServiceClient) -> None:
        answers.append(client.upload(make_png(), headers=_KEY).json())

    threads = [threading.Thread(target=upload, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({str(answer["key"]) for answer in answers}) == 1
    images = [key for key in first.stored() if key.startswith("uploads/images/") and "thumbnails" not in key]
    assert images == [answers[0]["key"]]
