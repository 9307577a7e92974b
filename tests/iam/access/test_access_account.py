"""An account is read as AWS writes it: encoded or not, with every policy that binds, and what is not there is said."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from access_accounts import (
    ACCOUNT,
    account,
    allow,
    attached,
    boundary,
    deny,
    details,
    group,
    managed,
    policy,
    role,
    user,
    user_arn,
)

from keyhole.errors import KeyholeError
from keyhole.iam import PolicyKind
from keyhole.iam.access.account import read_details
from keyhole.iam.access.document import Asked, read_document
from keyhole.iam.access.standing import Can, Target
from keyhole.iam.access.who import find_who
from keyhole.iam.symbolic.budget import Budget

OTHER = "999988887777"


def test_somebody_is_found_by_arn_name_or_session() -> None:
    """A session's ARN stands for its role, whatever the role's path."""
    with_path = role("web", {"AWS": ACCOUNT}, Arn=f"arn:aws:iam::{ACCOUNT}:role/team/web")
    found = account(user("web"), user("alice"), with_path)
    assert found.find("alice").arn == user_arn("alice")
    assert found.find(user_arn("web")).arn == user_arn("web")
    assert found.find(f"arn:aws:sts::{ACCOUNT}:assumed-role/web/i-1").arn == f"arn:aws:iam::{ACCOUNT}:role/team/web"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bob", "there is no user or role `bob`"),
        ("web", "`web` is a user and a role"),
        (f"arn:aws:sts::{OTHER}:assumed-role/web/i-1", "there is no user or role"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/nobody/i-1", "there is no user or role"),
    ],
)
def test_who_is_not_one_of_the_account_is_refused(text: str, message: str) -> None:
    """A session of a role of that name in another account is not this account's role."""
    with pytest.raises(KeyholeError, match=message):
        account(user("web"), role("web", {"AWS": ACCOUNT})).find(text)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"IsTruncated": True, "Marker": "x"}, "not all of the account's details"),
        ({"NextToken": "x"}, "not all of the account's details"),
        ({"UserDetailList": [user("a"), user("b", Arn=f"arn:aws:iam::{OTHER}:user/b")]}, "not of one account"),
    ],
)
def test_a_part_of_an_account_and_two_accounts_are_refused(more: dict[str, Any], message: str) -> None:
    """Who is not in it could not be named: nobody is to take silence for an answer."""
    with pytest.raises(KeyholeError, match=message):
        read_details({**details(user("alice")), **more})


def test_policies_are_read_url_encoded_as_text_and_as_objects() -> None:
    """The API answers them encoded, AWS's programs decode them; what is no JSON is left to the parser to refuse."""
    document = policy(allow("s3:GetObject"))
    for raw in (document, json.dumps(document), quote(json.dumps(document))):
        found = read_document(raw, PolicyKind.IDENTITY, "own", {})
        assert found.parse().statements[0].actions.patterns == ("s3:GetObject",)
        assert not found.may_grant(Asked("s3:PutObject", "*"))
    for raw in ("no JSON", "[]"):
        assert read_document(raw, PolicyKind.IDENTITY, "own", {}).may_grant(Asked("s3:PutObject", "*"))
        broken = account(user("bob", UserPolicyList=[{"PolicyName": "own", "PolicyDocument": raw}])).find("bob")
        assert "`user bob: own`, as the account has it" in broken.find_problem()


def test_a_statement_that_is_none_is_left_to_the_parser() -> None:
    """A statement without Effect denies as little as it allows: nobody can say."""
    found = read_document({"Statement": ["s3:*"]}, PolicyKind.IDENTITY, "own", {})
    assert found.may_grant(Asked("s3:GetObject", "*"))


def test_the_default_version_counts() -> None:
    """Whether it is marked, or named; without one nothing can be told of whom it is attached to."""
    versions = [
        {"VersionId": "v1", "IsDefaultVersion": False, "Document": policy(allow("s3:*"))},
        {"VersionId": "v2", "Document": policy(allow("s3:GetObject"))},
    ]
    named = {"PolicyName": "p", "Arn": f"arn:aws:iam::{ACCOUNT}:policy/p", "DefaultVersionId": "v2"}
    users = [user(name, AttachedManagedPolicies=attached("p")) for name in ("alice", "bob")]
    for policy_versions, problem in ((versions, ""), (versions[:1], "is not in the account's details")):
        found = account(*users, policies=[{**named, "PolicyVersionList": policy_versions}])
        for holder in found.holders:
            assert problem in holder.find_problem()
            assert bool(holder.find_problem()) is bool(problem)
    first, second = account(*users, policies=[{**named, "PolicyVersionList": versions}]).holders
    assert first.policies().identity == second.policies().identity
    assert first.policies().identity[0].statements[0].actions.patterns == ("s3:GetObject",)


def test_what_is_lacking_of_somebody_leaves_everything_open() -> None:
    """A group, or a boundary, that the details name and do not have."""
    found = account(
        user("alice", allow("s3:*"), GroupList=["gone", "there"]),
        user("bob", allow("s3:*"), PermissionsBoundary=boundary("gone")),
        groups=[group("there", allow("s3:*"))],
        policies=[managed("there", allow("s3:*"))],
    )
    verdicts = {each.arn: each for each in find_who(found, Target("s3:GetObject", "*", ACCOUNT), Budget(60.0))}
    for name, lacking in (("alice", "its group `gone`"), ("bob", "its boundary")):
        assert verdicts[user_arn(name)].verdict is Can.UNKNOWN
        assert lacking in verdicts[user_arn(name)].reason


def test_a_broken_policy_hides_nothing_that_it_does_not_speak_of() -> None:
    """Of what it does speak of it cannot be told."""
    broken = {"PolicyName": "odd", "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "iam:*"}}}
    fine = {"PolicyName": "own", "PolicyDocument": policy(allow("s3:*"), deny("s3:GetObject"))}
    found = account(user("bob", UserPolicyList=[fine, broken]))
    for action, verdict in (
        ("s3:PutObject", Can.CAN),
        ("s3:GetObject", Can.CANNOT),
        ("iam:GetUser", Can.UNKNOWN),
    ):
        _, standing = find_who(found, Target(action, "*", ACCOUNT), Budget(60.0))
        assert standing.verdict is verdict
