"""Temporary credentials: their form, their life and their end."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

from memory_backend import Clock

from keyhole.iam.model import Principal, PrincipalKind
from keyhole.local.sessions import Session, SessionStore, assumed_role_principal, now

ROLE_ARN = "arn:aws:iam::123456789012:role/app/prod/web"
USER = Principal(PrincipalKind.USER, "arn:aws:iam::123456789012:user/ann", "123456789012")


def test_now_is_aware_utc() -> None:
    """The default clock gives UTC with its zone, so that expiries compare."""
    assert now().tzinfo is UTC


def test_session_arn_drops_the_path_and_keeps_it_in_role_arn() -> None:
    """A session's ARN names the role without its path; the role's own ARN stays whole."""
    principal = assumed_role_principal(ROLE_ARN, "i-1")
    assert principal.kind is PrincipalKind.ROLE_SESSION
    assert principal.arn == "arn:aws:sts::123456789012:assumed-role/web/i-1"
    assert principal.role_arn == ROLE_ARN
    assert principal.account == "123456789012"


def test_session_arn_keeps_the_partition() -> None:
    """A role of another partition has sessions of that partition."""
    principal = assumed_role_principal("arn:aws-cn:iam::123456789012:role/web", "s1")
    assert principal.arn == "arn:aws-cn:sts::123456789012:assumed-role/web/s1"


def test_credentials_have_the_form_of_aws() -> None:
    """Key ids begin with ASIA and have 20 characters, secrets have 40, and times are whole seconds apart."""
    clock = Clock()
    clock.advance(microseconds=250_000)
    session = SessionStore(clock).issue(USER, duration_s=900)
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", session.access_key_id)
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", session.secret_access_key)
    assert re.fullmatch(r"[A-Za-z0-9+/=]{300,}", session.session_token)
    assert session.issued_at.microsecond == 0
    assert session.expires_at - session.issued_at == timedelta(seconds=900)


def test_no_two_sessions_share_anything_secret() -> None:
    """Sessions of one principal differ in key id, secret and token."""
    store = SessionStore()
    sessions = [store.issue(USER, duration_s=900) for _ in range(50)]
    assert len({s.access_key_id for s in sessions}) == 50
    assert len({s.secret_access_key for s in sessions}) == 50
    assert len({s.session_token for s in sessions}) == 50


def test_repr_shows_no_secret() -> None:
    """A session that lands in a log or a traceback shows neither its secret nor its token."""
    session = SessionStore().issue(USER, duration_s=900)
    assert session.access_key_id in repr(session)
    assert session.secret_access_key not in repr(session)
    assert session.session_token not in repr(session)


def test_a_session_is_found_with_all_that_it_was_issued_with() -> None:
    """What is found is what was issued; other key ids find nothing."""
    store = SessionStore()
    session = store.issue(
        assumed_role_principal(ROLE_ARN, "s1"),
        duration_s=900,
        role_id="AROA1",
        session_name="s1",
        session_policies=(),
        tags=[("team", "a")],
        transitive_tag_keys=["team"],
    )
    assert store.find(session.access_key_id) is session
    assert (session.role_id, session.session_name, session.session_policies) == ("AROA1", "s1", ())
    assert (session.tags, session.transitive_tag_keys) == ((("team", "a"),), ("team",))
    assert store.find("ASIAUNKNOWNUNKNOWN22") is None


def test_an_expired_session_is_found_for_a_day_and_then_unknown() -> None:
    """Within a day of its end a session is found as expired; later its key id is unknown."""
    clock = Clock()
    store = SessionStore(clock)
    session = store.issue(USER, duration_s=900)
    clock.advance(seconds=899)
    assert not session.is_expired(clock())
    clock.advance(seconds=1)
    assert session.is_expired(clock())
    clock.advance(days=1)
    assert store.find(session.access_key_id) is session
    clock.advance(seconds=1)
    assert store.find(session.access_key_id) is None


def test_a_long_session_outlives_shorter_ones_issued_after_it() -> None:
    """Forgetting goes by expiry, not by the order of issue."""
    clock = Clock()
    store = SessionStore(clock)
    long, short = store.issue(USER, duration_s=43200), store.issue(USER, duration_s=900)
    clock.advance(days=1, seconds=1000)
    assert store.find(short.access_key_id) is None
    assert store.find(long.access_key_id) is long


def test_forget_all_makes_every_key_unknown() -> None:
    """After a reset no credential of before is known."""
    store = SessionStore()
    session = store.issue(USER, duration_s=900)
    store.forget_all()
    assert store.find(session.access_key_id) is None


def test_many_threads_lose_no_session() -> None:
    """Sessions issued at the same time by many threads are all found."""
    store = SessionStore()

    def issue(_: int) -> Session:
        return store.issue(USER, duration_s=900)

    with ThreadPoolExecutor(16) as pool:
        sessions = list(pool.map(issue, range(400)))
    assert all(store.find(session.access_key_id) is session for session in sessions)
