"""Nothing is deleted, and nothing changed, that lacks our tag: whatever someone did to the tags of the account."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keyhole.aws import Aws
from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint
from keyhole.naming import TAG_APP, TAG_ENVIRONMENT
from keyhole.provision import Plan, apply_plan, plan_down, plan_up, take_snapshot
from keyhole.provision.snapshot import kind_of
from keyhole.resources import KINDS, Wanted
from keyhole.resources.kind import tag_list
from local_story import AccountFactory, blueprint_of, down, inventory, run_instance, up

FILE = """\
[app]
name = "mine"
region = "ap-northeast-2"
[buckets.a]
versioning = true
[buckets.b]
[workloads.web]
kind = "ec2"
instance = "ai-image-community-api"
boundary = true
grants = [{ bucket = "a", verbs = ["read"] }]
[workloads.server]
kind = "access-key"
grants = [{ bucket = "b", verbs = ["write"] }]
[terraform_state]
bucket = "a"
table_name = "mine-locks"
[audit]
bucket = "b"
trail_name = "mine-trail"
[monitoring]
mails = ["ops@example.com"]
buckets = ["a"]
"""
UNTAGGED: dict[str, str] = {}
SOMEONE_ELSES = (
    UNTAGGED,
    {"team": "web"},
    {TAG_APP: "mine"},
    {TAG_ENVIRONMENT: "default"},
    {TAG_APP: "mine", TAG_ENVIRONMENT: "prod"},
    {TAG_APP: "Mine", TAG_ENVIRONMENT: "default"},
    {TAG_APP: "other", TAG_ENVIRONMENT: "default"},
    {"Keyhole:App": "mine", "Keyhole:Environment": "default"},
)
OURS = [TAG_APP, TAG_ENVIRONMENT]
Tagger = Callable[[Aws, Wanted, dict[str, str]], None]


def tag_bucket(aws: Aws, want: Wanted, tags: dict[str, str]) -> None:
    if tags:
        aws.call("s3", "PutBucketTagging", Bucket=want.name, Tagging={"TagSet": tag_list(tags)})
    else:
        aws.call("s3", "DeleteBucketTagging", Bucket=want.name)


def tagger(service: str, nouns: tuple[str, str], key: str, members: tuple[str, str] = ("Tags", "TagKeys")) -> Tagger:
    """Give what sets the tags of a kind: `nouns` are its operations, `key` the parameter that names it."""

    def set_tags(aws: Aws, want: Wanted, tags: dict[str, str]) -> None:
        where = {key: getattr(want, "arn", want.name) if key.lower().endswith("arn") else want.name}
        gone: object = [*OURS, "team", "Keyhole:App", "Keyhole:Environment"]
        if service == "cloudtrail":
            where = {key: want.name}
            gone = [{"Key": name} for name in OURS]
        aws.call(service, nouns[1], **where, **{members[1]: gone})
        if tags:
            aws.call(service, nouns[0], **where, **{members[0]: tag_list(tags)})

    return set_tags


TAGGERS: dict[str, Tagger] = {
    "bucket": tag_bucket,
    "policy": tagger("iam", ("TagPolicy", "UntagPolicy"), "PolicyArn"),
    "role": tagger("iam", ("TagRole", "UntagRole"), "RoleName"),
    "instance-profile": tagger("iam", ("TagInstanceProfile", "UntagInstanceProfile"), "InstanceProfileName"),
    "user": tagger("iam", ("TagUser", "UntagUser"), "UserName"),
    "table": tagger("dynamodb", ("TagResource", "UntagResource"), "ResourceArn"),
    "topic": tagger("sns", ("TagResource", "UntagResource"), "ResourceArn"),
    "alarm": tagger("cloudwatch", ("TagResource", "UntagResource"), "ResourceARN"),
    "trail": tagger("cloudtrail", ("AddTags", "RemoveTags"), "ResourceId", ("TagsList", "TagsList")),
}


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    aws = account()
    run_instance(aws)
    return aws


@pytest.fixture
def app(tmp_path: Path) -> Blueprint:
    file = tmp_path / "keyhole.toml"
    file.write_text(FILE, "utf-8")
    return blueprint_of(file)


def calls_about(plan: Plan, addresses: set[str], names: set[tuple[str, str]]) -> list[str]:
    """Give the calls of a plan that are about these resources, by address or by kind and name."""
    return [
        f"{change.address}: {call.operation}"
        for change in plan.changes
        for call in change.calls
        if change.address in addresses or (change.kind, change.name) in names
    ]


def test_tags_decide_and_nothing_else(aws: BotocoreAws, app: Blueprint) -> None:
    """Any resources may lose our tags, in part or whole, or get someone else's: no plan has a call about them."""
    assert up(aws, app).is_complete
    taggable = [want for want in app.resources if kind_of(want.address) in TAGGERS]
    assert {kind_of(want.address) for want in taggable} == set(TAGGERS)
    lost = st.dictionaries(st.sampled_from(range(len(taggable))), st.sampled_from(SOMEONE_ELSES), min_size=1)

    @settings(
        max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None
    )
    @given(lost)
    def check(tags_by_index: dict[int, dict[str, str]]) -> None:
        theirs = {taggable[index].address: taggable[index] for index in tags_by_index}
        for index, tags in tags_by_index.items():
            TAGGERS[kind_of(taggable[index].address)](aws, taggable[index], tags)
        names = {(kind_of(want.address), want.name) for want in theirs.values()}
        downwards = plan_down(app, take_snapshot(aws, app, only_ours=True), empty=True)
        upwards = plan_up(app, take_snapshot(aws, app), empty=True)
        for want in theirs.values():
            TAGGERS[kind_of(want.address)](aws, want, app.scope.tags)
        assert calls_about(downwards, set(theirs), names) == []
        assert calls_about(upwards, set(theirs), names) == []
        assert {refusal.address for refusal in upwards.refusals} == set(theirs)
        gone = {change.address for change in downwards.changes if change.calls}
        assert {want.address for want in taggable} - set(theirs) <= gone

    check()
    assert down(aws, app).is_complete


