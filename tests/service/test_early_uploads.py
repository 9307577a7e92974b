"""Images that are sent to the store while they are looked at: what passes is there, what does not never was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
from service_client import ServiceClient, problem_of
from service_fakes import FakeChecker, FakeStore, make_settings_for_test, refusal
from service_images import make_png

from keyhole.service.held import Withheld
from keyhole.service.images.checked import Checked, Expect, ImageRule, Refused, Unavailable
from keyhole.service.settings import Settings
from keyhole.service.store import ObjectHeaders

_PNG = make_png(30, 20)


class _Watching(FakeStore):
    """Tells what came to it, and when the checker was done."""

    def __init__(self) -> None:
        super().__init__()
        self.story: list[str] = []

    def put_object(
        self, key: str, body: IO[bytes], headers: ObjectHeaders, *, sha256: str = "", only_new: bool = False
    ) -> bool:
        self.story.append("begun")
        done = super().put_object(key, body, headers, sha256=sha256, only_new=only_new)
        self.story.append("stored")
        return done


class _Patient(FakeChecker):
    """Takes its time until the store has begun, if it is going to."""

    def __init__(self, store: _Watching) -> None:
        super().__init__()
        self._store = store

    async def pause(self) -> None:
        for _ in range(500):
            if self._store.story.count("begun") > self._store.story.count("stored"):
                return
            await super().pause()

    async def check(self, path: Path, rule: ImageRule, *, sha256: str = "", expect: Expect | None = None) -> Checked:
        try:
            return await super().check(path, rule, sha256=sha256, expect=expect)
        finally:
            self._store.story.append("looked at")


def _client(
    settings: Settings | None = None, store: _Watching | None = None
) -> tuple[ServiceClient, _Watching, _Patient]:
    store = store or _Watching()
    checker = _Patient(store)
    return ServiceClient(settings, store, checker=checker), store, checker


def test_storing_begins_before_the_check_ends() -> None:
    """And ends after it: the object is there only when the image has passed."""
    client, store, checker = _client()
    answer = client.upload(_PNG)
    assert answer.status_code == 201
    assert store.story == ["begun", "looked at", "stored"]
    assert store.objects[answer.json()["key"]].data == _PNG
    assert checker.known == [answer.json()["sha256"]]


def test_what_is_refused_late_is_not_stored() -> None:
    """The bytes were on their way: nothing of them is there, and the answer is the refusal."""
    client, store, checker = _client()
    checker.late_failure = Refused("hidden-content", "the file is also an archive")
    problem_of(client.upload(_PNG), 400, "hidden-content")
    assert store.story == ["begun", "looked at"]
    assert store.objects == {}


def test_a_check_that_says_something_else_in_the_end_counts() -> None:
    """What was sent is thrown away, and what was found is stored."""

    class Changing(FakeChecker):
        async def check(
            self, path: Path, rule: ImageRule, *, sha256: str = "", expect: Expect | None = None
        ) -> Checked:
            checked = await super().check(path, rule, sha256=sha256, expect=expect)
            return replace(checked, width=7)

    store = FakeStore()
    client = ServiceClient(store=store, checker=Changing())
    answer = client.upload(_PNG).json()
    assert answer["width"] == 7
    assert {key: kept.headers.metadata["width"] for key, kept in store.objects.items()} == {answer["key"]: "7"}


def test_an_image_that_nothing_was_said_about_is_stored_afterwards() -> None:
    """Some cannot be known before they are decoded."""
    client, store, checker = _client()
    checker.tells = False
    assert client.upload(_PNG).status_code == 201
    assert store.story == ["looked at", "begun", "stored"]


def test_a_check_that_takes_too_long_does_not_hold_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is given up, and the image stored when it has passed."""
    monkeypatch.setattr("keyhole.service.held.HeldBody._await_decision", _give_up)
    client, store, _ = _client()
    answer = client.upload(_PNG)
    assert answer.status_code == 201
    assert store.story == ["begun", "looked at", "begun", "stored"]
    assert set(store.objects) == {answer.json()["key"]}


def _give_up(self: object) -> None:
    self.withhold()  # type: ignore[attr-defined]
    raise Withheld


def test_an_image_does_not_wait_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thumbnails are stored while it has the only turn that there is: one transfer at a time is enough."""
    monkeypatch.setattr("keyhole.service.api.desk._TRANSFERS", 1)
    client, store, _ = _client(make_settings_for_test(thumbnails=(320,)))
    assert client.upload(_PNG).status_code == 201
    assert store.story.count("begun") == 2
    assert list(store.objects)[-1].endswith(".png")


def test_a_store_that_refuses_is_told_and_nothing_stays() -> None:
    """The thumbnails of an image that could not be stored go with it."""

    class Refusing(_Watching):
        def put_object(self, key: str, body: IO[bytes], headers: ObjectHeaders, **options: object) -> bool:
            if key.endswith(".png"):
                self.story.append("begun")
                raise refusal("AccessDenied", 403)
            return super().put_object(key, body, headers, **options)  # type: ignore[arg-type]

    client, store, _ = _client(make_settings_for_test(thumbnails=(320,)), Refusing())
    assert client.upload(_PNG).status_code == 502
    assert store.objects == {}


def test_a_full_caller_is_told_so_in_the_middle() -> None:
    """What the quota has no room for is not sent, whatever the check says."""
    client, store, _ = _client(replace(make_settings_for_test(), max_total_bytes=len(_PNG) - 1))
    problem_of(client.upload(_PNG), 403, "quota")
    assert store.objects == {}


def test_a_request_with_a_key_of_its_own_is_no_slower() -> None:
    """Its name is noted first; then it is sent while it is looked at, too."""
    client, store, _ = _client()
    answer = client.upload(_PNG, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201
    assert store.story == ["begun", "stored", "begun", "looked at", "stored"]
    again = client.upload(_PNG, headers={"Idempotency-Key": "k"})
    assert again.json() == answer.json()
    assert store.story[5:] == ["begun", "stored", "looked at"]  # the note, and no second image


def test_a_key_under_which_a_file_was_refused_is_free() -> None:
    """No note stays of what is not kept; of what nobody could look at it stays, for the same file."""
    client, store, checker = _client()
    checker.late_failure = Refused("damaged", "the file ends in the middle")
    problem_of(client.upload(_PNG, headers={"Idempotency-Key": "k"}), 400, "damaged")
    assert store.objects == {}
    checker.late_failure = Unavailable("no worker is free")
    problem_of(client.upload(_PNG, headers={"Idempotency-Key": "k"}), 503, "busy")
    assert [key for key in store.objects if not key.startswith("uploads/images/.idempotency/")] == []
    checker.late_failure = None
    assert client.upload(_PNG, headers={"Idempotency-Key": "k"}).status_code == 201
