"""A workload's policy inside its role or user: alone there, never missing while it changes places, and gone with it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint
from keyhole.errors import SpecError
from keyhole.findings import Severity
from keyhole.provision import Plan, Verb, apply_plan, plan_up, take_snapshot
from keyhole.status.reading import read_status
from keyhole.status.report import make_report
from keyhole.verify.rehearse import rehearse
from local_story import AccountFactory, blueprint_of, down, inventory, plan, up
from recording_aws import BreakingAws

FILE = """\
[app]
name = "shop"
region = "eu-west-1"
[buckets.a]
[workloads.web]
kind = "role"
inline = true
policy_name = "in-web"
grants = [{ bucket = "a", prefix = "in/", verbs = ["read"] }]
[workloads.server]
kind = "access-key"
inline = true
grants = [{ bucket = "a", verbs = ["write"] }]
"""
MANAGED = FILE.replace("inline = true\n", "")
WIDE = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
TRUST = WIDE.replace("s3:*", "sts:AssumeRole").replace(
    '"Resource": "*"', '"Principal": {"Service": "ec2.amazonaws.com"}'
)


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


def app_of(folder: Path, text: str = FILE) -> Blueprint:
    file = folder / "keyhole.toml"
    file.write_text(text, "utf-8")
    return blueprint_of(file)


def calls_of(planned: Plan) -> list[tuple[str, str]]:
    return [(change.address, call.operation) for change in planned.changes for call in change.calls]


def inline_names(aws: BotocoreAws) -> tuple[list[str], list[str]]:
    role = aws.call("iam", "ListRolePolicies", RoleName="shop-web")["PolicyNames"]
    return role, aws.call("iam", "ListUserPolicies", UserName="shop-server")["PolicyNames"]


def may(aws: BotocoreAws) -> dict[str, bool]:
    """Give whether role and user have what the file grants, asked of IAM's own simulation."""
    bucket = "arn:aws:s3:::shop-a-123456789012"
    asked = {
        "role": ("arn:aws:iam::123456789012:role/keyhole/shop/default/shop-web", "s3:GetObject", f"{bucket}/in/x"),
        "user": ("arn:aws:iam::123456789012:user/keyhole/shop/default/shop-server", "s3:PutObject", f"{bucket}/x"),
    }
    return {
        who: aws.call(
            "iam", "SimulatePrincipalPolicy", PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource]
        )["EvaluationResults"][0]["EvalDecision"]
        == "allowed"
        for who, (arn, action, resource) in asked.items()
    }


def test_it_is_put_into_role_and_user_and_no_managed_policy_is_made(aws: BotocoreAws, tmp_path: Path) -> None:
    """It has the name that the file gives, or the usual one; both have what is granted; nothing is left after down."""
    before, app = inventory(aws), app_of(tmp_path)
    assert up(aws, app).is_complete
    assert inline_names(aws) == (["in-web"], ["shop-server"])
    assert inventory(aws)["policies"] == []
    assert may(aws) == {"role": True, "user": True}
    assert plan(aws, app).is_empty
    assert down(aws, app).is_complete
    assert inventory(aws) == before


def test_the_claims_are_decided_on_it(tmp_path: Path) -> None:
    """On paper it counts like a managed one: every claim holds, among them those about what is granted."""
    rehearsals = rehearse(app_of(tmp_path))
    assert all(rehearsal.holds for rehearsal in rehearsals)
    assert {rehearsal.claim.id for rehearsal in rehearsals} >= {"workload.web.a.in/read", "workload.server.a.write"}


