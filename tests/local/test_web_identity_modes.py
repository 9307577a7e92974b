"""What no mode lets through: tokens of identity providers that are not verified."""

from __future__ import annotations

import time
from urllib.parse import urlencode

import pytest
from joserfc.jwk import ECKey
from memory_backend import MemoryBackend, make_role
from token_issuer import P256, public, sign

from keyhole.local.backend import OidcProvider
from keyhole.local.call import Headers, HttpRequest
from keyhole.local.credentials import CredentialStore
from keyhole.local.gate import Gate
from keyhole.local.issuer_keys import IssuerKeys
from keyhole.local.mode import Mode
from keyhole.local.sessions import SessionStore

ASSUME = "sts:AssumeRoleWithWebIdentity"


@pytest.mark.parametrize("mode", list(Mode))
def test_in_no_mode_is_a_token_taken_unverified(mode: Mode) -> None:
    """Soft and off let pass what policies deny, never a token that proves nothing."""
    backend = MemoryBackend()
    role = backend.add_role(make_role())
    host = "id.example"
    arn = f"arn:aws:iam::{role.account}:oidc-provider/{host}"
    backend.oidc_providers[role.account, host] = OidcProvider(arn, host, ("sts.amazonaws.com",), (), ())
    keys = IssuerKeys({f"https://{host}": lambda: (public(P256),)})
    sessions, store = SessionStore(), CredentialStore(b"master", backend, SessionStore())
    gate = Gate(backend, sessions, store, "us-east-1", mode=mode, issuer_keys=keys)

    def ask(key: ECKey) -> int:
        claims = {"iss": f"https://{host}", "sub": "me", "aud": "sts.amazonaws.com", "exp": int(time.time()) + 60}
        form = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": role.arn,
            "RoleSessionName": "run-1",
            "WebIdentityToken": sign(claims, key, "ES256", kid=P256.kid),
        }
        headers = Headers([("Host", "127.0.0.1"), ("Content-Type", "application/x-www-form-urlencoded")])
        return gate.answer(HttpRequest("POST", "/", "", headers, Form(form))).status

    assert ask(ECKey.generate_key("P-256")) == 400
    # The role trusts EC2 alone.
    assert ask(P256) == (403 if mode is Mode.STRICT else 200)


class Form:
    """A request body that is a form."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._data = urlencode(fields).encode()

    def read(self) -> bytes:
        return self._data
