"""What someone made by hand, at the path that the console gives: refused, adopted, ours, and taken away."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint, build_blueprint
from keyhole.findings import Severity
from keyhole.provision import apply_plan, plan_up, take_snapshot
from keyhole.provision.adoption import find_elsewhere
from keyhole.spec import load_spec
from keyhole.status.reading import read_status
from keyhole.status.report import make_report
from local_story import AccountFactory, blueprint_of, down, inventory, plan, run_instance

FILE = """\
[app]
name = "shop"
region = "eu-west-1"
[buckets.a]
[workloads.web]
kind = "ec2"
instance = "shop-web"
role_name = "Web"
policy_name = "WebPolicy"
pass_role_policy = "LaunchWeb"
grants = [{ bucket = "a", verbs = ["read"] }]
[workloads.server]
kind = "access-key"
user_name = "server"
grants = [{ bucket = "a", verbs = ["write"] }]
"""
WIDE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
NAMES = frozenset({"Web", "WebPolicy", "server"})


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    aws = account("eu-west-1")
    run_instance(aws, "shop-web")
    return aws


def made_by_hand(aws: BotocoreAws) -> None:
    arn = aws.call("iam", "CreatePolicy", PolicyName="WebPolicy", PolicyDocument=json.dumps(WIDE))["Policy"]["Arn"]
    aws.call("iam", "CreateRole", RoleName="Web", AssumeRolePolicyDocument=json.dumps(TRUST))
    aws.call("iam", "AttachRolePolicy", RoleName="Web", PolicyArn=arn)
    aws.call("iam", "PutRolePolicy", RoleName="Web", PolicyName="more", PolicyDocument=json.dumps(WIDE))
    aws.call("iam", "CreateInstanceProfile", InstanceProfileName="Web")
    aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName="Web", RoleName="Web")
    aws.call("iam", "CreateUser", UserName="server")
    aws.call("iam", "CreateLoginProfile", UserName="server", Password="Correct-Horse-1")


def app_in(aws: BotocoreAws, folder: Path) -> Blueprint:
    """Give the app as the command line sees it: with what stands elsewhere."""
    file = folder / "keyhole.toml"
    file.write_text(FILE, "utf-8")
    spec = load_spec(file)
    blueprint = build_blueprint(spec, "123456789012")
    return build_blueprint(spec, "123456789012", find_elsewhere(aws, blueprint))


def calls_of(planned: Any) -> dict[str, list[tuple[str, bool]]]:
    return {change.address: [(call.operation, call.destructive) for call in change.calls] for change in planned.changes}


def findings(aws: BotocoreAws, app: Blueprint) -> list[str]:
    """Give what `keyhole status` finds, but for what only informs."""
    report = make_report(app, read_status(aws, app), datetime.now(UTC), "")
    return [
        f"{entry.address}: {finding.summary}"
        for entry in report.entries
        for finding in entry.findings
        if finding.severity > Severity.NOTE
    ]


def test_without_being_told_nothing_is_touched(aws: BotocoreAws, tmp_path: Path) -> None:
    """Role, policy, profile and user are refused, each with the option that adopts it."""
    made_by_hand(aws)
    refusals = plan(aws, app_in(aws, tmp_path)).refusals
    assert {refusal.address for refusal in refusals} == {
        *("policy.web", "role.web", "instance-profile.web", "user.server")
    }
    assert all("--adopt" in refusal.hint for refusal in refusals)


def test_the_plan_says_what_adopting_changes_and_takes_away(aws: BotocoreAws, tmp_path: Path) -> None:
    """Policies as they are and as they become; an inline policy and a password that go are marked."""
    made_by_hand(aws)
    app = app_in(aws, tmp_path)
    planned = plan_up(app, take_snapshot(aws, app), adopt=NAMES)
    assert planned.refusals == ()
    notes = {change.address: change.note for change in planned.changes}
    assert "trust is now:" in notes["role.web"]
    assert "ecs-tasks.amazonaws.com" in notes["role.web"]
    assert "document becomes:" in notes["policy.web"]
    assert all("adopted" in notes[address] for address in ("role.web", "policy.web", "user.server"))
    calls = calls_of(planned)
    assert {("UpdateAssumeRolePolicy", True), ("DeleteRolePolicy", True)} <= set(calls["role.web"])
    assert ("CreatePolicyVersion", True) in calls["policy.web"]
    assert ("DeleteLoginProfile", True) in calls["user.server"]


def test_what_was_adopted_is_ours_at_its_path_and_goes_with_us(aws: BotocoreAws, tmp_path: Path) -> None:
    """Nothing left to do after `up`; the launchers' policy names the role where it stands; `down` leaves nothing."""
    before = inventory(aws)
    made_by_hand(aws)
    app = app_in(aws, tmp_path)
    assert apply_plan(plan_up(app, take_snapshot(aws, app), adopt=NAMES), aws).is_complete
    again = app_in(aws, tmp_path)
    assert again == app
    assert plan(aws, again).is_empty
    assert findings(aws, again) == []
    launch = next(want for want in again.resources if want.name.endswith("/LaunchWeb"))
    assert "arn:aws:iam::123456789012:role/Web" in json.dumps(launch.document)  # type: ignore[attr-defined]
    assert down(aws, again).is_complete
    assert inventory(aws) == before


