"""The door over HTTP: who is let in by a token or a session, and how everyone else is turned away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from made_issuer import AUDIENCE, ISSUER, MadeIssuer
from service_client import ServiceClient, problem_of
from service_fakes import make_service_for_test, make_settings_for_test

from keyhole.errors import KeyholeError
from keyhole.service.callers.caller import Caller, CallerKind
from keyhole.service.callers.door import Door, open_door
from keyhole.service.callers.oidc import OidcVerifier
from keyhole.service.callers.session import SESSION_S, Seal, Session, cookie_name, make_secret, read_cookie
from keyhole.service.callers.tokens import FILE_NAME, Tokens, make_token, revoke_tokens
from keyhole.service.operation import Operation
from keyhole.service.runtime import make_runtime
from keyhole.service.settings import Service
from keyhole.spec.uploads import OidcCallers, TokenCallers

ROBOTS = TokenCallers(kind="token")
PEOPLE = OidcCallers(kind="oidc", issuer=ISSUER, audience=AUDIENCE, subject_claim="sub", jwks_uri=None)
RULES = "/v1/rules"


def service_of(**callers: TokenCallers | OidcCallers) -> Service:
    return make_service_for_test(make_settings_for_test(), callers=callers)


class Site:
    """A service with one group of tokens and a browser in front of it."""

    def __init__(self, folder: Path) -> None:
        self.tokens = folder / FILE_NAME
        self.token, self.entry = make_token(self.tokens, "robots", "ana")
        self.operation = Operation(tokens_file=self.tokens, session_key="k" * 32, proxies=("127.0.0.1",))
        service = service_of(robots=ROBOTS)
        self.client = ServiceClient(service=service, runtime=make_runtime(service, self.operation))

    def ask(self, method: str = "GET", path: str = RULES, **headers: str) -> httpx.Response:
        return self.client.ask(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})

    def begin(self, **headers: str) -> httpx.Response:
        return self.client.ask("POST", "/v1/session", json={"token": self.token}, headers=headers)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_without_callers_anyone_is_let_in() -> None:
    """Whatever they send to prove who they are."""
    client = ServiceClient()
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Cookie": "keyhole_session=x"}):
        answer = client.ask("GET", RULES, headers=headers)
        assert answer.status_code == 200
        assert answer.json()["caller"] is None
    assert client.ask("GET", "/v1/session").json()["kind"] == "anyone"


def test_a_token_lets_its_caller_in(site: Site) -> None:
    """By the scheme Bearer, in any case."""
    for scheme in ("Bearer", "bearer"):
        answer = site.ask(Authorization=f"{scheme} {site.token}")
        assert answer.status_code == 200
        assert answer.json()["caller"] == {"name": "ana", "kind": "token"}


def test_strangers_are_told_how_to_come_in(site: Site) -> None:
    """401 with a challenge; an error is named only where credentials were sent, and never what they were."""
    body = problem_of(site.ask(), 401, "unknown-caller")
    assert "Bearer" in body["hint"]
    assert site.ask().headers["www-authenticate"] == 'Bearer realm="keyhole"'
    for sent, error in (
        (f"Bearer {site.token}x", "invalid_token"),
        ("Bearer a.b.c", "invalid_token"),
        ("Bearer ", "invalid_request"),
        (f"Basic {site.token}", "invalid_request"),
        (site.token, "invalid_request"),
    ):
        answer = site.ask(Authorization=sent)
        problem_of(answer, 401, "unknown-caller")
        assert answer.headers["www-authenticate"] == f'Bearer realm="keyhole", error="{error}"'
        assert site.token not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/uploads"),
        ("POST", "/v1/uploads"),
        ("DELETE", "/v1/uploads/uploads/images/x.png"),
        ("GET", "/v1/uploads/uploads/images/x.png/url"),
        ("GET", "/v1/uploads/uploads/images/x.png/metadata"),
        ("POST", "/v1/urls"),
        ("POST", "/v1/signed-uploads"),
        ("GET", "/v1/s3/params?filename=a&type=image/png"),
        ("POST", "/v1/s3/multipart"),
        ("GET", RULES),
        ("GET", "/v1/session"),
    ],
)
def test_no_address_is_open_to_strangers(site: Site, method: str, path: str) -> None:
    """They learn nothing, and the store is not asked."""
    problem_of(site.ask(method, path), 401, "unknown-caller")
    assert site.client.store.asked == []


def test_every_route_of_the_api_asks_for_the_caller(site: Site) -> None:
    """Those that the document describes, but for beginning and ending a session: a new route cannot forget it."""
    document = site.client.app.openapi()
    free = {("post", "/v1/session"), ("delete", "/v1/session"), ("get", "/healthz"), ("get", "/readyz")}
    routes = {(method, path) for path, methods in document["paths"].items() for method in methods} - free
    assert len(routes) > 8
    for method, path in sorted(routes):
        address = path.replace("{key}", "uploads/images/x.png").replace("{", "").replace("}", "")
        assert site.ask(method.upper(), address).status_code == 401, (method, path)


def test_a_revoked_token_is_nobody_s(site: Site) -> None:
    """At once, without a restart."""
    assert site.ask(Authorization=f"Bearer {site.token}").status_code == 200
    revoke_tokens(site.tokens, "ana")
    assert site.ask(Authorization=f"Bearer {site.token}").status_code == 401


def test_a_group_that_left_the_file_is_nobody(tmp_path: Path) -> None:
    """A token of a group that the file does not have opens nothing."""
    token, _ = make_token(tmp_path / FILE_NAME, "others", "ana")
    service = service_of(robots=ROBOTS)
    client = ServiceClient(service=service, runtime=make_runtime(service, Operation(tokens_file=tmp_path / FILE_NAME)))
    problem_of(client.ask("GET", RULES, headers={"Authorization": f"Bearer {token}"}), 401, "unknown-caller")


def test_while_the_tokens_are_unreadable_nobody_is_let_in(site: Site) -> None:
    """503, and not what the file says."""
    site.tokens.write_text("secret nonsense")
    body = problem_of(site.ask(Authorization=f"Bearer {site.token}"), 503, "callers-unavailable")
    assert "nonsense" not in str(body)
    with pytest.raises(KeyholeError):
        open_door(service_of(robots=ROBOTS), tokens_file=site.tokens)


def test_an_upload_that_is_not_open_to_the_caller_is_refused(tmp_path: Path) -> None:
    """403: known, and yet not let in; what is open to others is not in the rules."""
    token, _ = make_token(tmp_path / FILE_NAME, "robots", "ana")
    closed = replace(make_settings_for_test(), callers=("people",))
    service = make_service_for_test(closed, callers={"robots": ROBOTS, "people": PEOPLE})
    client = ServiceClient(service=service, runtime=make_runtime(service, Operation(tokens_file=tmp_path / FILE_NAME)))
    headers = {"Authorization": f"Bearer {token}"}
    problem_of(client.ask("GET", "/v1/uploads", headers=headers), 403, "not-your-upload")
    assert client.ask("GET", RULES, headers=headers).json()["uploads"] == []


def test_a_session_stands_for_its_token(site: Site) -> None:
    """The cookie is for no script, no other site and no subdomain, and has nothing of the token in it."""
    answer = site.begin()
    assert answer.status_code == 200
    assert answer.json() == {"name": "ana", "kind": "token", "group": "robots", "expires_s": answer.json()["expires_s"]}
    cookie = answer.headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert not any(part.startswith("domain") for part in attributes)
    assert site.token.rpartition("_")[2] not in cookie
    pair = cookie.partition(";")[0]
    assert site.ask(Cookie=f"other=1; {pair}; more=2").json()["caller"]["name"] == "ana"
    assert site.ask(path="/v1/session", Cookie=pair).json()["name"] == "ana"


def test_over_https_the_cookie_is_this_host_s_alone(site: Site) -> None:
    """`__Host-` and Secure; one of the plain name, which anyone on the network could have set, is not looked at."""
    answer = site.begin(**{"X-Forwarded-Proto": "https"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-keyhole=")
    assert "Secure" in cookie
    pair = cookie.partition(";")[0]
    assert site.ask(Cookie=pair, X_Forwarded_Proto="https").status_code == 200
    plain = pair.replace("__Host-keyhole", "keyhole_session")
    assert site.ask(Cookie=plain, X_Forwarded_Proto="https").status_code == 401


def test_a_session_ends(site: Site) -> None:
    """By DELETE, which takes the cookie away; and with its token."""
    pair = site.begin().headers["set-cookie"].partition(";")[0]
    ended = site.ask("DELETE", "/v1/session", Cookie=pair)
    assert ended.status_code == 204
    assert "Max-Age=0" in ended.headers["set-cookie"]
    assert ended.headers["set-cookie"].startswith('keyhole_session=""')
    assert site.ask(Cookie=pair).status_code == 200
    revoke_tokens(site.tokens, site.entry.token_id)
    assert site.ask(Cookie=pair).status_code == 401


def test_another_site_cannot_begin_or_end_a_session(site: Site) -> None:
    """Writes that another site makes in the visitor's browser are refused, with the cookie or without."""
    pair = site.begin().headers["set-cookie"].partition(";")[0]
    for method in ("POST", "DELETE"):
        problem_of(site.ask(method, "/v1/session", Cookie=pair, Sec_Fetch_Site="cross-site"), 403, "cross-site")


