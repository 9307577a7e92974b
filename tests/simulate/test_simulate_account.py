"""Policies out of an account: the answer on paper is what the account then really does."""

import json
from pathlib import Path
from typing import Any

import pytest
from simulate_lines import allow, deny, policy

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.errors import AwsError, KeyholeError
from keyhole.iam import Outcome
from keyhole.local.server import LocalAws
from keyhole.simulate.answer import decide_question
from keyhole.simulate.files import PolicyFiles
from keyhole.simulate.words import Words, read_question
from local_story import AccountFactory

ACCOUNT = "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/team/alice"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app/web"
BUCKET = "arn:aws:s3:::masks"
NO_FILES = PolicyFiles()


def text(*statements: dict[str, Any]) -> str:
    return json.dumps(policy(*statements))


@pytest.fixture
def story(account: AccountFactory) -> BotocoreAws:
    """An account with a user in a group, within a boundary, and a role that the user may assume; two buckets."""
    aws = account()
    for name in ("masks", "other"):
        aws.call("s3", "CreateBucket", Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
    limits = text(allow(), allow("iam:Get*"), allow("sts:*"))
    boundary = aws.call("iam", "CreatePolicy", PolicyName="limits", PolicyDocument=limits)["Policy"]["Arn"]
    aws.call("iam", "CreateUser", UserName="alice", Path="/team/", PermissionsBoundary=boundary)
    aws.call("iam", "TagUser", UserName="alice", Tags=[{"Key": "color", "Value": "red"}])
    own = text(allow("s3:*Object", "arn:aws:s3:::masks/${aws:username}/*"), allow("iam:*"), allow("sts:AssumeRole"))
    aws.call("iam", "PutUserPolicy", UserName="alice", PolicyName="own", PolicyDocument=own)
    aws.call("iam", "CreateGroup", GroupName="readers")
    aws.call("iam", "AddUserToGroup", GroupName="readers", UserName="alice")
    tagged = {"StringEquals": {"aws:PrincipalTag/color": "red"}}
    reading = text(allow("s3:ListBucket", BUCKET, Condition=tagged))
    managed = aws.call("iam", "CreatePolicy", PolicyName="reading", PolicyDocument=text(allow("s3:Nothing")))
    managed_arn = managed["Policy"]["Arn"]
    aws.call("iam", "CreatePolicyVersion", PolicyArn=managed_arn, PolicyDocument=reading, SetAsDefault=True)
    aws.call("iam", "AttachGroupPolicy", GroupName="readers", PolicyArn=managed_arn)
    aws.call(
        "iam", "PutGroupPolicy", GroupName="readers", PolicyName="p", PolicyDocument=text(deny("*", f"{BUCKET}/x/*"))
    )
    bucket = text(
        allow("s3:GetObject", f"{BUCKET}/shared/*", Principal={"AWS": USER}),
        deny("s3:DeleteObject", f"{BUCKET}/*", Principal="*"),
    )
    aws.call("s3", "PutBucketPolicy", Bucket="masks", Policy=bucket)
    trust = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}
    for name, statement in (("web", trust), ("closed", {**trust, "Principal": {"Service": "ec2.amazonaws.com"}})):
        document = json.dumps(policy(statement))
        aws.call("iam", "CreateRole", RoleName=name, Path="/app/", AssumeRolePolicyDocument=document)
    inline = text(allow("s3:PutObject", "arn:aws:s3:::other/${aws:PrincipalTag/color}/*"))
    aws.call("iam", "PutRolePolicy", RoleName="web", PolicyName="p", PolicyDocument=inline)
    aws.call("iam", "TagRole", RoleName="web", Tags=[{"Key": "color", "Value": "blue"}])
    for name, key in (("masks", "shared/a"), ("masks", "alice/a"), ("masks", "x/a")):
        aws.call("s3", "PutObject", Bucket=name, Key=key, Body=b"x")
    return aws


def outcome(aws: BotocoreAws, principal: str, action: str, resource: str, **files: Any) -> Outcome:
    question, _ = read_question(Words(principal, action, resource), PolicyFiles(**files), aws)
    return decide_question(question).outcome


def happens(aws: BotocoreAws, service: str, operation: str, params: dict[str, Any]) -> bool:
    """Whether the call goes through; any other refusal than a denial is a failure of the test."""
    try:
        aws.call(service, operation, **params)
    except AwsError as error:
        if error.code != "AccessDenied":
            raise
        return False
    return True


