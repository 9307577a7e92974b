"""Who asks, as one writes it."""

import pytest

from keyhole.errors import KeyholeError
from keyhole.iam import ANONYMOUS, Principal, PrincipalKind
from keyhole.simulate.principal import ANY_SESSION, parse_principal

N = "111122223333"
ROLE = f"arn:aws:iam::{N}:role/app/web"
SESSION = f"arn:aws:sts::{N}:assumed-role/web/i-1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ANONYMOUS),
        ("anonymous", ANONYMOUS),
        (N, Principal(PrincipalKind.ROOT, f"arn:aws:iam::{N}:root", N)),
        (f"arn:aws-cn:iam::{N}:root", Principal(PrincipalKind.ROOT, f"arn:aws-cn:iam::{N}:root", N)),
        (f"arn:aws:iam::{N}:user/a/b", Principal(PrincipalKind.USER, f"arn:aws:iam::{N}:user/a/b", N)),
        (SESSION, Principal(PrincipalKind.ROLE_SESSION, SESSION, N)),
        (
            f"arn:aws:sts::{N}:federated-user/bob",
            Principal(PrincipalKind.FEDERATED_USER, f"arn:aws:sts::{N}:federated-user/bob", N),
        ),
        ("ec2.amazonaws.com", Principal(PrincipalKind.SERVICE, "ec2.amazonaws.com")),
        ("ec2.amazonaws.com.cn", Principal(PrincipalKind.SERVICE, "ec2.amazonaws.com.cn")),
        (
            f"arn:aws:iam::{N}:oidc-provider/token.actions.githubusercontent.com",
            Principal(
                PrincipalKind.WEB_IDENTITY, f"arn:aws:iam::{N}:oidc-provider/token.actions.githubusercontent.com"
            ),
        ),
    ],
)
def test_each_form_is_its_principal(text: str | None, expected: Principal) -> None:
    """ARNs, account numbers, services and nobody, each with the account that it belongs to."""
    assert parse_principal(text) == expected


def test_a_role_s_arn_is_a_session_of_it_without_a_name() -> None:
    """The session has the role's name without its path, and a name that no real session has."""
    session_arn = f"arn:aws:sts::{N}:assumed-role/web/{ANY_SESSION}"
    assert parse_principal(ROLE) == Principal(PrincipalKind.ROLE_SESSION, session_arn, N, ROLE)


def test_the_principal_s_arn_in_the_context_tells_the_role_of_a_session() -> None:
    """`aws:PrincipalArn` is heeded if it names a role of the session's name and account."""
    assert parse_principal(SESSION, principal_arn=ROLE).role_arn == ROLE
    for other in ("arn:aws:iam::444455556666:role/web", f"arn:aws:iam::{N}:role/web2", f"arn:aws:iam::{N}:user/web"):
        assert parse_principal(SESSION, principal_arn=other).role_arn == ""


def test_a_bare_domain_that_brings_a_token_is_a_provider() -> None:
    """`accounts.google.com` asks for one action only; Cognito's name is a service's everywhere else."""
    action = "sts:AssumeRoleWithWebIdentity"
    assert parse_principal("accounts.google.com", action).kind is PrincipalKind.WEB_IDENTITY
    assert parse_principal("cognito-identity.amazonaws.com", action).kind is PrincipalKind.WEB_IDENTITY
    assert parse_principal("cognito-identity.amazonaws.com", "s3:GetObject").kind is PrincipalKind.SERVICE


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("*", "one request has one caller"),
        ("arn:aws:iam::111122223333:user/*", "one request has one caller"),
        ("alice", "write the ARN"),
        ("", "write the ARN"),
        (f"arn:aws:iam::{N}:user/", "write the ARN"),
        (f"arn:aws:sts::{N}:root", "write the ARN"),
        (f"arn:aws:iam::{N}:group/g", "a group asks for nothing"),
        (f"arn:aws:sts::{N}:assumed-role/web", "ROLE/SESSION"),
        (f"arn:aws:sts::{N}:assumed-role//s", "ROLE/SESSION"),
        (f"arn:aws:iam::{N}:instance-profile/p", "the role that is in"),
        ("accounts.google.com", "write the ARN"),
        (f"{USER}\n" if (USER := f"arn:aws:iam::{N}:user/a") else "", "write the ARN"),
    ],
)
def test_what_asks_for_nothing_is_refused_with_what_to_write(text: str, hint: str) -> None:
    """Each is an error that quotes it, with a hint."""
    with pytest.raises(KeyholeError) as caught:
        parse_principal(text)
    assert f"`{text}`" in caught.value.message
    assert hint in caught.value.hint
