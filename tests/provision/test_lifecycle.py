"""The example from nothing to nothing, against the local AWS."""

from pathlib import Path

import pytest

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint
from keyhole.errors import AwsError, KeyholeError
from keyhole.provision import Plan, Verb, apply_plan, plan_down, plan_up, take_snapshot
from keyhole.provision.snapshot import kind_of
from keyhole.resources import KINDS
from local_story import AccountFactory, blueprint_of, down, inventory, plan, run_instance, up
from recording_aws import BreakingAws

NOTHING: dict[str, list[str]] = {
    kind: []
    for kind in (
        *("buckets", "roles", "policies", "profiles", "users", "providers", "associations"),
        *("tables", "topics", "alarms", "trails"),
    )
}


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    aws = account()
    run_instance(aws)
    return aws


@pytest.fixture
def example(example_folder: Path) -> Blueprint:
    return blueprint_of(example_folder / "ai-image-community" / "keyhole.toml")


RICH = """\
[app]
name = "rich"
region = "ap-northeast-2"
[buckets.a]
versioning = true
lifecycle = [{ prefix = "tmp/", expire_days = 3 }, { abort_multipart_days = 7 }]
cors = [{ origins = ["https://app.example.com"], methods = ["GET", "PUT"] }]
tags = { team = "web" }
[buckets.b]
public_read = [""]
[workloads.task]
kind = "ecs"
boundary = true
grants = [{ bucket = "a", verbs = ["read", "write"] }]
[workloads.people]
kind = "role"
grants = [{ bucket = "b", prefix = "in/", verbs = ["list"] }]
"""
REGION = "ap-northeast-2"
SPECS = {file.stem: file for file in (Path(__file__).parents[1] / "golden" / "specs").glob("*.toml")}
EVERY = ["example", "rich", *sorted(SPECS)]


@pytest.fixture
def rich(tmp_path: Path) -> Blueprint:
    file = tmp_path / "keyhole.toml"
    file.write_text(RICH, "utf-8")
    return blueprint_of(file)


@pytest.fixture
def app(which: str, example: Blueprint, rich: Blueprint, tmp_path: Path) -> Blueprint:
    """The example, the file above, or the file of one kind."""
    if which not in SPECS:
        return example if which == "example" else rich
    file = tmp_path / f"{which}.toml"
    file.write_text(SPECS[which].read_text("utf-8").replace("us-east-1", REGION), "utf-8")
    for beside in SPECS[which].parent.glob("*.json"):
        (tmp_path / beside.name).write_text(beside.read_text("utf-8"), "utf-8")
    return blueprint_of(file)


@pytest.mark.parametrize("which", EVERY)
def test_up_then_nothing_to_do_then_down_then_nothing_left(aws: BotocoreAws, app: Blueprint) -> None:
    """After `up` the plan is empty; after `down` the account is as it was."""
    assert inventory(aws) == NOTHING
    assert up(aws, app).is_complete
    second = plan(aws, app)
    assert second.is_empty, [(change.address, change.calls) for change in second.changes if change.calls]
    assert down(aws, app).is_complete
    assert inventory(aws) == NOTHING


@pytest.mark.parametrize("which", EVERY)
def test_an_up_that_dies_after_every_single_call_arrives(aws: BotocoreAws, app: Blueprint) -> None:
    """Each run makes one call and dies: the next one plans without a refusal, has less to do, and the last nothing."""
    left = plan(aws, app)
    while not left.is_empty:
        before = left.call_count
        apply_plan(left, BreakingAws(aws, 1))
        left = plan(aws, app)
        assert left.refusals == (), f"{before} calls before the end"
        assert left.call_count < before
    assert down(aws, app).is_complete
    assert inventory(aws) == NOTHING


@pytest.mark.parametrize("which", EVERY)
def test_a_down_that_dies_after_every_single_call_arrives(aws: BotocoreAws, app: Blueprint) -> None:
    """Each run deletes one thing and dies: the next one knows what is left, also what else is ours, until it is all."""
    assert up(aws, app).is_complete
    left = plan_to_go(aws, app)
    while not left.is_empty:
        before = left.call_count
        apply_plan(left, BreakingAws(aws, 1))
        left = plan_to_go(aws, app)
        assert left.refusals == (), f"{before} calls before the end"
        assert left.call_count < before
    assert inventory(aws) == NOTHING


