"""From events to grants, a policy, and what the file's grants lack or have too much of."""

from __future__ import annotations

from typing import Any

import pytest

from keyhole.iam import PolicyKind, parse_policy
from keyhole.learn import Lesson, Needed, by_principal, learn, read_uses
from keyhole.learn.policy import find_unallowed
from keyhole.spec.model import Grant
from made_events import ACCOUNT, ROLE, asked, event, listing, on_object

ANONYMOUS = {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}


def lesson(*events: dict[str, Any], grants: list[tuple[str, Grant]] | None = None) -> Lesson:
    """What the role's calls teach; they are its alone."""
    found = by_principal(read_uses(events))
    assert set(found) <= {ROLE}
    return learn(ROLE, found.get(ROLE, ()), grants)


def grant(bucket: str, prefix: str, *verbs: Any) -> tuple[str, Grant]:
    return bucket, Grant(bucket=bucket, prefix=prefix, verbs=list(verbs))


def test_each_verb_is_granted_where_it_was_used() -> None:
    """Calls of one verb on one folder ask for no other verb and no other folder."""
    found = lesson(
        on_object("Put", "images/uploads/a.png"),
        on_object("Get", "images/uploads/a.png"),
        on_object("Delete", "images/tmp/a.png"),
        listing("images", "uploads/"),
        on_object("Get", "masks/top.png"),
    )
    assert found.needs.grants == (
        Needed("images", "tmp/", ("delete",)),
        Needed("images", "uploads/", ("read", "write", "list")),
        Needed("masks", "", ("read",)),
    )
    assert (found.unproved, found.is_settled) == ((), True)


def test_a_listing_of_part_of_a_name_takes_the_folder_above() -> None:
    """`uploads/im` may list `uploads/important/`: no prefix of the spec allows it but `uploads/`."""
    assert lesson(listing("images", "uploads/im")).needs.grants == (Needed("images", "uploads/", ("list",)),)
    assert lesson(listing("images")).needs.grants == (Needed("images", "", ("list",)),)


