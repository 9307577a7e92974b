"""An issuer's keys: found by discovery, kept for a while, and never asked of whom they are not for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from token_issuer import P256, RSA, Published, public, serve

from keyhole.local.issuer_documents import DocumentError, fetch_document, is_loopback_url
from keyhole.local.issuer_keys import IssuerKeys

WELL_KNOWN = "/.well-known/openid-configuration"


class Ticks:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def site() -> Iterator[Published]:
    with serve() as published:
        yield published


def test_keys_are_found_by_discovery_and_kept(site: Published) -> None:
    """The configuration names the keys; both are asked for once in five minutes."""
    site.publish_keys(public(RSA), public(P256))
    ticks = Ticks()
    keys = IssuerKeys(clock=ticks)
    assert [key["kid"] for key in keys.find(site.url, str(P256.kid))] == [P256.kid]
    assert len(keys.find(site.url, "")) == 2
    assert site.asked == [WELL_KNOWN, "/keys"]
    ticks.at += 301
    keys.find(site.url, str(RSA.kid))
    assert len(site.asked) == 4
    keys.forget_all()
    keys.find(site.url, str(RSA.kid))
    assert len(site.asked) == 6


def test_a_new_key_is_found_soon_but_not_asked_for_all_the_time(site: Published) -> None:
    """An unknown key id asks again, ten seconds after the last time and not before."""
    site.publish_keys(public(RSA))
    ticks = Ticks()
    keys = IssuerKeys(clock=ticks)
    assert keys.find(site.url, str(P256.kid)) == ()
    site.publish_keys(public(RSA), public(P256))
    assert keys.find(site.url, str(P256.kid)) == ()
    assert len(site.asked) == 2
    ticks.at += 11
    assert len(keys.find(site.url, str(P256.kid))) == 1


def test_an_issuer_that_is_here_is_asked_nowhere_else() -> None:
    """The keys of an issuer of this process never come from the network."""

    def fetch(url: str) -> dict[str, object]:
        raise AssertionError(url)

    keys = IssuerKeys({"https://token.actions.githubusercontent.com": lambda: (public(RSA),)}, fetch)
    assert len(keys.find("https://token.actions.githubusercontent.com", str(RSA.kid))) == 1
    assert keys.find("https://token.actions.githubusercontent.com", "another") == ()


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"issuer": "https://another.example", "jwks_uri": "URL/keys"}, "of another issuer"),
        ({"issuer": "URL/", "jwks_uri": "URL/keys"}, "of another issuer"),
        ({"issuer": "URL"}, "names no `jwks_uri`"),
        ({"issuer": "URL", "jwks_uri": "file:///etc/passwd"}, "that can be fetched"),
        ({"issuer": "URL", "jwks_uri": "http://id.example/keys"}, "is not at an https URL"),
        ({"issuer": "URL", "jwks_uri": "URL/none"}, "answered 404"),
        ({"issuer": "URL", "jwks_uri": "URL/empty"}, "has no `keys`"),
    ],
)
def test_a_configuration_that_is_not_right_gives_no_key(
    site: Published, configuration: dict[str, str], reason: str
) -> None:
    """The configuration must be the issuer's own, and name keys that can be had safely."""
    written = {name: value.replace("URL", site.url) for name, value in configuration.items()}
    site.publish(WELL_KNOWN, written)
    site.publish("/keys", {"keys": [public(RSA)]})
    site.publish("/empty", {})
    with pytest.raises(DocumentError, match=reason):
        IssuerKeys().find(site.url, "")


def test_a_stranger_does_not_choose_what_is_asked_on_this_machine() -> None:
    """Keys that an issuer elsewhere claims to have on this machine are not fetched."""
    asked = []

    def fetch(url: str) -> dict[str, object]:
        asked.append(url)
        return {"issuer": "https://id.example", "jwks_uri": "http://127.0.0.1:9/keys"}

    with pytest.raises(DocumentError, match="on this machine"):
        IssuerKeys(fetch=fetch).find("https://id.example", "")
    assert asked == ["https://id.example/.well-known/openid-configuration"]


def test_a_redirect_is_not_followed(site: Published) -> None:
    """An answer that points elsewhere is no answer."""
    site.publish("/moved", {}, 302, Location=f"{site.url}/there")
    site.publish("/there", {"here": "it is"})
    with pytest.raises(DocumentError, match="answered 302"):
        fetch_document(f"{site.url}/moved")
    assert site.asked == ["/moved"]


@pytest.mark.parametrize(
    "body", [b"", b"nothing", b"[]", b"\xff", b"[" * 100_000, b'{"a": "' + b"x" * 300_000 + b'"}'], ids=range(6)
)
def test_a_document_that_is_none_is_refused(site: Published, body: bytes) -> None:
    """What is no JSON object, or a very long one, is not a document."""
    site.publish("/document", body)
    with pytest.raises(DocumentError):
        fetch_document(f"{site.url}/document")


def test_a_provider_that_is_down_may_be_asked_again(site: Published) -> None:
    """Its 503 is passing; that it does not know the document is not."""
    site.publish("/busy", {}, 503)
    with pytest.raises(DocumentError) as caught:
        fetch_document(f"{site.url}/busy")
    assert caught.value.is_passing
    with pytest.raises(DocumentError) as caught:
        fetch_document(f"{site.url}/unknown")
    assert not caught.value.is_passing


@pytest.mark.parametrize(
    "url",
    [
        *("http://id.example/x", "http://10.0.0.1/x", "http://169.254.169.254/latest", "ftp://127.0.0.1/x"),
        *("https://", "https://a b/", "https://u:p@id.example/", "https://id.example:99999/", "https://[::1/", ""),
        *("https://id.example/\r\nX: y", "https://id.example/#x", "http://localhost.example/x", "http://2130706433/"),
    ],
)
def test_only_https_and_this_machine_are_fetched_from(url: str) -> None:
    """Plain http leads to this machine only, by its usual names; nothing else is asked at all."""
    with pytest.raises(DocumentError, match="URL"):
        fetch_document(url)


def test_nobody_listening_is_a_refusal() -> None:
    """A port that nobody listens on is told as what it is."""
    with serve() as site:
        gone = site.url
    with pytest.raises(DocumentError, match="could not be fetched"):
        fetch_document(f"{gone}/x")


@pytest.mark.parametrize("url", ["http://127.0.0.1:80/x", "http://localhost", "http://[::1]:4566", "http://127.9.9.9"])
def test_loopback_is_known(url: str) -> None:
    """The names and addresses of this machine are told from others, and https is not plain http."""
    assert is_loopback_url(url)
    assert not is_loopback_url(url.replace("http", "https"))
