"""How often and how much a caller may upload: no more than the file says, and not less for what others do."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from service_client import ServiceClient, problem_of
from service_fakes import FakeStore, make_service_for_test, make_settings_for_test
from service_images import make_png

from keyhole.service.callers import limits
from keyhole.service.callers.caller import ANYONE, Caller, CallerKind
from keyhole.service.callers.limits import UploadRates
from keyhole.service.callers.quotas import Quotas
from keyhole.service.callers.tokens import make_token
from keyhole.service.operation import Operation
from keyhole.service.problems import Problem
from keyhole.service.runtime import make_runtime
from keyhole.service.settings import Settings
from keyhole.service.store import ObjectHeaders
from keyhole.spec.uploads import TokenCallers

ANA = Caller(CallerKind.TOKEN, "robots", "ana")
BEN = Caller(CallerKind.TOKEN, "robots", "ben")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def settings(**more: Any) -> Settings:
    return replace(make_settings_for_test(), per_caller=True, callers=("robots",), **more)


def take(rates: UploadRates, rule: Settings, caller: Caller = ANA, address: str = "") -> Problem | None:
    try:
        rates.take(rule, caller, address)
    except Problem as problem:
        return problem
    return None


def test_a_minute_s_uploads_and_no_more() -> None:
    """At once or evenly; what is refused says when to go on, and then it does."""
    clock = Clock()
    rates, rule = UploadRates(clock=clock), settings(uploads_per_minute=6)
    assert [take(rates, rule) for _ in range(6)] == [None] * 6
    problem = take(rates, rule)
    assert problem is not None
    assert (problem.status, problem.kind, problem.headers["Retry-After"]) == (429, "too-many-uploads", "10")
    clock.now += 10
    assert take(rates, rule) is None
    assert take(rates, rule) is not None
    clock.now += 3600
    assert [take(rates, rule) is None for _ in range(8)] == [True] * 6 + [False] * 2


def test_callers_and_uploads_do_not_use_up_each_other_s() -> None:
    """Each caller has its own bucket for each upload; where there is no limit nothing is counted."""
    rates, rule = UploadRates(clock=Clock()), settings(uploads_per_minute=1)
    assert take(rates, rule, ANA) is None
    assert take(rates, rule, BEN) is None
    assert take(rates, replace(rule, name="others"), ANA) is None
    assert take(rates, rule, ANA) is not None
    assert all(take(rates, settings()) is None for _ in range(1000))


def test_strangers_are_told_apart_by_address() -> None:
    """One network of IPv6 is one stranger; those without an address are all one."""
    rates, rule = UploadRates(clock=Clock()), settings(uploads_per_minute=1)
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1", "nonsense"):
        assert take(rates, rule, ANYONE, address) is None, address
    for address in ("192.0.2.1", "2001:db8::ffff:1", ""):
        assert take(rates, rule, ANYONE, address) is not None, address


def test_workers_share_a_minute() -> None:
    """Each allows its part, and one upload at least."""
    clock = Clock()
    two = UploadRates(workers=2, clock=clock)
    assert [take(two, settings(uploads_per_minute=6)) is None for _ in range(4)] == [True] * 3 + [False]
    many = UploadRates(workers=4, clock=clock)
    rule = settings(uploads_per_minute=1)
    assert take(many, rule) is None
    problem = take(many, rule)
    assert problem is not None
    assert problem.headers["Retry-After"] == "240"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has many addresses cannot fill the memory, and those who were counted lately stay counted."""
    monkeypatch.setattr(limits, "_MOST_BUCKETS", 10)
    clock = Clock()
    rates, rule = UploadRates(clock=clock), settings(uploads_per_minute=1)
    for index in range(50):
        take(rates, rule, ANYONE, f"192.0.2.{index}")
    assert len(rates._buckets) == 10
    assert take(rates, rule, ANYONE, "192.0.2.49") is not None
    clock.now += 61
    take(rates, rule, ANYONE, "198.51.100.1")
    assert len(rates._buckets) == 1


def put(store: FakeStore, key: str, size: int = 1) -> None:
    store.put_object(key, io.BytesIO(b"x" * size), ObjectHeaders("image/png"))


def reserve(quotas: Quotas, rule: Settings, store: FakeStore, size: int = 1, caller: Caller = ANA) -> Problem | None:
    try:
        with quotas.reserve(rule, caller, store, size):
            put(store, f"{rule.caller_prefix(caller)}{len(store.objects)}", size)
    except Problem as problem:
        return problem
    return None