def test_the_policy_allows_what_was_asked_and_nothing_beside() -> None:
    """Actions that were not asked are not in it, though a verb has them; listings are limited by s3:prefix."""
    found = lesson(on_object("Put", "images/uploads/a.png"), listing("images", "uploads/"))
    assert found.policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": "arn:aws:s3:::images",
                "Condition": {"StringLike": {"s3:prefix": "uploads/*"}},
            },
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::images/uploads/*"},
        ],
    }


def test_the_answer_is_tried_on_the_requests() -> None:
    """A policy that lacks one of the requests is found out, be it for the action, the resource or the context."""
    uses = read_uses([on_object("Put", "images/uploads/a.png"), listing("images", "uploads/")])
    policy = learn(ROLE, uses, None).policy
    assert find_unallowed(policy, uses) == ()
    elsewhere = read_uses([on_object("Put", "images/masks/a.png"), listing("images", "masks/"), listing("images")])
    assert find_unallowed(policy, elsewhere) == elsewhere
    assert find_unallowed({"Version": "2012-10-17", "Statement": []}, uses) == uses


def test_what_no_verb_covers_is_a_policy_of_its_own() -> None:
    """Actions outside the spec's verbs are in the policy by name, many resources as one pattern."""
    queues = [f"arn:aws:sqs:us-east-1:{ACCOUNT}:q/{number}" for number in range(7)]
    found = lesson(
        event("PutObjectAcl", asked("s3:PutObjectAcl", "arn:aws:s3:::images/uploads/a.png")),
        event("ListBuckets", asked("s3:ListAllMyBuckets", "arn:aws:s3:::*")),
        *(event("SendMessage", asked("sqs:SendMessage", queue)) for queue in queues),
        event("GetRole", asked("iam:GetRole", ROLE)),
    )
    assert found.needs.grants == ()
    assert {use.action for use in found.needs.without_verb} == {
        *("s3:PutObjectAcl", "s3:ListAllMyBuckets", "sqs:SendMessage", "iam:GetRole"),
    }
    assert {one["Action"]: one["Resource"] for one in found.policy["Statement"]} == {
        "s3:PutObjectAcl": "arn:aws:s3:::images/uploads/*",
        "s3:ListAllMyBuckets": "arn:aws:s3:::*",
        "sqs:SendMessage": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q/*",
        "iam:GetRole": ROLE,
    }
    assert found.unproved == ()


def test_what_takes_no_permission_is_not_learned() -> None:
    """GetCallerIdentity is anybody's right, and what anonymous callers ask for is nobody's grant."""
    free = event("GetCallerIdentity", asked("sts:GetCallerIdentity", "*"))
    unsigned = event("GetObject", asked("s3:GetObject", "arn:aws:s3:::b/k", allowed=False), identity=ANONYMOUS)
    assert read_uses([free, unsigned]) == ()


def test_what_a_bucket_policy_allows_takes_no_grant() -> None:
    """Reading what is public is allowed by the bucket: the grants stay as small as without it."""
    reason = "statement 0 `PublicRead` of resource-based policy allows it"
    found = lesson(event("GetObject", asked("s3:GetObject", "arn:aws:s3:::b/public/a", reason=reason)))
    assert (found.needs.grants, found.needs.met) == ((), 1)


def test_a_missing_key_asks_for_the_whole_list_only_where_it_is_granted() -> None:
    """Who may list the bucket was told 404, and needs to be again; who may not was told 403, and is again."""
    read = asked("s3:GetObject", "arn:aws:s3:::images/uploads/none")
    hidden = lesson(event("HeadObject", read, asked("s3:ListBucket", "arn:aws:s3:::images", allowed=False)))
    assert hidden.needs.grants == (Needed("images", "uploads/", ("read",)),)
    assert (hidden.needs.hidden, hidden.denied) == (1, ())
    shown = lesson(event("HeadObject", read, asked("s3:ListBucket", "arn:aws:s3:::images")))
    assert shown.needs.grants == (
        Needed("images", "", ("list",), only_missing_keys=True),
        Needed("images", "uploads/", ("read",)),
    )
    listed = lesson(event("HeadObject", read, asked("s3:ListBucket", "arn:aws:s3:::images")), listing("images"))
    assert not listed.needs.grants[0].only_missing_keys


def test_the_files_grants_are_held_against_it() -> None:
    """What no grant covers is lacking; a verb that covers nothing is unused, also where a narrower grant did."""
    grants = [
        grant("images", "", "read"),
        grant("images", "uploads/", "read", "write", "delete"),
        grant("masks", "", "list"),
    ]
    found = lesson(
        on_object("Get", "images/uploads/a.png"),
        on_object("Put", "images/uploads/a.png"),
        on_object("Put", "images/thumbs/a.png", allowed=False),
        grants=grants,
    )
    assert found.comparison
    assert [(one.index, one.verb) for one in found.comparison.unused] == [(0, "read"), (1, "delete"), (2, "list")]
    assert [use.resource for use in found.comparison.lacking] == ["arn:aws:s3:::images/thumbs/a.png"]
    assert [use.resource for use in found.denied] == ["arn:aws:s3:::images/thumbs/a.png"]
    assert not found.is_settled


def test_grants_that_agree_are_settled() -> None:
    """Every verb used, nothing denied, nothing lacking: there is nothing to change."""
    grants = [grant("images", "uploads/", "read")]
    assert lesson(on_object("Get", "images/uploads/x/a.png"), grants=grants).is_settled
    assert not lesson(grants=grants).is_settled


def test_conditions_of_one_question_are_its_own() -> None:
    """A key that one decision has is not in the context of the others of its call."""
    (first, second) = read_uses(
        [
            event(
                "DeleteObjects",
                asked("s3:DeleteObject", "arn:aws:s3:::b/1"),
                asked("s3:DeleteObjectVersion", "arn:aws:s3:::b/2", s3_versionid="v"),
            )
        ]
    )
    assert first.context == {"aws:sourceip": "127.0.0.1"}
    assert second.context == {"aws:sourceip": "127.0.0.1", "s3:versionid": "v"}


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:TagSession"])
def test_a_role_that_was_assumed_is_named(action: str) -> None:
    """Assuming takes a statement on the role, and the role's trust besides."""
    other = f"arn:aws:iam::{ACCOUNT}:role/other"
    found = lesson(event("AssumeRole", asked(action, other)))
    assert found.policy["Statement"] == [{"Effect": "Allow", "Action": action, "Resource": other}]
    assert found.unproved == ()


def test_what_the_policy_file_allows_needs_no_grant() -> None:
    """It is neither lacking nor without a verb, and the policy that suffices has it; a covering grant comes first."""
    statements = [
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:PutObjectTagging"], "Resource": "arn:aws:s3:::images/*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::images/locked/*"},
    ]
    file_policy = parse_policy({"Version": "2012-10-17", "Statement": statements}, PolicyKind.IDENTITY)
    uses = read_uses(
        [
            on_object("Put", "images/uploads/a.png"),
            on_object("Put", "images/tmp/a.png"),
            event("PutObjectTagging", asked("s3:PutObjectTagging", "arn:aws:s3:::images/tmp/a.png")),
            on_object("Put", "images/locked/a.png", allowed=False),
            on_object("Get", "images/tmp/a.png", allowed=False),
        ]
    )
    found = learn(ROLE, uses, [grant("images", "uploads/", "write")], file_policy)
    assert [use.action for use in found.by_file] == ["s3:PutObject", "s3:PutObjectTagging"]
    assert {use.path for use in found.by_file} == {"tmp/a.png"}
    assert found.needs.grants == (
        Needed("images", "locked/", ("write",)),
        Needed("images", "tmp/", ("read",)),
        Needed("images", "uploads/", ("write",)),
    )
    assert found.needs.without_verb == ()
    assert found.comparison is not None
    assert [use.path for use in found.comparison.lacking] == ["locked/a.png", "tmp/a.png"]
    assert found.comparison.unused == ()
    assert find_unallowed(found.policy, uses) == ()
    without = learn(ROLE, uses, [grant("images", "uploads/", "write")])
    assert len(without.needs.without_verb) == 1


def test_what_the_policy_file_allows_and_was_denied_is_told() -> None:
    """A boundary, or a file that was changed since `up`, denies it: no grant helps, and it is not settled."""
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::images/*"}
    file_policy = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, PolicyKind.IDENTITY)
    uses = read_uses([on_object("Put", "images/a.png", allowed=False)])
    found = learn(ROLE, uses, [], file_policy)
    assert (found.denied, found.needs.grants, found.is_settled) == (uses, (), False)
