"""JWTs: who one proves, and every way in which one proves nothing."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_issuer import AUDIENCE, ISSUER, MadeIssuer

from keyhole.service.callers.caller import Caller, CallerKind
from keyhole.service.callers.issuer_keys import FRESH_S, LEAST_WAIT_S, STALE_S, IssuerKeys, IssuerUnreachableError
from keyhole.service.callers.oidc import LEEWAY_S, BadTokenError, OidcVerifier, Verified
from keyhole.spec.uploads import OidcCallers


@pytest.fixture(scope="module")
def issuer() -> MadeIssuer:
    """One issuer for those who only verify: keys take long to make."""
    return MadeIssuer()


def callers(**more: Any) -> OidcCallers:
    return OidcCallers.model_validate({"kind": "oidc", "issuer": ISSUER, "audience": AUDIENCE, **more})


def verify(issuer: MadeIssuer, token: str, **more: Any) -> Verified:
    verifier = OidcVerifier({"people": callers(**more)}, issuer.open_client)
    return anyio.run(verifier.verify, token)


def refused(issuer: MadeIssuer, token: str, **more: Any) -> str:
    with pytest.raises(BadTokenError) as raised:
        verify(issuer, token, **more)
    return str(raised.value)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_good_token_proves_its_subject(issuer: MadeIssuer) -> None:
    """The caller is the subject, in the group whose issuer it is, until the token ends."""
    found = verify(issuer, issuer.sign(exp=4_000_000_000))
    assert found == Verified(Caller(CallerKind.OIDC, "people", "ana"), 4_000_000_000)
    assert verify(issuer, issuer.sign(aud=["other", AUDIENCE])).caller.name == "ana"
    assert verify(issuer, issuer.sign(email="ana@example.com"), subject_claim="email").caller.name == "ana@example.com"
    assert verify(issuer, issuer.sign(header={"kid": None})).caller.name == "ana"
    assert verify(issuer, issuer.sign(header={"typ": "at+jwt"})).caller.name == "ana"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://evil.example"}, "another issuer|not taken here"),
        ({"iss": ISSUER + "/"}, "not taken here"),
        ({"iss": None}, "not taken here"),
        ({"aud": "other"}, "its `aud` is another"),
        ({"aud": None}, "its `aud` is another"),
        ({"aud": {"uploads": 1}}, "its `aud` is another"),
        ({"exp": None}, "no `exp`"),
        ({"exp": int(time.time()) - LEEWAY_S - 5}, "has expired"),
        ({"exp": "4000000000"}, "`exp` is no time"),
        ({"exp": True}, "`exp` is no time"),
        ({"nbf": int(time.time()) + LEEWAY_S + 600}, "`nbf` is in the future"),
        ({"iat": int(time.time()) + LEEWAY_S + 600}, "`iat` is in the future"),
        ({"sub": None}, "no usable `sub`"),
        ({"sub": ""}, "no usable `sub`"),
        ({"sub": 7}, "no usable `sub`"),
        ({"sub": "a" * 256}, "no usable `sub`"),
        ({"sub": "a\nb"}, "no usable `sub`"),
    ],
)
def test_a_claim_that_is_wrong_is_enough_to_refuse(issuer: MadeIssuer, claims: dict[str, Any], why: str) -> None:
    """Each is told; the signature is right in all."""
    assert any(words in refused(issuer, issuer.sign(**claims)) for words in why.split("|"))


def test_clocks_may_differ_by_a_minute(issuer: MadeIssuer) -> None:
    """Within the leeway a token that has just ended or is about to begin is good."""
    now = int(time.time())
    assert verify(issuer, issuer.sign(exp=now - LEEWAY_S + 30, nbf=now + LEEWAY_S - 30)).caller.name == "ana"


def test_nobody_but_the_issuer_signs(issuer: MadeIssuer) -> None:
    """Not another key of the same id, not a changed text, not `none`, not a public key taken for a shared secret."""
    impostor = MadeIssuer()
    assert "none of the issuer's keys" in refused(issuer, impostor.sign())
    head, body, signature = issuer.sign().split(".")
    changed = part({"iss": ISSUER, "aud": AUDIENCE, "sub": "root", "exp": 4_000_000_000})
    assert "none of the issuer's keys" in refused(issuer, f"{head}.{changed}.{signature}")
    assert "none of the issuer's keys" in refused(issuer, f"{head}.{body}.")
    for algorithm in ("none", "HS256", "HS512", "RS1", "", None, 5):
        forged = f"{part({'alg': algorithm, 'kid': 'k1'})}.{body}.{signature}"
        assert "signed in a way that is not taken" in refused(issuer, forged)


@pytest.mark.parametrize("header", [{"crit": ["b64"], "b64": False}, {"typ": "dpop+jwt"}, {"typ": 5}, {"kid": 5}])
def test_headers_that_change_what_a_token_means_are_refused(issuer: MadeIssuer, header: dict[str, Any]) -> None:
    """What is not understood is not passed over."""
    body, signature = issuer.sign().split(".")[1:]
    assert "not taken" in refused(issuer, f"{part({'alg': 'RS256', 'kid': 'k1', **header})}.{body}.{signature}")


@pytest.mark.parametrize("text", ["", "a.b.c", "a.b", "....", "é.b.c", "kh_x", f"{part([])}.{part({})}.x", "x" * 20000])
def test_nonsense_is_no_token(issuer: MadeIssuer, text: str) -> None:
    """It is refused, and the issuer is not asked."""
    before = len(issuer.asked)
    assert "token is" in refused(issuer, text)
    assert len(issuer.asked) == before


@pytest.mark.parametrize(("kind", "size", "algorithm"), [("EC", "P-256", "ES256"), ("EC", "P-384", "ES384")])
def test_elliptic_curves_are_taken(kind: str, size: str, algorithm: str) -> None:
    """Each algorithm with its own curve only."""
    issuer = MadeIssuer()
    issuer.add_key("e", kind, size)
    assert verify(issuer, issuer.sign(key_id="e", header={"alg": algorithm})).caller.name == "ana"
    assert "none of the issuer's keys" in refused(issuer, issuer.sign(key_id="k1", header={"kid": "e"}))


def test_weak_keys_and_keys_for_other_things_are_not_used() -> None:
    """1024 bits of RSA prove nothing, nor does a key for encryption, nor one for another algorithm."""
    issuer = MadeIssuer()
    with pytest.warns(UserWarning, match="2048"):
        issuer.add_key("weak", "RSA", 1024)
    good = issuer.keys["k1"].as_dict(private=False)
    assert "none of the issuer's keys" in refused(issuer, issuer.sign(key_id="weak"))
    for more in ({"use": "enc"}, {"alg": "RS512"}, {"kty": "oct", "k": "c2VjcmV0"}, {"n": "AQAB"}, {"n": 5}):
        issuer.jwks = {"keys": [{**good, **more}, "nonsense", {"kty": "EC", "crv": "P-999"}]}
        assert "none of the issuer's keys" in refused(issuer, issuer.sign())


def test_two_groups_of_one_issuer_are_told_apart_by_audience(issuer: MadeIssuer) -> None:
    """A token is of the group that it is for."""
    groups = {"people": callers(), "robots": callers(audience="robots")}
    verifier = OidcVerifier(groups, issuer.open_client)
    assert anyio.run(verifier.verify, issuer.sign(aud="robots")).caller.group == "robots"
    assert anyio.run(verifier.verify, issuer.sign()).caller.group == "people"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_asked_for_once_and_again_when_they_are_old() -> None:
    """Within an hour nobody is asked; after it the issuer is, and a day without it still works."""
    issuer, clock = MadeIssuer(), Clock()
    keys = IssuerKeys(callers(), issuer.open_client, clock)

    async def story() -> None:
        for _ in range(3):
            assert len(await keys.suitable("RS256", "k1")) == 1
        assert issuer.asked == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]
        issuer.status = 0
        clock.now += FRESH_S + 1
        assert len(await keys.suitable("RS256", "k1")) == 1
        assert len(issuer.asked) == 3
        clock.now += STALE_S
        with pytest.raises(IssuerUnreachableError):
            await keys.suitable("RS256", "k1")

    anyio.run(story)


def test_a_new_key_is_found_and_unknown_ones_do_not_become_a_flood() -> None:
    """A key id that is not known is asked for at once, and then not again for half a minute."""
    issuer, clock = MadeIssuer(), Clock()
    keys = IssuerKeys(callers(jwks_uri=f"{ISSUER}/keys"), issuer.open_client, clock)

    async def story() -> None:
        assert await keys.suitable("RS256", "k2") == ()
        for index in range(20):
            assert await keys.suitable("RS256", f"made-up-{index}") == ()
        assert issuer.asked == [f"{ISSUER}/keys"]
        issuer.add_key("k2")
        clock.now += LEAST_WAIT_S + 1
        assert len(await keys.suitable("RS256", "k2")) == 1
        assert len(issuer.asked) == 2

    anyio.run(story)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda issuer: setattr(issuer, "status", 500),
        lambda issuer: setattr(issuer, "status", 302),
        lambda issuer: setattr(issuer, "status", 0),
        lambda issuer: issuer.discovery.update(issuer="https://evil.example"),
        lambda issuer: issuer.discovery.update(jwks_uri="http://login.example.com/keys"),
        lambda issuer: issuer.discovery.update(jwks_uri="file:///etc/passwd"),
        lambda issuer: issuer.discovery.update(jwks_uri=None),
        lambda issuer: setattr(issuer, "jwks", {"keys": "none"}),
        lambda issuer: setattr(issuer, "jwks", []),
        lambda issuer: setattr(issuer, "jwks", {"keys": [], "padding": "x" * (1 << 20)}),
        lambda issuer: setattr(issuer, "jwks", {"keys": [{}] * 101}),
    ],
)
def test_without_the_issuer_s_own_word_nobody_is_known(break_it: Any) -> None:
    """Errors, redirects, another's document, floods: the token is neither good nor bad, and nobody is let in."""
    issuer = MadeIssuer()
    break_it(issuer)
    with pytest.raises(IssuerUnreachableError):
        verify(issuer, issuer.sign())
    assert not any("elsewhere" in url or url.startswith("file") for url in issuer.asked)