def test_a_wrong_token_begins_no_session(site: Site) -> None:
    """No cookie, and nothing of the token in the answer."""
    wrong = site.token[:-3] + "abc"
    answer = site.client.ask("POST", "/v1/session", json={"token": wrong})
    problem_of(answer, 401, "unknown-caller")
    assert "set-cookie" not in answer.headers
    assert wrong not in answer.text
    for body in ({}, {"token": ""}, {"token": 5}, {"token": "x" * 20000}):
        answer = site.client.ask("POST", "/v1/session", json=body)
        problem_of(answer, 400, "bad-parameter")


def test_an_authorization_counts_before_a_cookie(site: Site) -> None:
    """A wrong one is not made good by a session."""
    pair = site.begin().headers["set-cookie"].partition(";")[0]
    assert site.ask(Cookie=pair, Authorization="Bearer kh_wrong").status_code == 401


def test_a_jwt_lets_its_subject_in() -> None:
    """And an unknown one does not; an issuer that is not there is nobody's fault."""
    issuer = MadeIssuer()
    service = service_of(people=PEOPLE)
    runtime = make_runtime(service)
    runtime.door = Door(service, Seal("k" * 32, "app"), None, OidcVerifier({"people": PEOPLE}, issuer.open_client))
    client = ServiceClient(service=service, runtime=runtime)

    def ask(token: str) -> httpx.Response:
        return client.ask("GET", RULES, headers={"Authorization": f"Bearer {token}"})

    assert ask(issuer.sign()).json()["caller"] == {"name": "ana", "kind": "oidc"}
    answer = ask(issuer.sign(aud="others"))
    assert "`aud`" in problem_of(answer, 401, "unknown-caller")["detail"]
    begun = client.ask("POST", "/v1/session", json={"token": issuer.sign()})
    assert 0 < begun.json()["expires_s"] <= 300
    pair = begun.headers["set-cookie"].partition(";")[0]
    assert client.ask("GET", RULES, headers={"Cookie": pair}).json()["caller"]["name"] == "ana"
    issuer.status = 0
    verifier = OidcVerifier({"people": PEOPLE}, issuer.open_client)
    client.app.state.door = Door(service, Seal("k" * 32, "app"), None, verifier)
    problem_of(ask(issuer.sign()), 503, "callers-unavailable")