def obj(key: str, bucket: str = "masks") -> dict[str, str]:
    return {"Bucket": bucket, "Key": key}


CALLS = [
    ("s3:PutObject", f"{BUCKET}/alice/a", "PutObject", obj("alice/a"), True),
    ("s3:GetObject", f"{BUCKET}/alice/a", "GetObject", obj("alice/a"), True),
    ("s3:DeleteObject", f"{BUCKET}/alice/a", "DeleteObject", obj("alice/a"), False),
    ("s3:GetObject", f"{BUCKET}/shared/a", "GetObject", obj("shared/a"), True),
    ("s3:PutObject", f"{BUCKET}/shared/a", "PutObject", obj("shared/a"), False),
    ("s3:GetObject", f"{BUCKET}/x/a", "GetObject", obj("x/a"), False),
    ("s3:ListBucket", BUCKET, "ListObjectsV2", {"Bucket": "masks"}, True),
    ("s3:ListBucket", "arn:aws:s3:::other", "ListObjectsV2", {"Bucket": "other"}, False),
    ("s3:ListAllMyBuckets", "*", "ListBuckets", {}, False),
    ("iam:GetUser", USER, "GetUser", {"UserName": "alice"}, True),
    ("iam:DeleteUser", USER, "DeleteUser", {"UserName": "alice"}, False),
    ("sts:AssumeRole", ROLE, "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "session"}, True),
    (
        "sts:AssumeRole",
        f"arn:aws:iam::{ACCOUNT}:role/app/closed",
        "AssumeRole",
        {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/app/closed", "RoleSessionName": "session"},
        False,
    ),
]


def test_a_user_s_answers_are_what_happens(story: BotocoreAws, local_aws: LocalAws) -> None:
    """Own, managed and group policies, tags, boundary, bucket policy and trust policy all count."""
    key = story.call("iam", "CreateAccessKey", UserName="alice")["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    alice = BotocoreAws(story.region, credentials=credentials, endpoint_url=local_aws.url, max_attempts=1)
    for action, resource, operation, params, expected in CALLS:
        said = outcome(story, USER, action, resource) is Outcome.ALLOWED
        happened = happens(alice, action.partition(":")[0], operation, params)
        assert (said, happened) == (expected, expected), f"{action} on {resource}"


def test_a_role_session_s_answers_are_what_happens(story: BotocoreAws, local_aws: LocalAws) -> None:
    """By the session's ARN and by the role's, with the role's tags."""
    key = story.call("iam", "CreateAccessKey", UserName="alice")["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    alice = BotocoreAws(story.region, credentials=credentials, endpoint_url=local_aws.url, max_attempts=1)
    answer = alice.call("sts", "AssumeRole", RoleArn=ROLE, RoleSessionName="session")
    found = answer["Credentials"]
    held = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    web = BotocoreAws(story.region, credentials=held, endpoint_url=local_aws.url, max_attempts=1)
    for principal in (answer["AssumedRoleUser"]["Arn"], ROLE):
        for bucket, object_key, expected in (
            ("other", "blue/a", True),
            ("other", "red/a", False),
            ("masks", "a", False),
        ):
            said = outcome(story, principal, "s3:PutObject", f"arn:aws:s3:::{bucket}/{object_key}") is Outcome.ALLOWED
            assert (said, happens(web, "s3", "PutObject", obj(object_key, bucket))) == (expected, expected)


def test_the_root_needs_no_policy_but_is_denied_by_one(story: BotocoreAws) -> None:
    """The bucket's own Deny hits the root too."""
    root = f"arn:aws:iam::{ACCOUNT}:root"
    assert outcome(story, root, "s3:PutObject", f"{BUCKET}/a") is Outcome.ALLOWED
    assert outcome(story, ACCOUNT, "s3:DeleteObject", f"{BUCKET}/a") is Outcome.EXPLICIT_DENY
    assert happens(story, "s3", "PutObject", obj("a")) is True
    assert happens(story, "s3", "DeleteObject", obj("a")) is False


def test_files_come_to_what_the_account_has(story: BotocoreAws, tmp_path: Path) -> None:
    """One more identity policy allows, another boundary forbids, a bucket policy replaces the bucket's."""
    file = tmp_path / "more.json"
    file.write_text(text(allow("s3:PutObject")))
    target = ("s3:PutObject", "arn:aws:s3:::other/a")
    assert outcome(story, USER, *target) is Outcome.IMPLICIT_DENY
    assert outcome(story, USER, *target, identity=(file,)) is Outcome.ALLOWED
    bucket = tmp_path / "bucket.json"
    bucket.write_text(text(allow("s3:Nothing", Principal="*")))
    deletion = Words(USER, "s3:DeleteObject", f"{BUCKET}/alice/a")
    assert decide_question(read_question(deletion, PolicyFiles(resource=bucket), story)[0]).is_allowed
    assert outcome(story, USER, "s3:GetObject", f"{BUCKET}/alice/a", boundaries=(file,)) is Outcome.IMPLICIT_DENY


def test_the_context_that_is_given_outranks_the_account(story: BotocoreAws) -> None:
    """Whatever its case: one value, not two."""
    words = Words(USER, "s3:ListBucket", BUCKET, context=("AWS:principaltag/COLOR=green",))
    question, _ = read_question(words, NO_FILES, story)
    assert question.request.context["aws:PrincipalTag/color"] == "green"
    assert question.request.context["aws:username"] == "alice"
    assert question.request.context["aws:ResourceAccount"] == ACCOUNT
    assert not decide_question(question).is_allowed


def test_what_was_not_read_is_said(story: BotocoreAws) -> None:
    """Organizations' policies always; the resource's own where its service has such."""
    _, notes = read_question(Words(USER, "s3:GetObject", f"{BUCKET}/a"), NO_FILES, story)
    assert len(notes) == 1
    assert "SCPs and RCPs" in notes[0]
    _, notes = read_question(Words(USER, "sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"), NO_FILES, story)
    assert "`sqs` may have a policy of its own" in notes[1]


@pytest.mark.parametrize(
    ("principal", "resource", "message"),
    [
        ("anonymous", BUCKET, "the account holds no policies for `anonymous`"),
        ("ec2.amazonaws.com", BUCKET, "the account holds no policies for `ec2.amazonaws.com`"),
        ("arn:aws:iam::999988887777:user/alice", BUCKET, "is of another account than the credentials"),
        (f"arn:aws:iam::{ACCOUNT}:user/bob", BUCKET, "there is no `arn:aws:iam::123456789012:user/bob`"),
        (f"arn:aws:iam::{ACCOUNT}:user/alice", BUCKET, "there is no `arn:aws:iam::123456789012:user/alice`"),
        (f"arn:aws:iam::{ACCOUNT}:role/web", BUCKET, "there is no `arn:aws:iam::123456789012:role/web`"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/none/s", BUCKET, "assumed-role/none/s`"),
        (USER, "arn:aws:s3:::nowhere/a", "there is no bucket `nowhere`"),
        (USER, "arn:aws:s3:::*/a", "names no bucket"),
        (USER, "arn:aws:s3:::foreign/a", "the policy of bucket `foreign` cannot be read"),
    ],
)
def test_what_the_account_does_not_know_is_an_error(
    story: BotocoreAws, account: AccountFactory, principal: str, resource: str, message: str
) -> None:
    """Each says what is wrong, and there is no answer."""
    place = {"CreateBucketConfiguration": {"LocationConstraint": story.region}}
    account(number="999988887777").call("s3", "CreateBucket", Bucket="foreign", **place)
    with pytest.raises(KeyholeError) as caught:
        outcome(story, principal, "s3:GetObject", resource)
    assert message in str(caught.value)
    assert caught.value.hint


def test_another_account_s_bucket_is_asked_about_with_its_policy_in_a_file(story: BotocoreAws, tmp_path: Path) -> None:
    """Both sides must allow; without the other's policy nobody does."""
    file = tmp_path / "bucket.json"
    file.write_text(text(allow("s3:GetObject", Principal={"AWS": ACCOUNT})))
    mine = tmp_path / "mine.json"
    mine.write_text(text(allow("s3:GetObject")))
    words = Words(USER, "s3:GetObject", "arn:aws:s3:::foreign/a", "999988887777")
    both, _ = read_question(words, PolicyFiles(identity=(mine,), resource=file), story)
    one, _ = read_question(words, PolicyFiles(identity=(mine,)), story)
    assert decide_question(both).is_allowed
    assert [kind.value for kind in decide_question(one).blocked_by] == ["resource"]


def test_another_account_s_role_needs_its_trust_policy(story: BotocoreAws) -> None:
    """It cannot be read from here."""
    with pytest.raises(KeyholeError, match="another account's role"):
        outcome(story, USER, "sts:AssumeRole", "arn:aws:iam::999988887777:role/x")