def test_an_issuer_over_http_is_asked_like_any_other() -> None:
    """With the client that the service has: discovery first, then its keys."""
    with MadeIssuer.served() as issuer:
        verifier = OidcVerifier({"people": callers(issuer=issuer.issuer)})
        assert anyio.run(verifier.verify, issuer.sign()).caller.name == "ana"
        assert issuer.asked == [f"{issuer.issuer}/.well-known/openid-configuration", f"{issuer.issuer}/keys"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["alg", "kid", "typ", "b64", "jwk", "x5c", "zip", "enc"])
HEADERS = st.dictionaries(NAMES, JSON | st.just("RS256"))
CLAIMS = st.dictionaries(st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub"]), JSON | st.just(ISSUER))


@given(header=HEADERS, claims=CLAIMS, signature=st.binary(max_size=300), name=st.sampled_from([None, "k1"]))
@settings(max_examples=150)
def test_whatever_a_token_says_it_is_refused_in_good_order(
    issuer: MadeIssuer, header: dict[str, Any], claims: dict[str, Any], signature: bytes, name: str | None
) -> None:
    """Nobody gets in, and nothing else happens: no header and no claim makes it fail in a way of its own."""
    head = {"alg": "RS256", **header, **({"kid": name} if name else {})}
    said = {"iss": ISSUER, "aud": AUDIENCE, "exp": 4_000_000_000, "sub": "ana", **claims}
    signed = base64.urlsafe_b64encode(signature).decode().rstrip("=")
    assert refused(issuer, f"{part(head)}.{part(said)}.{signed}")


@given(claims=CLAIMS)
@settings(max_examples=50)
def test_whatever_the_issuer_says_is_a_caller_or_a_refusal(issuer: MadeIssuer, claims: dict[str, Any]) -> None:
    """Rightly signed, and yet held to what a token must say."""
    token = issuer.sign(**claims)
    try:
        found = verify(issuer, token)
    except BadTokenError:
        return
    assert found.caller.name == claims.get("sub", "ana")
    assert found.expires_at > time.time() - LEEWAY_S - 1