def test_what_is_not_adopted_stays_when_the_rest_goes(aws: BotocoreAws, tmp_path: Path) -> None:
    """Someone's profile of our name on the instance: `down` has no call about it, nor about the instance."""
    made_by_hand(aws)
    before = inventory(aws)
    assert down(aws, app_in(aws, tmp_path)).is_complete
    assert inventory(aws) == before


REGIONAL = """\
[app]
name = "shop"
region = "eu-west-1"
[buckets.a]
lifecycle = [{ prefix = "tmp/", expire_days = 7 }]
versioning = true
[buckets.log]
[workloads.server]
kind = "access-key"
grants = [{ bucket = "a", verbs = ["write"] }]
[workloads.server.handover]
secret = "shop/key"
[audit]
bucket = "log"
trail_name = "shop-trail"
[terraform_state]
bucket = "a"
table_name = "shop-locks"
[monitoring]
mails = ["ops@example.com"]
buckets = ["a"]
topic_name = "shop-alarms"
"""
BUCKET, OTHER = "shop-a-123456789012", "someone-elses-logs"
EUROPE = {"LocationConstraint": "eu-west-1"}


def by_hand_bucket(aws: BotocoreAws) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "s3:GetObject"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{BUCKET}/*"}]}
    aws.call("s3", "CreateBucket", Bucket=BUCKET, CreateBucketConfiguration=EUROPE)
    aws.call("s3", "PutBucketTagging", Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "web"}]})
    aws.call("s3", "PutBucketPolicy", Bucket=BUCKET, Policy=json.dumps(policy))
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 3}}
    aws.call("s3", "PutBucketLifecycleConfiguration", Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})


def by_hand_table(aws: BotocoreAws) -> None:
    aws.call(
        "dynamodb",
        "CreateTable",
        TableName="shop-locks",
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )


def by_hand_topic(aws: BotocoreAws) -> None:
    arn = aws.call("sns", "CreateTopic", Name="shop-alarms")["TopicArn"]
    aws.call("sns", "Subscribe", TopicArn=arn, Protocol="email", Endpoint="former@example.com")


def by_hand_alarm(aws: BotocoreAws) -> None:
    aws.call(
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName="shop-a-4xx",
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=90.0,
        ComparisonOperator="GreaterThanThreshold",
    )


def by_hand_trail(aws: BotocoreAws) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:*"}
    resources = [f"arn:aws:s3:::{OTHER}", f"arn:aws:s3:::{OTHER}/*"]
    aws.call("s3", "CreateBucket", Bucket=OTHER, CreateBucketConfiguration=EUROPE)
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": resources}]}
    aws.call("s3", "PutBucketPolicy", Bucket=OTHER, Policy=json.dumps(policy))
    aws.call("cloudtrail", "CreateTrail", Name="shop-trail", S3BucketName=OTHER)


def by_hand_secret(aws: BotocoreAws) -> None:
    aws.call("secretsmanager", "CreateSecret", Name="shop/key", SecretString='{"theirs": "kept"}')


# For each: who makes it, its address, the name to adopt it by, and lines and calls that its change must have.
BY_HAND = {
    "bucket": (
        by_hand_bucket,
        "bucket.a",
        BUCKET,
        ("versioning is now:  off", "lifecycle is now:  ", "policy becomes: "),
        {("PutBucketPolicy", True), ("PutBucketLifecycleConfiguration", True), ("PutBucketVersioning", False)},
    ),
    "table": (
        by_hand_table,
        "table.terraform-locks",
        "shop-locks",
        (),
        {("TagResource", False), ("UpdateTable", False)},
    ),
    "topic": (
        by_hand_topic,
        "topic.alarms",
        "shop-alarms",
        ('mails is now:  ["former@example.com"]', 'mails becomes: ["ops@example.com"]'),
        {("Subscribe", False), ("Unsubscribe", True)},
    ),
    "alarm": (
        by_hand_alarm,
        "alarm.a-4xx",
        "shop-a-4xx",
        ('rule is now:  {"MetricName": "CPUUtilization", ', 'rule becomes: {"MetricName": "4xxErrors", '),
        {("PutMetricAlarm", True)},
    ),
    "trail": (
        by_hand_trail,
        "trail.audit",
        "shop-trail",
        (f"bucket is now:  {OTHER}", "bucket becomes: shop-log-123456789012"),
        {("UpdateTrail", True), ("StartLogging", False)},
    ),
    "secret": (by_hand_secret, "secret.server", "shop/key", (), {("TagResource", False)}),
}
ByHand = tuple[Callable[[BotocoreAws], None], str, str, tuple[str, ...], set[tuple[str, bool]]]


@pytest.mark.parametrize("case", BY_HAND.values(), ids=BY_HAND)
def test_each_regional_kind_is_refused_adopted_kept_right_and_taken_away(
    account: AccountFactory, tmp_path: Path, case: ByHand
) -> None:
    """Refused without `--adopt`; with it the plan says what changes, `up` does it, all is well, and `down` ends it."""
    make, address, name, lines, calls = case
    aws = account("eu-west-1")
    make(aws)
    file = tmp_path / "keyhole.toml"
    file.write_text(REGIONAL, "utf-8")
    app = blueprint_of(file)
    (refusal,) = plan(aws, app).refusals
    assert refusal.address == address
    assert "--adopt" in refusal.hint
    planned = plan_up(app, take_snapshot(aws, app), adopt=frozenset({name}))
    assert planned.refusals == ()
    change = next(change for change in planned.changes if change.address == address)
    assert change.note.startswith("adopted: ")
    assert [line for line in lines if line not in change.note] == []
    assert calls <= {(call.operation, call.destructive) for call in change.calls}
    assert apply_plan(planned, aws).is_complete
    assert plan(aws, app).is_empty
    assert findings(aws, app) == []
    assert down(aws, app, empty=True).is_complete
    left = {kind: names for kind, names in inventory(aws).items() if names}
    assert left == ({"buckets": [OTHER]} if make is by_hand_trail else {})
    assert list(aws.pages("secretsmanager", "ListSecrets", "SecretList")) == []


def test_what_a_secret_held_stays_beside_the_key(account: AccountFactory, tmp_path: Path) -> None:
    """Adopting someone's secret adds the key's names to it; the others keep their values."""
    aws = account("eu-west-1")
    by_hand_secret(aws)
    file = tmp_path / "keyhole.toml"
    file.write_text(REGIONAL, "utf-8")
    app = blueprint_of(file)
    assert apply_plan(plan_up(app, take_snapshot(aws, app), adopt=frozenset({"shop/key"})), aws).is_complete
    held = json.loads(aws.call("secretsmanager", "GetSecretValue", SecretId="shop/key")["SecretString"])
    assert held["theirs"] == "kept"
    assert held["AWS_ACCESS_KEY_ID"].startswith("AKIA")