@pytest.mark.parametrize("which", EVERY)
def test_an_up_after_a_down_that_died_arrives(aws: BotocoreAws, app: Blueprint) -> None:
    """Somebody breaks `down` off, early, late or halfway, and wants it all back: `up` makes it whole."""
    assert up(aws, app).is_complete
    calls = plan_to_go(aws, app).call_count
    for survived in sorted({1, calls // 4, calls // 2, 3 * calls // 4, calls - 1}):
        apply_plan(plan_to_go(aws, app), BreakingAws(aws, survived))
        assert up(aws, app).is_complete, f"after {survived} of {calls} calls"
        assert plan(aws, app).is_empty, f"after {survived} of {calls} calls"


def plan_to_go(aws: BotocoreAws, app: Blueprint) -> Plan:
    return plan_down(app, take_snapshot(aws, app, only_ours=True))


def test_every_kind_dies_and_arrives(example: Blueprint, rich: Blueprint) -> None:
    """The files of the tests above have every kind of resource that there is."""
    kinds = {kind_of(want.address) for blueprint in (example, rich) for want in blueprint.resources}
    for file in SPECS.values():
        kinds |= {kind_of(want.address) for want in blueprint_of(file).resources}
    # A secret is of use with a key in it, and those two calls are one step: test_handover_life takes it through.
    assert kinds == set(KINDS) - {"secret"}


def test_manual_changes_are_drift_that_up_mends(aws: BotocoreAws, example: Blueprint) -> None:
    """Someone attaches full access and replaces the bucket policy: the plan shows both, `up` undoes them."""
    assert up(aws, example).is_complete
    role, bucket = inventory(aws)["roles"][0], inventory(aws)["buckets"][0]
    aws.call("iam", "PutRolePolicy", RoleName=role, PolicyName="more", PolicyDocument=wide_policy())
    aws.call("s3", "DeleteBucketPolicy", Bucket=bucket)
    drift = plan(aws, example)
    assert {change.address for change in drift.changes if change.verb is Verb.UPDATE} == {"role.api", "bucket.images"}
    assert apply_plan(drift, aws).is_complete
    assert plan(aws, example).is_empty


def wide_policy() -> str:
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'


def test_what_leaves_the_file_leaves_the_account(aws: BotocoreAws, tmp_path: Path, rich: Blueprint) -> None:
    """A workload and a bucket that are gone from the file are deleted, and nothing else."""
    assert up(aws, rich).is_complete
    smaller = RICH.replace(RICH[RICH.index("[buckets.b]") : RICH.index("[workloads.task]")], "")
    smaller = smaller[: smaller.index("[workloads.people]")]
    (tmp_path / "keyhole.toml").write_text(smaller, "utf-8")
    blueprint = blueprint_of(tmp_path / "keyhole.toml")
    assert up(aws, blueprint).is_complete
    assert inventory(aws)["buckets"] == ["rich-a-123456789012"]
    assert inventory(aws)["roles"] == ["rich-task"]
    assert plan(aws, blueprint).is_empty


def test_down_leaves_what_is_not_ours(aws: BotocoreAws, example: Blueprint) -> None:
    """Other buckets and roles, and what another environment made, stay."""
    aws.call("s3", "CreateBucket", Bucket="other", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    aws.call("iam", "CreateRole", RoleName="other", AssumeRolePolicyDocument=trust())
    assert up(aws, example).is_complete
    assert down(aws, example).is_complete
    assert inventory(aws) == NOTHING | {"buckets": ["other"], "roles": ["other"]}


def trust() -> str:
    return (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
        '"Action":"sts:AssumeRole"}]}'
    )


def test_a_bucket_with_objects_is_emptied_only_when_told(aws: BotocoreAws, example: Blueprint) -> None:
    """Objects, their versions and unfinished uploads go with `empty`; without it nothing is planned for the bucket."""
    assert up(aws, example).is_complete
    bucket = inventory(aws)["buckets"][0]
    aws.call("s3", "PutBucketVersioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        aws.call("s3", "PutObject", Bucket=bucket, Key="uploads/images/a.png", Body=body)
    aws.call("s3", "DeleteObject", Bucket=bucket, Key="uploads/images/a.png")
    aws.call("s3", "CreateMultipartUpload", Bucket=bucket, Key="uploads/images/b.png")
    down(aws, example)
    assert inventory(aws)["buckets"] == [bucket]
    assert down(aws, example, empty=True).is_complete
    assert inventory(aws) == NOTHING


def test_a_bucket_of_another_account_is_told_with_a_free_name(account: AccountFactory, example: Blueprint) -> None:
    """The name is taken by someone else: the message says so and proposes one, before anything is changed."""
    aws, other = account(), account(number="999988887777")
    run_instance(aws)
    where = {"LocationConstraint": "ap-northeast-2"}
    other.call("s3", "CreateBucket", Bucket="ai-image-community-123456789012", CreateBucketConfiguration=where)
    with pytest.raises(KeyholeError, match="is taken by another AWS account") as caught:
        plan(aws, example)
    assert "`ai-image-community-123456789012-2` is free" in caught.value.hint
    assert inventory(aws) == NOTHING


def test_down_is_not_hindered_by_what_others_have(account: AccountFactory, example: Blueprint) -> None:
    """Someone else's bucket of the name, and two instances of the name: what is ours goes all the same."""
    aws, other = account(), account(number="999988887777")
    run_instance(aws)
    assert up(aws, example).is_complete
    bucket = inventory(aws)["buckets"][0]
    aws.call("s3", "DeleteBucket", Bucket=bucket)
    where = {"LocationConstraint": "ap-northeast-2"}
    other.call("s3", "CreateBucket", Bucket=bucket, CreateBucketConfiguration=where)
    run_instance(aws)
    with pytest.raises(KeyholeError):
        plan(aws, example)
    assert down(aws, example).is_complete
    assert inventory(aws) == NOTHING
    assert inventory(other)["buckets"] == [bucket]


def test_a_bucket_in_another_region_is_told(account: AccountFactory, example: Blueprint) -> None:
    """The same bucket in another region than the file says is a clear error."""
    elsewhere = account(region="eu-west-1")
    where = {"LocationConstraint": "eu-west-1"}
    elsewhere.call("s3", "CreateBucket", Bucket="ai-image-community-123456789012", CreateBucketConfiguration=where)
    aws = account()
    run_instance(aws)
    with pytest.raises(KeyholeError, match="is in `eu-west-1`, and the file says `ap-northeast-2`"):
        plan(aws, example)


def test_an_untagged_bucket_of_the_name_is_refused_and_can_be_adopted(aws: BotocoreAws, example: Blueprint) -> None:
    """Our name, not our tag: refused; with `adopt` it is taken over as it is."""
    name = "ai-image-community-123456789012"
    where = {"LocationConstraint": "ap-northeast-2"}
    aws.call("s3", "CreateBucket", Bucket=name, CreateBucketConfiguration=where)
    refused = plan(aws, example)
    assert [refusal.address for refusal in refused.refusals] == ["bucket.images"]
    adopting = plan_up(example, take_snapshot(aws, example), adopt=frozenset({name}))
    assert apply_plan(adopting, aws).is_complete
    assert plan(aws, example).is_empty


def test_credentials_that_may_not_are_told_with_code_operation_and_request_id(
    account: AccountFactory, example: Blueprint
) -> None:
    """An operator without permissions gets AWS's refusal, translated."""
    root = account()
    root.call("iam", "CreateUser", UserName="nobody")
    key = root.call("iam", "CreateAccessKey", UserName="nobody")["AccessKey"]
    from keyhole.aws.client import Credentials

    nobody = BotocoreAws(
        "ap-northeast-2",
        credentials=Credentials(key["AccessKeyId"], key["SecretAccessKey"]),
        endpoint_url=root.endpoint_url,
    )
    with pytest.raises(AwsError) as caught:
        plan(nobody, example)
    assert caught.value.code in {"AccessDenied", "UnauthorizedOperation"}
    assert caught.value.request_id
    assert caught.value.hint
