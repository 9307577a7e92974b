"""Signed URLs: how long they live, what limits that, and what they make a browser do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from service_client import ServiceClient, problem_of
from service_fakes import make_settings_for_test, refusal

from keyhole.aws.client import Credentials
from keyhole.service.signing import Keys

_KEY = "uploads/images/a.png"


def _private(**options: int) -> ServiceClient:
    return ServiceClient(make_settings_for_test(is_public=False, **options))  # type: ignore[arg-type]


def _limit_credentials(client: ServiceClient, seconds: int) -> None:
    client.store.keys = Keys(Credentials("AKIA", "secret"), datetime.now(UTC) + timedelta(seconds=seconds))


@pytest.mark.parametrize(("query", "ttl_s"), [("", 600), ("?ttl=1", 1), ("?ttl=3600", 3600)])
def test_a_url_lives_as_long_as_asked(query: str, ttl_s: int) -> None:
    """By default `ttl_s`, on request up to `max_ttl_s`; the answer says when it ends."""
    before = datetime.now(UTC).replace(microsecond=0)
    answer = _private().ask("GET", f"/v1/uploads/{_KEY}/url{query}").json()
    assert answer["ttl_s"] == ttl_s
    assert answer["limited_by"] is None
    assert parse_qs(urlsplit(answer["url"]).query)["X-Amz-Expires"] == [str(ttl_s)]
    ends = datetime.fromisoformat(answer["expires_at"])
    assert before <= ends - timedelta(seconds=ttl_s) <= datetime.now(UTC)


@pytest.mark.parametrize("ttl", ["0", "-5", "3601", "99999999999999999999"])
def test_a_life_beyond_the_maximum_is_refused(ttl: str) -> None:
    """It is said, not silently shortened; also in a batch."""
    client = _private()
    body = problem_of(client.ask("GET", f"/v1/uploads/{_KEY}/url?ttl={ttl}"), 400, "bad-ttl")
    assert body["max_ttl_s"] == 3600
    problem_of(client.ask("POST", "/v1/urls", json={"keys": [_KEY], "ttl": int(ttl)}), 400, "bad-ttl")


@pytest.mark.parametrize("path", [f"/v1/uploads/{_KEY}/url", f"/v1/uploads/{_KEY}/url?ttl=3000"])
def test_the_end_of_the_credentials_caps_it_and_is_said(path: str) -> None:
    """A URL signed by a session of two minutes does not claim ten."""
    client = _private()
    _limit_credentials(client, 120)
    answer = client.ask("GET", path).json()
    assert answer["limited_by"] == "credentials"
    assert 110 <= answer["ttl_s"] <= 119
    batch = client.ask("POST", "/v1/urls", json={"keys": [_KEY], "ttl": 3000}).json()
    assert batch["limited_by"] == "credentials"


def test_credentials_that_are_at_their_end_sign_nothing() -> None:
    """A URL that is dead on arrival is a 503, not an answer."""
    client = _private()
    _limit_credentials(client, 0)
    response = client.ask("GET", f"/v1/uploads/{_KEY}/url")
    problem_of(response, 503, "credentials-end")
    assert response.headers["retry-after"] == "5"


def test_no_credentials_are_a_503() -> None:
    """The route that answers by itself has its problems answered like all others."""
    client = _private()
    client.store.failure = refusal("NoCredentials", 0)
    body = problem_of(client.ask("GET", f"/v1/uploads/{_KEY}/url"), 503, "store-unavailable")
    assert body["aws_code"] == "NoCredentials"


def test_with_and_without_a_query_the_answer_is_the_same() -> None:
    """Requests without a query take a shorter way to the same answer."""
    client = _private()
    short = client.ask("GET", f"/v1/uploads/{_KEY}/url").json()
    long = client.ask("GET", f"/v1/uploads/{_KEY}/url?to=images").json()
    assert short.keys() == long.keys()
    assert short["ttl_s"] == long["ttl_s"]
    assert urlsplit(short["url"]).path == urlsplit(long["url"]).path
    for query in ("", "?to=images"):
        problem_of(client.ask("GET", f"/v1/uploads/other/a.png/url{query}"), 400, "bad-key")


def test_a_public_image_has_its_plain_url() -> None:
    """It does not expire; only a download is signed, for that takes another header."""
    client = ServiceClient()
    answer = client.ask("GET", f"/v1/uploads/{_KEY}/url").json()
    assert answer == {
        "url": f"http://127.0.0.1:4566/pictures/{_KEY}",
        "expires_at": None,
        "ttl_s": None,
        "limited_by": None,
    }
    assert client.ask("GET", f"/v1/uploads/{_KEY}/url?download=true").json()["ttl_s"] == 600


@pytest.mark.parametrize(
    "name",
    ["my cat.png", "a\r\nSet-Cookie: x=1", 'x"; filename="evil.exe', "../../etc/passwd", "사진.png", "\u202egpj.exe"],
)
def test_a_download_has_a_safe_name(name: str) -> None:
    """Whatever the name, it is one encoded value of one header."""
    answer = _private().ask("GET", f"/v1/uploads/{_KEY}/url", params={"download": "true", "name": name}).json()
    (disposition,) = parse_qs(urlsplit(answer["url"]).query)["response-content-disposition"]
    kind, _, value = disposition.partition("; filename*=UTF-8''")
    assert kind == "attachment"
    assert value.isascii()
    assert not set(value) & set("\r\n\";/\\ '")


def test_a_batch_signs_every_key() -> None:
    """A thousand at once, each its own; a key elsewhere refuses all of them."""
    client = _private()
    keys = [f"uploads/images/{number}.png" for number in range(1000)]
    answer = client.ask("POST", "/v1/urls", json={"keys": keys}).json()
    assert list(answer["urls"]) == keys
    assert len({urlsplit(url).path for url in answer["urls"].values()}) == 1000
    assert answer["ttl_s"] == 600
    problem_of(client.ask("POST", "/v1/urls", json={"keys": [*keys[:5], "secret/a.png"]}), 400, "bad-key")


@pytest.mark.parametrize(
    "body", [{}, {"keys": []}, {"keys": ["x"] * 1001}, {"keys": [5]}, {"keys": "a"}, [], {"keys": [_KEY], "ttl": "x"}]
)
def test_a_batch_that_is_none_is_refused(body: object) -> None:
    """None, too many, or something else are 400."""
    problem_of(_private().ask("POST", "/v1/urls", json=body), 400, "bad-parameter")


def test_a_body_that_is_no_json_is_refused() -> None:
    """Broken JSON, and JSON beyond all measure, are answered before they are kept."""
    headers = {"Content-Type": "application/json"}
    response = _private().ask("POST", "/v1/urls", content=b"{", headers=headers)
    problem_of(response, 400, "bad-parameter")
    large = b'{"keys": ["' + b"x" * 3_000_000 + b'"]}'
    problem_of(_private().ask("POST", "/v1/urls", content=large, headers=headers), 413, "body-too-large")
