"""What the environment says of store and URLs: taken within the file's bounds, refused where it means another store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from service_fakes import make_settings_for_test

from keyhole.aws.client import Credentials
from keyhole.errors import KeyholeError
from keyhole.service.environment import StoreEnvironment, bound_settings, check_store, read_environment

STORE, SIGNED = "APP_OBJECT_STORAGE__", "APP_SIGNED_URL__"
HANDED_OVER = {
    f"{STORE}PROVIDER": "s3",
    f"{STORE}BUCKET_NAME": "pictures",
    f"{STORE}REGION": "ap-northeast-2",
    f"{STORE}ENDPOINT": "",
    f"{STORE}ACCESS_KEY": "AKIAEXAMPLE",
    f"{STORE}SECRET_KEY": "not-a-secret",
    f"{SIGNED}DEFAULT_TTL": "600",
    f"{SIGNED}MAX_TTL": "3600",
}


def test_what_is_handed_over_is_understood() -> None:
    """All of the env file as `keyhole up` writes it; the secret is in no repr."""
    found = read_environment(HANDED_OVER)
    key = Credentials("AKIAEXAMPLE", "not-a-secret")
    assert found == StoreEnvironment("pictures", "ap-northeast-2", "", key, 600, 3600)
    assert "not-a-secret" not in repr(found)
    check_store([make_settings_for_test()], found)


def test_nothing_said_is_nothing_changed() -> None:
    """Other variables are none of this."""
    found = read_environment({"APP_OBJECT_STORAGE": "x", "BUCKET_NAME": "y"})
    assert found == StoreEnvironment()
    settings = make_settings_for_test()
    assert bound_settings(settings, found) == settings
    check_store([settings], found)


@pytest.mark.parametrize(
    ("default_ttl_s", "max_ttl_s", "expected"),
    [
        (300, 1800, (300, 1800)),
        (900, None, (900, 3600)),
        (None, 300, (300, 300)),
        (7200, 86400, (3600, 3600)),
        (1200, 600, (600, 600)),
        (None, None, (600, 3600)),
    ],
)
def test_the_file_is_the_bound(default_ttl_s: int | None, max_ttl_s: int | None, expected: tuple[int, int]) -> None:
    """The environment shortens lives of URLs, and never lengthens them beyond the file's."""
    said = StoreEnvironment(default_ttl_s=default_ttl_s, max_ttl_s=max_ttl_s)
    bound = bound_settings(make_settings_for_test(), said)
    assert (bound.ttl_s, bound.max_ttl_s) == expected
    assert replace(bound, ttl_s=600, max_ttl_s=3600) == make_settings_for_test()


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({f"{STORE}PROVIDER": "gcs"}, "PROVIDER"),
        ({f"{STORE}ACCESS_KEY": "AKIAEXAMPLE"}, "without APP_OBJECT_STORAGE__SECRET_KEY"),
        ({f"{STORE}SECRET_KEY": "not-a-secret"}, "without APP_OBJECT_STORAGE__ACCESS_KEY"),
        ({f"{SIGNED}DEFAULT_TTL": "ten"}, "DEFAULT_TTL"),
        ({f"{SIGNED}DEFAULT_TTL": "-1"}, "DEFAULT_TTL"),
        ({f"{SIGNED}MAX_TTL": "0"}, "MAX_TTL"),
        ({f"{SIGNED}MAX_TTL": "1.5"}, "MAX_TTL"),
    ],
)
def test_what_makes_no_sense_is_refused(said: dict[str, str], wrong: str) -> None:
    """With a hint, and without the secret."""
    with pytest.raises(KeyholeError, match=wrong) as raised:
        read_environment(said)
    assert raised.value.hint
    assert "not-a-secret" not in raised.value.message


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (StoreEnvironment(bucket="pictures-dev"), "BUCKET_NAME is `pictures-dev`, and the file says `pictures`"),
        (StoreEnvironment(region="us-east-1"), "REGION is `us-east-1`, and the file says `ap-northeast-2`"),
    ],
)
def test_another_store_than_the_file_s_is_refused(said: StoreEnvironment, wrong: str) -> None:
    """An env file of another environment would upload to the wrong place."""
    with pytest.raises(KeyholeError, match=wrong):
        check_store([make_settings_for_test()], said)