def test_a_caller_keeps_no_more_than_it_may() -> None:
    """Of objects and of bytes, counting what was there before and nobody else's."""
    store, quotas = FakeStore(), Quotas(Clock())
    put(store, "uploads/images/robots.ana/old")
    put(store, "uploads/images/robots.ben/other", 1000)
    rule = settings(max_objects=3, max_total_bytes=100)
    assert reserve(quotas, rule, store, 50) is None
    assert reserve(quotas, rule, store, 49) is None
    problem = reserve(quotas, rule, store, 1)
    assert problem is not None
    assert (problem.status, problem.kind, problem.extra) == (403, "quota", {"max_objects": 3})
    more = replace(rule, max_objects=None)
    problem = reserve(quotas, more, store, 1)
    assert problem is not None
    assert problem.extra == {"max_total_bytes": 100}
    assert reserve(quotas, rule, store, 1, BEN) is not None


def test_uploads_on_their_way_count() -> None:
    """While one is being stored the next is refused; one that failed leaves its place."""
    store, quotas, rule = FakeStore(), Quotas(Clock()), settings(max_objects=1)
    store.failure = ValueError("failed")

    def fail() -> None:
        with quotas.reserve(rule, ANA, FakeStore(), 1):
            assert reserve(quotas, rule, FakeStore()) is not None
            put(store, "x")

    with pytest.raises(ValueError, match="failed"):
        fail()
    store.failure = None
    assert reserve(quotas, rule, store) is None
    assert reserve(quotas, rule, store) is not None


def test_the_bucket_is_not_listed_for_every_upload() -> None:
    """Within ten seconds what was counted holds; before anyone is refused it is counted again, once a second."""
    clock = Clock()
    store, quotas, rule = FakeStore(), Quotas(clock), settings(max_objects=3)
    for _ in range(3):
        assert reserve(quotas, rule, store) is None
        clock.now += 0.5
    assert store.asked.count("ListObjectsV2") == 1
    for _ in range(5):
        assert reserve(quotas, rule, store) is not None
    assert store.asked.count("ListObjectsV2") == 2
    del store.objects[next(iter(store.objects))]
    clock.now += 1
    assert reserve(quotas, rule, store) is None


def test_deleting_makes_room_at_once() -> None:
    """For who deletes through this worker."""
    store, quotas, rule = FakeStore(), Quotas(Clock()), settings(max_objects=1)
    assert reserve(quotas, rule, store) is None
    store.objects.clear()
    assert reserve(quotas, rule, store) is not None
    quotas.forget(rule, ANA)
    quotas.forget(rule, BEN)
    assert reserve(quotas, rule, store) is None


def test_all_pages_are_counted() -> None:
    """A thousand objects and more; thumbnails, which are in folders, do not count."""
    store, quotas = FakeStore(), Quotas(Clock())
    for index in range(2001):
        put(store, f"uploads/images/robots.ana/{index:05}")
    put(store, "uploads/images/robots.ana/thumbnails/320/a")
    assert reserve(quotas, settings(max_objects=2002), store) is None
    assert reserve(quotas, settings(max_objects=2002), store) is not None


def test_without_quotas_nothing_is_listed() -> None:
    """Nor checked."""
    store, quotas = FakeStore(), Quotas(Clock())
    quotas.check(settings(), ANA, store)
    assert reserve(quotas, settings(), store) is None
    assert store.asked == ["PutObject"]


def test_limits_hold_over_http(tmp_path: Path) -> None:
    """429 and 403 before anything is stored, and another caller is not held to them."""
    path = tmp_path / "tokens.json"
    ana, ben = (make_token(path, "robots", name)[0] for name in ("ana", "ben"))
    service = make_service_for_test(
        settings(max_objects=2, uploads_per_minute=4), callers={"robots": TokenCallers(kind="token")}
    )
    client = ServiceClient(service=service, runtime=make_runtime(service, Operation(tokens_file=path)))

    def upload(token: str) -> Any:
        return client.upload(make_png(), headers={"Authorization": f"Bearer {token}"})

    first = upload(ana)
    assert first.status_code == 201
    assert first.json()["key"].startswith("uploads/images/robots.ana/")
    assert upload(ana).status_code == 201
    problem_of(upload(ana), 403, "quota")
    problem_of(upload(ana), 403, "quota")
    limited = upload(ana)
    problem_of(limited, 429, "too-many-uploads")
    assert int(limited.headers["retry-after"]) > 0
    assert upload(ben).status_code == 201
    assert len(client.store.objects) == 3
    deleted = client.ask("DELETE", f"/v1/uploads/{first.json()['key']}", headers={"Authorization": f"Bearer {ben}"})
    assert deleted.status_code in {400, 403, 404}
    assert first.json()["key"] in client.store.objects
