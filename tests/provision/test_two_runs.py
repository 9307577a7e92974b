"""Two runs on one app at the same moment, call by call in many orders, against the local AWS."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from key_story import app_with, key_ids, key_in, key_of, state_of
from keyhole.aws import Aws
from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint
from keyhole.errors import AwsError
from keyhole.provision import Applied, Change, Plan, Verb, apply_plan, plan_down, plan_up, take_snapshot
from keyhole.provision.rotate import end_old_key, handover_findings, plan_ending
from keyhole.resources.role import Role
from local_story import AccountFactory, blueprint_of, down, inventory, plan, run_instance, up
from recording_aws import refusal
from taking_turns import run_in_turns

FILE = """\
[app]
name = "pair"
region = "ap-northeast-2"
[buckets.a]
versioning = true
public_read = ["open/"]
[buckets.b]
[workloads.web]
kind = "ec2"
instance = "ai-image-community-api"
boundary = true
grants = [{ bucket = "a", prefix = "open/", verbs = ["read", "write"] }]
[workloads.server]
kind = "access-key"
grants = [{ bucket = "b", verbs = ["write"] }]
[workloads.ci]
kind = "github-actions"
repository = "acme/infra"
branch = "main"
[terraform_state]
bucket = "a"
table_name = "pair-locks"
workloads = ["ci"]
[audit]
bucket = "b"
trail_name = "pair-trail"
[monitoring]
mails = ["ops@example.com"]
buckets = ["a"]
"""


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


def one_by_one(planned: Plan) -> Callable[[Aws], Applied]:
    """Give the work of applying a plan by one thread, so that the turns alone decide what comes after what."""
    return lambda aws: apply_plan(planned, aws, workers=1, sleep=lambda _s: None)


@pytest.mark.parametrize("seed", range(6))
def test_two_ups_from_nothing_both_end_well(aws: BotocoreAws, app: Blueprint, seed: int) -> None:
    """Both planned to make everything: whoever comes second finds it made and goes on; nothing is left to do."""
    first, second = run_in_turns(aws, seed, one_by_one(plan(aws, app)), one_by_one(plan(aws, app)))
    assert [failure.error.message for failure in (*first.failures, *second.failures)] == []
    assert first.is_complete
    assert second.is_complete
    after = plan(aws, app)
    assert after.is_empty, [(change.address, change.calls) for change in after.changes if change.calls]


@pytest.mark.parametrize("seed", range(4))
def test_two_downs_both_end_well(aws: BotocoreAws, app: Blueprint, seed: int) -> None:
    """What the other has deleted already is just as gone."""
    before = inventory(aws)
    assert up(aws, app).is_complete
    planned = plan_down(app, take_snapshot(aws, app, only_ours=True))
    first, second = run_in_turns(aws, seed, one_by_one(planned), one_by_one(planned))
    assert first.is_complete
    assert second.is_complete
    assert inventory(aws) == before


@pytest.mark.parametrize("seed", range(4))
def test_up_and_down_at_once_harm_nobody_else(aws: BotocoreAws, app: Blueprint, seed: int) -> None:
    """They may well stop each other; others keep what they have, and the next `up` or `down` arrives."""
    other = bystander(aws)
    assert up(aws, app).is_complete
    rename_policy(aws, app)
    downwards = plan_down(app, take_snapshot(aws, app, only_ours=True))
    run_in_turns(aws, seed, one_by_one(plan(aws, app)), one_by_one(downwards))
    assert up(aws, app).is_complete
    assert plan(aws, app).is_empty
    run_in_turns(aws, seed, one_by_one(plan_to_go(aws, app)), one_by_one(plan(aws, app)))
    assert down(aws, app).is_complete
    assert inventory(aws)["buckets"] == [other]
    assert inventory(aws)["roles"] == [other]


def plan_to_go(aws: BotocoreAws, app: Blueprint) -> Plan:
    return plan_down(app, take_snapshot(aws, app, only_ours=True))


def bystander(aws: BotocoreAws) -> str:
    where = {"LocationConstraint": "ap-northeast-2"}
    aws.call("s3", "CreateBucket", Bucket="other", CreateBucketConfiguration=where)
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
    aws.call("iam", "CreateRole", RoleName="other", AssumeRolePolicyDocument=trust + '"Action":"sts:AssumeRole"}]}')
    return "other"


def rename_policy(aws: BotocoreAws, app: Blueprint) -> None:
    """Give `up` something to do: one of the roles has lost its policies."""
    role = next(want.name for want in app.resources if want.address == "role.web")
    for policy in aws.call("iam", "ListAttachedRolePolicies", RoleName=role)["AttachedPolicies"]:
        aws.call("iam", "DetachRolePolicy", RoleName=role, PolicyArn=policy["PolicyArn"])


@pytest.mark.parametrize("seed", range(2))
def test_two_commands_read_and_change_at_once(aws: BotocoreAws, app: Blueprint, seed: int) -> None:
    """One plans while the other deletes: nothing that vanishes under its eyes is an error of the reading."""
    assert up(aws, app).is_complete

    def read(turns: Aws) -> int:
        snapshots = [take_snapshot(InOrder(turns), app, only_ours=True) for _ in range(2)]
        return len(snapshots)

    planned = plan_to_go(aws, app)
    assert run_in_turns(aws, seed, read, lambda turns: len(one_by_one(planned)(turns).done))[0] == 2
    assert plan_to_go(aws, app).is_empty


class InOrder:
    """An AWS that is asked by one thread at a time, however many there are."""

    def __init__(self, below: Aws) -> None:
        self._below = below
        self._lock = threading.Lock()
        self.region = below.region
        self.endpoint_url = below.endpoint_url

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        with self._lock:
            return self._below.call(service, operation, **params)

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        with self._lock:
            return iter(list(self._below.pages(service, operation, result_key, **params)))


def test_what_a_stranger_made_first_is_not_gone_on_with(aws: BotocoreAws, app: Blueprint) -> None:
    """Between plan and apply someone makes a role of the name, without our tag: it is a failure, and stays theirs."""
    planned = plan(aws, app)
    role = next(want.name for want in app.resources if want.address == "role.web")
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
    aws.call("iam", "CreateRole", RoleName=role, AssumeRolePolicyDocument=trust + '"Action":"sts:AssumeRole"}]}')
    applied = apply_plan(planned, aws)
    codes = [failure.error.code for failure in applied.failures if isinstance(failure.error, AwsError)]
    assert codes == ["EntityAlreadyExists"]
    assert aws.call("iam", "ListAttachedRolePolicies", RoleName=role)["AttachedPolicies"] == []
    assert "Tags" not in aws.call("iam", "GetRole", RoleName=role)["Role"]


def test_nothing_is_taken_away_that_the_plan_did_not_say(aws: BotocoreAws, app: Blueprint) -> None:
    """The other run's role has a policy of someone's by now: creating it anew would delete that, and is a failure."""
    from_nothing = plan(aws, app)
    assert up(aws, app).is_complete
    role = next(want.name for want in app.resources if want.address == "role.web")
    wide = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    aws.call("iam", "PutRolePolicy", RoleName=role, PolicyName="more", PolicyDocument=wide)
    applied = apply_plan(from_nothing, aws, sleep=lambda _s: None)
    assert [failure.change.address for failure in applied.failures] == ["role.web"]
    assert aws.call("iam", "ListRolePolicies", RoleName=role)["PolicyNames"] == ["more"]


def test_a_change_is_looked_at_anew_only_so_often(aws: BotocoreAws, app: Blueprint) -> None:
    """An AWS that says for ever that the role exists, and shows none, ends in that failure."""
    asked: list[str] = []

    class Mad:
        region = aws.region
        endpoint_url = aws.endpoint_url

        def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
            asked.append(operation)
            raise refusal("EntityAlreadyExists" if operation.startswith("Create") else "NoSuchEntity")

        def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
            raise refusal("NoSuchEntity")

    change = next(change for change in plan(aws, app).changes if change.kind == "role")
    alone = Change(change.address, change.name, Verb.CREATE, change.calls, want=change.want)
    slept: list[float] = []
    applied = apply_plan(Plan(app.scope, (alone,)), Mad(), sleep=slept.append)
    assert slept == [3.0, 3.0, 3.0]
    assert asked.count("CreateRole") == 4
    assert [failure.change for failure in applied.failures] == [alone]


def test_what_is_as_the_plan_knew_it_is_not_tried_again(aws: BotocoreAws, app: Blueprint) -> None:
    """A policy that does not exist is waited for once, as IAM may lag behind, and not once more for each look at it."""
    role = next(want for want in app.resources if isinstance(want, Role) and want.address == "role.web")
    lost = "arn:aws:iam::123456789012:policy/lost"
    alone = replace(app, resources=(replace(role, policy_arns=(lost,), boundary_arn="", depends_on=()),))
    slept: list[float] = []
    applied = apply_plan(plan(aws, alone), aws, sleep=slept.append)
    assert [failure.error.code for failure in applied.failures if isinstance(failure.error, AwsError)] == [
        "NoSuchEntity"
    ]
    assert sum(slept) < 70


def test_plans_say_what_they_lead_to(aws: BotocoreAws, app: Blueprint) -> None:
    """What is made knows what it shall be; what goes leads to nothing."""
    made = plan_up(app, take_snapshot(aws, app))
    assert [change.want for change in made.changes] == list(app.resources)
    assert up(aws, app).is_complete
    assert all(change.want is None for change in plan_to_go(aws, app).changes)


@pytest.mark.parametrize("seed", range(4))
def test_two_ups_that_each_make_a_key_leave_one_that_works(account: AccountFactory, tmp_path: Path, seed: int) -> None:
    """The file has a key that works. The other run's key is told, not deleted, as that run may have been elsewhere.

    `rotate` makes room: after it only keys that work somewhere, or one new one, are left.
    """
    aws, app = account("eu-west-1"), app_with(tmp_path)
    run_in_turns(aws, seed, one_by_one(plan(aws, app)), one_by_one(plan(aws, app)))
    assert up(aws, app).is_complete
    held, _ = key_in(tmp_path)
    assert held in key_ids(aws)
    assert plan(aws, app).is_empty
    if len(key_ids(aws)) == 2:
        found = [finding.check for finding in handover_findings(key_of(app), state_of(aws, app))]
        assert found == []
        ending = end_old_key(state_of(aws, app), datetime.now(UTC) + timedelta(days=2), unused_for=timedelta(days=1))
        assert apply_plan(plan_ending(key_of(app), ending, app.scope), aws).is_complete
    assert key_ids(aws) == [held]