def test_other_inline_policies_go_and_it_stays(aws: BotocoreAws, tmp_path: Path) -> None:
    """Someone's second one is drift; the same text spelled otherwise is none, another text is put right."""
    app = app_of(tmp_path)
    assert up(aws, app).is_complete
    aws.call("iam", "PutRolePolicy", RoleName="shop-web", PolicyName="more", PolicyDocument=WIDE)
    aws.call("iam", "PutUserPolicy", UserName="shop-server", PolicyName="more", PolicyDocument=WIDE)
    assert calls_of(plan(aws, app)) == [("role.web", "DeleteRolePolicy"), ("user.server", "DeleteUserPolicy")]
    assert up(aws, app).is_complete
    assert inline_names(aws) == (["in-web"], ["shop-server"])
    is_now = aws.call("iam", "GetRolePolicy", RoleName="shop-web", PolicyName="in-web")["PolicyDocument"]
    (statement,) = is_now["Statement"]
    respelled = {"Version": "2012-10-17", "Statement": {**statement, "Action": statement["Action"][0]}}
    put = {"RoleName": "shop-web", "PolicyName": "in-web"}
    aws.call("iam", "PutRolePolicy", **put, PolicyDocument=json.dumps(respelled))
    assert plan(aws, app).is_empty
    aws.call("iam", "PutRolePolicy", **put, PolicyDocument=WIDE)
    assert calls_of(plan(aws, app)) == [("inline-policy.web", "PutRolePolicy")]
    report = make_report(app, read_status(aws, app), datetime.now(UTC), "")
    (finding,) = next(entry.findings for entry in report.entries if entry.address == "inline-policy.web")
    assert (finding.check, finding.severity) == ("inline-policy.document", Severity.PROBLEM)
    assert any("s3:*" in line for line in finding.evidence)
    assert up(aws, app).is_complete
    assert plan(aws, app).is_empty


@pytest.mark.parametrize(("before", "after"), [(MANAGED, FILE), (FILE, MANAGED)], ids=["into", "out"])
def test_no_moment_without_the_permission(aws: BotocoreAws, tmp_path: Path, before: str, after: str) -> None:
    """Into the role or user and out of it again, dying after every call: both always have what the file grants."""
    assert up(aws, app_of(tmp_path, before)).is_complete
    app = app_of(tmp_path, after)
    left = plan(aws, app)
    assert left.refusals == ()
    while not left.is_empty:
        apply_plan(left, BreakingAws(aws, 1))
        assert may(aws) == {"role": True, "user": True}, calls_of(left)
        left = plan(aws, app)
    as_made = ([], []) if after == MANAGED else (["in-web"], ["shop-server"])
    assert inline_names(aws) == as_made
    assert inventory(aws)["policies"] == (["in-web", "shop-server"] if after == MANAGED else [])


@pytest.mark.parametrize(("before", "after"), [(MANAGED, FILE), (FILE, MANAGED)], ids=["into", "out"])
def test_one_up_changes_its_place_and_the_plan_says_how(
    aws: BotocoreAws, tmp_path: Path, before: str, after: str
) -> None:
    """The new one comes before the old one goes, each change after the other by its order; then nothing is left."""
    assert up(aws, app_of(tmp_path, before)).is_complete
    app = app_of(tmp_path, after)
    planned = plan(aws, app)
    changes = {change.address: change for change in planned.changes if change.verb is not Verb.KEEP}
    if after == FILE:
        assert [call.operation for call in changes["inline-policy.web"].calls] == ["PutRolePolicy"]
        gone = changes["policy.(in-web)"]
        assert [call.operation for call in gone.calls] == ["DetachRolePolicy", "DeletePolicy"]
        assert "inline-policy.web" in gone.after
        assert "role.web" not in changes
    else:
        assert [call.operation for call in changes["role.web"].calls] == ["AttachRolePolicy", "DeleteRolePolicy"]
        assert "policy.web" in changes["role.web"].after
    assert apply_plan(planned, aws).is_complete
    assert plan(aws, app).is_empty