@pytest.mark.parametrize("kind", sorted(TAGGERS))
def test_down_leaves_what_lost_its_tags_and_takes_the_rest(aws: BotocoreAws, app: Blueprint, kind: str) -> None:
    """Really done: what of one kind is no longer ours is there afterwards; with its tags back it goes too."""
    before = inventory(aws)
    assert up(aws, app).is_complete
    theirs = [want for want in app.resources if kind_of(want.address) == kind]
    for want in theirs:
        TAGGERS[kind](aws, want, {TAG_APP: "other", TAG_ENVIRONMENT: "default"})
    apply_plan(plan_down(app, take_snapshot(aws, app, only_ours=True)), aws, sleep=lambda _s: None)
    for want in theirs:
        assert KINDS[kind].read(aws, app.scope, want.name) is not None, want.address
        TAGGERS[kind](aws, want, app.scope.tags)
    assert down(aws, app).is_complete
    assert inventory(aws) == before


def test_every_kind_is_ours_by_tag_or_by_what_it_hangs_on() -> None:
    """Whoever adds a kind says here how its tags are set, or why it has none of its own."""
    by_what_it_hangs_on = {"instance-attachment", "access-key", "inline-policy"}
    tested_elsewhere = {"oidc-provider", "secret"}
    assert set(KINDS) == set(TAGGERS) | by_what_it_hangs_on | tested_elsewhere


ENVIRONMENTS = """\
[app]
name = "twin"
region = "ap-northeast-2"
[buckets.a]
name = "twin-a-{environment}-{account}"
[workloads.web]
kind = "role"
boundary = true
grants = [{ bucket = "a", verbs = ["read", "write", "delete", "list"] }]
[environments.dev]
[environments.prod.buckets.a]
versioning = true
"""


def test_environments_of_one_file_leave_each_other_alone(aws: BotocoreAws, tmp_path: Path) -> None:
    """Side by side: each one's plan is empty while the other is up, changes and goes; only its own goes with it."""
    file = tmp_path / "keyhole.toml"
    file.write_text(ENVIRONMENTS, "utf-8")
    before = inventory(aws)
    dev, prod = blueprint_of(file, environment="dev"), blueprint_of(file, environment="prod")
    assert up(aws, dev).is_complete
    only_dev = inventory(aws)
    assert up(aws, prod).is_complete
    assert not {want.name for want in dev.resources} & {want.name for want in prod.resources}
    for blueprint in (dev, prod):
        assert plan_up(blueprint, take_snapshot(aws, blueprint)).is_empty
    assert down(aws, prod).is_complete
    assert inventory(aws) == only_dev
    assert plan_up(dev, take_snapshot(aws, dev)).is_empty
    assert down(aws, dev).is_complete
    assert inventory(aws) == before