ANA = Session(Caller(CallerKind.TOKEN, "robots", "ana"), 4_000_000_000, "0a1b2c")


def test_a_seal_opens_what_it_closed_and_nothing_else() -> None:
    """Neither changed values, nor those of another key or app, nor what has expired."""
    seal = Seal("k" * 32, "shop")
    value = seal.close(ANA)
    assert seal.open(value) == ANA
    assert Seal("k" * 32, "shop").open(value) == ANA
    assert Seal("l" * 32, "shop").open(value) is None
    assert Seal("k" * 32, "other").open(value) is None
    for wrong in ("", "x", value[:-2], value[:20] + ("A" if value[20] != "A" else "B") + value[21:], "é"):
        assert seal.open(wrong) is None
    past = Session(ANA.caller, 1_000_000_000, "0a1b2c")
    assert seal.open(seal.close(past)) is None
    assert "ana" not in value
    assert "k" * 32 not in repr(seal)


def test_a_session_key_that_could_be_guessed_is_refused() -> None:
    """It is measured before it is used; those made here are long enough."""
    with pytest.raises(KeyholeError) as raised:
        Seal("short", "shop")
    assert "short`" not in str(raised.value)
    assert Seal(make_secret(), "shop").open("") is None
    assert SESSION_S == 12 * 3600


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("", ""),
        ("a=1", ""),
        ("keyhole_session=v", "v"),
        ("a=1;keyhole_session=v ; b=2", "v"),
        ("keyhole_session=v; keyhole_session=v", "v"),
        ("keyhole_session=v; keyhole_session=w", ""),
        ("xkeyhole_session=v", ""),
        ("keyhole_session", ""),
    ],
)
def test_a_cookie_is_read_only_if_it_is_one(header: str, value: str) -> None:
    """Two of a name with different values are somebody's trick."""
    assert read_cookie(header, cookie_name(is_https=False)) == value


def test_tokens_are_of_no_use_where_the_file_has_none(tmp_path: Path) -> None:
    """With an issuer alone, an API token is not even looked for."""
    token, _ = make_token(tmp_path / FILE_NAME, "people", "ana")
    service = service_of(people=PEOPLE)
    door: Any = open_door(service, tokens_file=tmp_path / FILE_NAME)
    client = ServiceClient(service=service)
    client.app.state.door = door
    problem_of(client.ask("GET", RULES, headers={"Authorization": f"Bearer {token}"}), 401, "unknown-caller")
    mixed = Door(service, Seal("k" * 32, "app"), Tokens(tmp_path / FILE_NAME))
    client.app.state.door = mixed
    problem_of(client.ask("GET", RULES, headers={"Authorization": f"Bearer {token}"}), 401, "unknown-caller")