def test_a_managed_policy_of_someone_else_is_detached_all_the_same(aws: BotocoreAws, tmp_path: Path) -> None:
    """Only the one in whose place it comes stays for a while, and only until the inline one is there."""
    app = app_of(tmp_path)
    assert up(aws, app).is_complete
    path = {"Path": "/keyhole/shop/default/", "PolicyName": "in-web", "PolicyDocument": WIDE}
    arns = [
        aws.call("iam", "CreatePolicy", **path)["Policy"]["Arn"],
        aws.call("iam", "CreatePolicy", PolicyName="other", PolicyDocument=WIDE)["Policy"]["Arn"],
    ]
    for arn in arns:
        aws.call("iam", "AttachRolePolicy", RoleName="shop-web", PolicyArn=arn)
    assert calls_of(plan(aws, app)) == [("role.web", "DetachRolePolicy")] * 2
    aws.call("iam", "DeleteRolePolicy", RoleName="shop-web", PolicyName="in-web")
    first = plan(aws, app)
    assert calls_of(first) == [("role.web", "DetachRolePolicy"), ("inline-policy.web", "PutRolePolicy")]
    assert apply_plan(first, aws).is_complete
    assert calls_of(plan(aws, app)) == [("role.web", "DetachRolePolicy")]
    assert up(aws, app).is_complete
    assert inventory(aws)["policies"] == ["in-web", "other"]


def test_one_in_someone_s_role_is_replaced_only_when_told(aws: BotocoreAws, tmp_path: Path) -> None:
    """Whose the role is, his is the policy: it is refused, and adopting says what it is now and becomes."""
    (tmp_path / "keyhole.toml").write_text(FILE, "utf-8")
    aws.call("iam", "CreateRole", RoleName="shop-web", Path="/keyhole/shop/default/", AssumeRolePolicyDocument=TRUST)
    aws.call("iam", "PutRolePolicy", RoleName="shop-web", PolicyName="in-web", PolicyDocument=WIDE)
    app = app_of(tmp_path)
    refusals = plan(aws, app).refusals
    assert [refusal.address for refusal in refusals] == ["role.web", "inline-policy.web"]
    adopt = frozenset({"shop-web", "role/shop-web/in-web"})
    planned = plan_up(app, take_snapshot(aws, app), adopt=adopt)
    assert planned.refusals == ()
    change: Any = next(change for change in planned.changes if change.address == "inline-policy.web")
    assert "document is now:" in change.note
    assert [(call.operation, call.destructive) for call in change.calls] == [("PutRolePolicy", True)]
    assert apply_plan(planned, aws).is_complete
    assert plan(aws, app).is_empty


def test_a_boundary_cannot_be_inline(tmp_path: Path) -> None:
    """IAM takes managed policies for boundaries alone: the file's mistake, at its line, with the fix."""
    with pytest.raises(SpecError, match="has its policy inline, and a boundary can only be a managed one") as caught:
        app_of(tmp_path, FILE.replace("inline = true\n", "inline = true\nboundary = true\n", 1))
    (mistake,) = caught.value.mistakes
    assert mistake.hint == "leave `inline` out, or `boundary`"
    assert mistake.where.endswith(":7")


def grants(count: int) -> str:
    return ", ".join(f'{{ bucket = "a", prefix = "{number:04}/", verbs = ["read"] }}' for number in range(count))


@pytest.mark.parametrize(
    ("kind", "fits", "too_many", "most"), [("role", 60, 100, "10,240"), ("access-key", 10, 30, "2,048")]
)
def test_more_than_aws_takes_inline_is_a_mistake(
    tmp_path: Path, kind: str, fits: int, too_many: int, most: str
) -> None:
    """Roles may have 10,240 characters without white space, users 2,048: found before any call, with the figure."""
    head = f'[app]\nname = "shop"\nregion = "eu-west-1"\n[buckets.a]\n[workloads.web]\nkind = "{kind}"\ninline = true\n'
    app_of(tmp_path, f"{head}grants = [{grants(fits)}]\n")
    with pytest.raises(SpecError, match=f"inline-policy `web`: .* and AWS takes {most}"):
        app_of(tmp_path, f"{head}grants = [{grants(too_many)}]\n")
