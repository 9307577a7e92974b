"""`keyhole who`, `can` and `public`, on a live account and on what AWS's program wrote of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from keyhole.aws.client import BotocoreAws
from keyhole.cli.main import app
from keyhole.errors import AwsError
from keyhole.local.server import LocalAws
from local_story import AccountFactory

ACCOUNT = "123456789012"
ALICE, BOB = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("alice", "bob"))
WEB = f"arn:aws:iam::{ACCOUNT}:role/web"
OBJECTS = "arn:aws:s3:::masks/*"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
Keyhole = Callable[..., Result]


def text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    """An account: alice reads by a group, bob may give himself more, the role reads by AWS's own policy."""
    aws = account("us-east-1")
    aws.call("s3", "CreateBucket", Bucket="masks")
    for name in ("alice", "bob"):
        aws.call("iam", "CreateUser", UserName=name)
    aws.call("iam", "CreateGroup", GroupName="readers")
    reading = text(allow("s3:GetObject", OBJECTS))
    aws.call("iam", "PutGroupPolicy", GroupName="readers", PolicyName="p", PolicyDocument=reading)
    aws.call("iam", "AddUserToGroup", GroupName="readers", UserName="alice")
    own = text(allow("iam:PutUserPolicy", "arn:aws:iam::*:user/${aws:username}"))
    aws.call("iam", "PutUserPolicy", UserName="bob", PolicyName="own", PolicyDocument=own)
    trust = {"Effect": "Allow", "Principal": {"AWS": ALICE}, "Action": "sts:AssumeRole"}
    aws.call("iam", "CreateRole", RoleName="web", AssumeRolePolicyDocument=text(trust))
    aws.call("iam", "AttachRolePolicy", RoleName="web", PolicyArn=READ_ONLY)
    return aws


@pytest.fixture
def keyhole(local_aws: LocalAws) -> Keyhole:
    def run(*words: str) -> Result:
        where = () if "--from" in words else ("--local", "--local-port", str(local_aws.port))
        return CliRunner().invoke(app, (*words, *where), catch_exceptions=False)

    return run


def write_details(aws: BotocoreAws, file: Path) -> None:
    """Write what `aws iam get-account-authorization-details` writes."""
    found = aws.call("iam", "GetAccountAuthorizationDetails")
    file.write_text(json.dumps(found, default=str), "utf-8")


def who(result: Result) -> set[str]:
    return {each["arn"] for each in json.loads(result.stdout)["principals"] if each["verdict"] == "can"}


def test_who_says_the_same_live_and_from_a_file(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path) -> None:
    """With the bucket's policy read, or given beside it."""
    bucket = text(
        allow("s3:GetObject", "arn:aws:s3:::masks/up/*", Principal={"AWS": BOB}),
        {"Effect": "Deny", "Principal": {"AWS": ALICE}, "Action": "s3:GetObject", "Resource": OBJECTS},
    )
    everyone = {f"arn:aws:iam::{ACCOUNT}:root", WEB}
    assert who(keyhole("who", "s3:GetObject", OBJECTS, "--json")) == everyone | {ALICE}
    aws.call("s3", "PutBucketPolicy", Bucket="masks", Policy=bucket)
    write_details(aws, tmp_path / "details.json")
    (tmp_path / "bucket.json").write_text(bucket, "utf-8")
    files = ("--from", str(tmp_path / "details.json"), "--bucket-policy", str(tmp_path / "bucket.json"))
    for source in ((), files):
        result = keyhole("who", "s3:GetObject", OBJECTS, "--json", *source)
        assert result.exit_code == 0, result.output
        assert who(result) == everyone | {BOB}
    for wide in (("s3:GetObject", "*"), ("s3:GetObject", "arn:aws:s3*"), ("*:GetObject", OBJECTS)):
        assert who(keyhole("who", *wide, "--json")) == everyone | {BOB}
    shown = keyhole("who", "s3:GetObject", OBJECTS, "--all").output
    assert f"{BOB} can" in shown
    assert "denies it" in shown
    assert "3 can, 1 cannot" in shown


def test_what_it_says_is_what_the_account_does(aws: BotocoreAws, account: AccountFactory, keyhole: Keyhole) -> None:
    """The witness, tried for real; and who cannot is refused."""
    aws.call("s3", "PutObject", Bucket="masks", Key="a", Body=b"x")
    found = who(keyhole("who", "s3:GetObject", "arn:aws:s3:::masks/a", "--json"))
    for name, arn in (("alice", ALICE), ("bob", BOB)):
        key = aws.call("iam", "CreateAccessKey", UserName=name)["AccessKey"]
        assert (arn in found) is reads(aws, key)
    assert account() is not aws


def reads(aws: BotocoreAws, key: dict[str, Any]) -> bool:
    from keyhole.aws.client import Credentials

    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    caller = BotocoreAws("us-east-1", credentials=credentials, endpoint_url=aws.endpoint_url, max_attempts=1)
    try:
        caller.call("s3", "GetObject", Bucket="masks", Key="a")
    except AwsError as error:
        if error.code != "AccessDenied":
            raise
        return False
    return True


