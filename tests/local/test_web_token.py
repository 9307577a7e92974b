"""JSON Web Tokens: only a signature by the issuer's key, of an algorithm made for that key, is believed."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey
from memory_backend import Clock
from token_issuer import P256, P384, RSA, public, sign

from keyhole.local.call import Fault
from keyhole.local.web_token import check_times, read_token, verify_signature

NOW = Clock()()
CLAIMS = {"iss": "https://id.example", "sub": "me", "exp": int(NOW.timestamp()) + 300}


def encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def refusal(text: str, *keys: dict[str, Any]) -> str:
    with pytest.raises(Fault) as caught:
        verify_signature(read_token(text), keys)
    assert (caught.value.code, caught.value.status) == ("InvalidIdentityToken", 400)
    return caught.value.message


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "RS384"), (RSA, "RS512"), (P256, "ES256"), (P384, "ES384")],
    ids=["RS256", "RS384", "RS512", "ES256", "ES384"],
)
def test_the_algorithms_of_aws_are_taken(key: RSAKey | ECKey, algorithm: str) -> None:
    """A token signed by one of the issuer's keys is verified, and its claims can be read."""
    token = read_token(sign(CLAIMS, key, algorithm))
    verify_signature(token, (public(RSA), public(P256), public(P384)))
    assert token.require("sub") == "me"
    assert "me" not in repr(token)


def test_a_token_without_a_signature_is_refused() -> None:
    """`none` is no algorithm, in whatever case, with whatever keys."""
    for name in ("none", "None", "NONE", ""):
        for signature in ("", "AAAA"):
            text = f"{encode({'alg': name, 'kid': RSA.kid})}.{encode(CLAIMS)}.{signature}"
            assert "algorithm is not supported" in refusal(text, public(RSA))


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_public_key_is_no_shared_secret(algorithm: str) -> None:
    """A token signed with the text of the public key as a secret is refused, whatever the issuer publishes."""
    for secret in (RSA.as_pem(private=False), json.dumps(public(RSA)).encode()):
        signed = f"{encode({'alg': algorithm, 'kid': RSA.kid})}.{encode(CLAIMS)}"
        digest = hmac.digest(secret, signed.encode(), f"sha{algorithm[2:]}")
        text = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
        assert "algorithm is not supported" in refusal(text, public(RSA))
        shared = {"kty": "oct", "kid": RSA.kid, "k": base64.urlsafe_b64encode(secret).decode()}
        assert "algorithm is not supported" in refusal(text, shared)


def test_pss_is_not_among_the_algorithms_of_aws() -> None:
    """PS256 is refused, though the key could do it."""
    assert "algorithm is not supported" in refusal(sign(CLAIMS, RSA, "PS256"), public(RSA))


def test_a_signature_by_another_key_is_refused() -> None:
    """The key id says which key it should be; another key's signature under that id is none."""
    other = ECKey.generate_key("P-256")
    assert refusal(sign(CLAIMS, other, "ES256", kid=P256.kid), public(P256)) == "Token signature is invalid"


def test_changed_claims_are_refused() -> None:
    """A token whose claims were changed after it was signed is refused."""
    header, _, signature = sign(CLAIMS, P256, "ES256").split(".")
    text = f"{header}.{encode({**CLAIMS, 'sub': 'admin'})}.{signature}"
    assert refusal(text, public(P256)) == "Token signature is invalid"


@pytest.mark.parametrize(
    "key",
    [
        public(P384),
        public(P256, use="enc"),
        public(P256, alg="ES384"),
        {**public(P256), "crv": "P-384"},
        {"kty": "oct", "k": "AAAA"},
        {},
        {"kty": ["EC"]},
    ],
    ids=["other curve", "for encryption", "for another algorithm", "curve of another", "secret", "empty", "strange"],
)
def test_a_key_that_is_for_something_else_is_not_used(key: dict[str, Any]) -> None:
    """Type, curve, use and algorithm of a key must be those of the signature."""
    assert "Couldn't retrieve verification key" in refusal(sign(CLAIMS, P256, "ES256"), key)


