"""Signatures made here are botocore's, to the letter; and none promises more than its credentials hold."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import botocore.session
import pytest
from botocore import auth as botocore_auth
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st
from service_fakes import make_settings_for_test

from keyhole.aws.client import Credentials
from keyhole.service.signing import Keys, Signer

_REGION = "ap-northeast-2"
_NOW = datetime(2026, 11, 21, 9, 30, 5, tzinfo=UTC)
_ID, _SECRET = "AKIAEXAMPLEEXAMPLE00", "wJalr/K7MDENG+bPxRfiCYEXAMPLEKEY"
_keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=80).filter(
    lambda key: "." not in key.split("/") and ".." not in key.split("/") and not key.startswith("/")
)


@pytest.fixture(params=["", "IQoJb3JpZ2luX2VjE/+=="], ids=["access-key", "session"], scope="module")
def token(request: pytest.FixtureRequest) -> str:
    """Without and with a session token, which is signed too."""
    return str(request.param)


@pytest.fixture(scope="module")
def client(token: str) -> Iterator[Any]:
    """A client of botocore that signs at one moment."""
    session = botocore.session.Session()
    session.set_credentials(_ID, _SECRET, token or None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore_auth, "get_current_datetime", lambda remove_tzinfo=True: _NOW.replace(tzinfo=None))
        config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
        yield session.create_client("s3", region_name=_REGION, config=config)


def _signer(token: str, endpoint_url: str = "") -> Signer:
    settings = make_settings_for_test(endpoint_url=endpoint_url)
    return Signer(Keys(Credentials(_ID, _SECRET, token)), _REGION, settings.base_url)


def _parts(url: str) -> tuple[str, str, dict[str, str]]:
    parts = urlsplit(url)
    return parts.netloc, parts.path, dict(parse_qsl(parts.query, strict_parsing=True))


@given(
    key=_keys, ttl_s=st.integers(1, 604_800), disposition=st.sampled_from(["", "attachment; filename*=UTF-8''a%20b"])
)
def test_a_url_to_read_is_botocores(client: Any, token: str, key: str, ttl_s: int, disposition: str) -> None:
    """Host, path, every parameter and the signature are the same for whatever key."""
    params = {"Bucket": "pictures", "Key": key}
    if disposition:
        params["ResponseContentDisposition"] = disposition
    expected = client.generate_presigned_url("get_object", Params=params, ExpiresIn=ttl_s)
    found = _signer(token).sign_get(key, ttl_s=ttl_s, now=_NOW, disposition=disposition)
    assert _parts(found) == _parts(expected)


def test_a_url_for_a_part_is_botocores(client: Any, token: str) -> None:
    """The part's number and the upload's id are signed."""
    params = {"Bucket": "pictures", "Key": "incoming/a", "UploadId": "a+b/c=", "PartNumber": 7}
    expected = client.generate_presigned_url("upload_part", Params=params, ExpiresIn=60)
    found = _signer(token).sign_part("incoming/a", "a+b/c=", 7, ttl_s=60, now=_NOW)
    assert _parts(found) == _parts(expected)


def test_a_url_to_store_is_botocores(client: Any, token: str) -> None:
    """The headers that must come with it are signed by their names and values."""
    params = {"Bucket": "pictures", "Key": "incoming/a", "ContentType": "image/png", "ContentLength": 5}
    expected = client.generate_presigned_url("put_object", Params=params, ExpiresIn=60)
    headers = {"content-type": "image/png", "content-length": "5"}
    found = _signer(token).sign_put("incoming/a", headers, ttl_s=60, now=_NOW)
    assert _parts(found) == _parts(expected)
    assert _parts(found)[2]["X-Amz-SignedHeaders"] == "content-length;content-type;host"


def test_a_form_is_signed_as_botocore_signs_it(token: str) -> None:
    """The policy holds every field to its value, the bytes to their number, and ends; its signature is botocore's."""
    fields = {"key": "incoming/a", "Content-Type": "image/png"}
    form = _signer(token).sign_form("pictures", fields, bytes_from=5, bytes_to=9, ttl_s=60, now=_NOW)
    policy = json.loads(b64decode(form["policy"]))
    assert policy["expiration"] == "2026-11-21T09:31:05Z"
    assert ["content-length-range", 5, 9] in policy["conditions"]
    assert {"bucket": "pictures"} in policy["conditions"]
    free = {"policy", "x-amz-signature"}
    for name in set(form) - free:
        assert {name: form[name]} in policy["conditions"]
    signer = botocore_auth.S3SigV4PostAuth(botocore_credentials(token), "s3", _REGION)
    request = type("Request", (), {"context": {"timestamp": "20261121T093005Z"}})()
    assert form["x-amz-signature"] == signer.signature(form["policy"], request)


def botocore_credentials(token: str) -> Any:
    """The same credentials, as botocore has them."""
    from botocore.credentials import Credentials as BotocoreCredentials

    return BotocoreCredentials(_ID, _SECRET, token or None)


def test_a_new_day_has_a_new_key(token: str) -> None:
    """A signer that lives over midnight signs as one that was made after it."""
    old = _signer(token)
    old.sign_get("a", ttl_s=5, now=_NOW)
    tomorrow = _NOW + timedelta(days=1)
    assert old.sign_get("a", ttl_s=5, now=tomorrow) == _signer(token).sign_get("a", ttl_s=5, now=tomorrow)
    assert old.sign_get("a", ttl_s=5, now=_NOW) == _signer(token).sign_get("a", ttl_s=5, now=_NOW)


def test_many_lives_in_one_second_do_not_mix() -> None:
    """What is kept within a second is kept by life; and not without end."""
    signer = _signer("")
    for ttl_s in range(1, 200):
        assert f"X-Amz-Expires={ttl_s}&" in signer.sign_get("a", ttl_s=ttl_s, now=_NOW)
    assert signer.sign_get("a", ttl_s=1, now=_NOW) == _signer("").sign_get("a", ttl_s=1, now=_NOW)


@pytest.mark.parametrize(("left_s", "expected"), [(None, 600), (3600, 600), (600, 599), (90.9, 89), (1, 0), (-5, 0)])
def test_no_url_outlives_its_credentials(left_s: float | None, expected: int) -> None:
    """The life is what is left of the credentials' at most, a second less for the clocks."""
    expires_at = None if left_s is None else _NOW + timedelta(seconds=left_s)
    assert Keys(Credentials("a", "b"), expires_at).cap_ttl(600, _NOW) == expected


def test_the_secret_is_in_no_text() -> None:
    """Neither keys nor signer show it."""
    signer = _signer("session-token")
    assert _SECRET not in repr(signer.keys)
    assert _SECRET not in signer.sign_get("a", ttl_s=5, now=_NOW)