def test_who_may_assume_a_role(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """By its trust policy, which names one user."""
    del aws
    assert who(keyhole("who", "sts:AssumeRole", WEB, "--json")) == {ALICE}
    assert keyhole("who", "sts:AssumeRole", f"{WEB}-not").exit_code == 2


def test_can_tells_of_one_and_finds_the_path(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path) -> None:
    """Bob writes his own policy; alice may assume the role, which is more than she has."""
    write_details(aws, tmp_path / "details.json")
    plain = keyhole("can", "alice", "--from", str(tmp_path / "details.json"))
    assert plain.exit_code == 0, plain.output
    assert f"s3:GetObject\n    on {OBJECTS}" in plain.output
    assert f"can assume {WEB}" in plain.output
    bob = keyhole("can", BOB, "--escalation")
    assert bob.exit_code == 1
    assert "1. bob writes an inline policy of bob that allows everything" in bob.output
    found = json.loads(keyhole("can", "alice", "--escalation", "--json").stdout)["escalation"]
    assert [step["requests"][0]["action"] for step in found["steps"]] == ["sts:AssumeRole"]
    assert keyhole("can", WEB, "--escalation").exit_code == 0
    assert keyhole("can", "nobody").exit_code == 2


def test_public_looks_at_policy_blocks_and_acl(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path) -> None:
    """A new bucket is closed; with its block taken away and a policy for everyone it is public; a file alone, too."""
    closed = keyhole("public", "masks")
    assert closed.exit_code == 0, closed.output
    aws.call("s3", "DeletePublicAccessBlock", Bucket="masks")
    everyone = text(allow("s3:GetObject", OBJECTS, Principal="*", Sid="Open"))
    aws.call("s3", "PutBucketPolicy", Bucket="masks", Policy=everyone)
    found = json.loads(keyhole("public", "masks", "--json").stdout)
    assert (found["public"], found["closed"]) == (True, False)
    assert found["exposures"][0]["statement"].startswith("statement 0 `Open`")
    block = {"RestrictPublicBuckets": True}
    aws.call("s3", "PutPublicAccessBlock", Bucket="masks", PublicAccessBlockConfiguration=block)
    assert json.loads(keyhole("public", "masks", "--json").stdout)["public"] is False
    (tmp_path / "policy.json").write_text(everyone, "utf-8")
    result = CliRunner().invoke(app, ("public", str(tmp_path / "policy.json")))
    assert result.exit_code == 1
    assert "public by AWS's definition" in result.output
    assert "fix: name those who are meant" in result.output
    assert keyhole("public", "no-such-bucket").exit_code == 2


def test_what_is_not_decided_in_time_is_unknown(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path) -> None:
    """Nobody is taken to be kept out; what `can` does not look at is said in any case."""
    write_details(aws, tmp_path / "details.json")
    source = ("--from", str(tmp_path / "details.json"))
    found = keyhole("who", "s3:GetObject", OBJECTS, "--budget", "0.01", *source)
    assert found.exit_code in {0, 1}
    assert found.exit_code == ("cannot be told" in found.output)
    told = keyhole("can", "alice", *source).output
    assert "policies of buckets, keys and other resources are not looked at" in " ".join(told.split())


@pytest.mark.parametrize(
    ("action", "note"),
    [
        ("s3:GetObjects", "`s3:GetObjects` is no action of Amazon S3; did you mean `s3:GetObject`?"),
        ("s3:Nothing*", "`s3:Nothing*` fits no action of Amazon S3"),
        ("s4:GetObject", "no service with the prefix `s4` is known"),
    ],
)
def test_an_action_that_is_none_is_said_to_be_none(tmp_path: Path, action: str, note: str) -> None:
    """It is asked for as it is: AWS has new ones all the time; a slip of the pen is seen."""
    file = tmp_path / "account.json"
    file.write_text(json.dumps({"UserDetailList": [{"UserName": "a", "UserId": "AIDAA", "Arn": ALICE}]}), "utf-8")
    told = CliRunner().invoke(
        app, ("who", action, OBJECTS, "--from", str(file), "--resource-policy", _nobody(tmp_path))
    )
    assert told.exit_code == 0
    assert note in " ".join(told.output.split())


def _nobody(folder: Path) -> str:
    policy = folder / "bucket.json"
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": OBJECTS}
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}), "utf-8")
    return str(policy)


def test_mistakes_are_told(tmp_path: Path) -> None:
    """A file that is none, words that are none, and two sources at once."""
    (tmp_path / "details.json").write_text("[]", "utf-8")
    file, details = str(tmp_path / "details.json"), str(tmp_path / "account.json")
    alice = {"UserName": "alice", "UserId": "AIDAALICE", "Arn": ALICE}
    (tmp_path / "account.json").write_text(json.dumps({"UserDetailList": [alice]}), "utf-8")
    for words in (
        ("who", "s3:GetObject", OBJECTS, "--from", file),
        ("who", "s3:GetObject", OBJECTS, "--from", f"{file}.none"),
        ("can", "alice", "--from", file, "--local"),
        ("who", "*", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/x", "--from", details),
        ("public", file, "--account", "12"),
    ):
        assert CliRunner().invoke(app, words).exit_code == 2