def test_a_weak_key_is_not_used() -> None:
    """An RSA key of less than 2,048 bits proves nothing."""
    modulus = base64.urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode()
    weak = {"kty": "RSA", "n": modulus, "e": "AQAB"}
    assert "Couldn't retrieve verification key" in refusal(sign(CLAIMS, RSA), weak)


def test_a_critical_header_that_is_not_known_is_refused() -> None:
    """RFC 7515, section 4.1.11: what must be understood and is not makes the token invalid."""
    header = {"alg": "ES256", "kid": P256.kid, "crit": ["exp"], "exp": 1}
    _, claims, signature = sign(CLAIMS, P256, "ES256").split(".")
    assert refusal(f"{encode(header)}.{claims}.{signature}", public(P256)) == "Token signature is invalid"


def test_a_key_that_no_library_can_read_is_a_refusal() -> None:
    """A published key that is broken makes no error of the server's."""
    assert refusal(sign(CLAIMS, P256, "ES256"), {**public(P256), "x": "!"}) == "Token signature is invalid"
    assert refusal(sign(CLAIMS, P256, "ES256"), {**public(P256), "x": 7}) == "Token signature is invalid"


@pytest.mark.parametrize(
    "text",
    [
        *("abcd", "a.b", "a.b.c.d", "..", "!.!.!", "é.é.é", f"{encode([])}.{encode({})}.AA", f"{encode({})}.e30.AA"),
        *(f"{encode({'alg': 7})}.e30.AA", f"{encode({'alg': 'RS256', 'kid': {}})}.e30.AA", f"{'W' * 9000}.e30.AA"),
        f"{encode({'alg': 'RS256'})}.{base64.b64encode(b'[' * 5000).decode()}.AA",
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    """Whatever cannot be taken apart is told to be no JWT, in AWS's words."""
    with pytest.raises(Fault, match="The ID Token provided is not a valid JWT") as caught:
        read_token(text)
    assert caught.value.code == "InvalidIdentityToken"


@pytest.mark.parametrize("claim", ["iss", "sub", "aud"])
@pytest.mark.parametrize("value", [None, "", 7, ["a"], {}])
def test_a_claim_that_is_needed_and_is_no_text_is_missing(claim: str, value: object) -> None:
    """AWS names the claim."""
    with pytest.raises(Fault, match=f"Missing a required claim: {claim}"):
        read_token(f"{encode({'alg': 'RS256'})}.{encode({claim: value})}.AA").require(claim)


def check(at: float = 0, **claims: Any) -> None:
    check_times(read_token(f"{encode({'alg': 'RS256'})}.{encode(claims)}.AA"), NOW + timedelta(seconds=at))


def test_a_token_ends_at_its_second() -> None:
    """A token is valid until, and not at, its `exp`; then AWS says both times."""
    ends = int(NOW.timestamp()) + 60
    check(59, exp=ends)
    with pytest.raises(Fault) as caught:
        check(60, exp=ends)
    assert (caught.value.code, caught.value.status) == ("ExpiredTokenException", 400)
    assert caught.value.message == (
        f"Token expired: current date/time {ends} must be before the expiration date/time {ends}"
    )


def test_a_token_of_the_future_is_refused() -> None:
    """`nbf` and `iat` may be a minute ahead, for clocks differ, and not more."""
    moment = int(NOW.timestamp())
    for claim in ("nbf", "iat"):
        check(exp=moment + 900, **{claim: moment + 60})
        with pytest.raises(Fault, match=f"its {claim} is in the future"):
            check(exp=moment + 900, **{claim: moment + 61})


@pytest.mark.parametrize("value", ["soon", True, -1, 2**60, None, [1]])
def test_a_time_that_is_none_is_refused(value: object) -> None:
    """A time is a number of seconds; nothing else is taken for one, and without an end there is no token."""
    with pytest.raises(Fault, match="Invalid claim: exp"):
        check(exp=value)
    with pytest.raises(Fault, match="Missing a required claim: exp"):
        check(iat=1)
