"""Attacks on `prove` that once worked: what was granted by hand, and no proof said so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from keyhole.blueprint import build_blueprint
from keyhole.iam import Policy, PolicyKind, parse_policy, render_policy
from keyhole.iam.symbolic.question import Verdict
from keyhole.spec import Spec, load_spec
from keyhole.verify.prove import Proof, prove
from keyhole.verify.rehearse import PlannedPolicies

ACCOUNT = "123456789012"
ECS_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
OF_ECS: dict[str, Any] = {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}
MANAGED = {ECS_POLICY: {"Version": "2012-10-17", "Statement": [OF_ECS]}}
SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]
public_read = ["public/"]

[workloads.task]
kind = "ecs"
managed_policies = ["service-role/AmazonECSTaskExecutionRolePolicy"]
grants = [{ bucket = "images", prefix = "up/", verbs = ["read", "write"] }]

[workloads.web]
kind = "ec2"
grants = [{ bucket = "images", prefix = "up/", verbs = ["read"] }]
"""
IMAGES = "shop-images-123456789012"
OBJECTS = f"arn:aws:s3:::{IMAGES}/*"
TASK = f"arn:aws:iam::{ACCOUNT}:role/keyhole/shop/default/shop-task"


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Spec:
    file: Path = tmp_path_factory.mktemp("app") / "keyhole.toml"
    file.write_text(SPEC, "utf-8")
    return load_spec(file, "")


class Account:
    """The policies as planned, to be changed by hand."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._blueprint = build_blueprint(spec, ACCOUNT)
        self.policies = PlannedPolicies(self._blueprint, MANAGED)

    def bucket(self, *more: dict[str, Any]) -> None:
        """Add to the bucket's policy."""
        self.policies.buckets[IMAGES] = more_of(self.policies.buckets[IMAGES], PolicyKind.RESOURCE, more)

    def trust(self, *more: dict[str, Any]) -> None:
        """Add to the trust policy of the task's role."""
        self.policies.trusts[TASK] = more_of(self.policies.trusts[TASK], PolicyKind.TRUST, more)

    def attach(self, who: str, *statements: dict[str, Any]) -> None:
        """Give a workload one more policy."""
        made = parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, PolicyKind.IDENTITY, "by hand")
        self.policies.identity[who] = (*self.policies.identity[who], made)

    def not_held(self) -> dict[str, Proof]:
        """Give the proofs that do not hold."""
        proofs = prove(self._spec, self._blueprint, MANAGED, policies=self.policies)
        return {proof.id: proof for proof in proofs if proof.answer.verdict is not Verdict.HOLDS}


def more_of(policy: Policy, kind: PolicyKind, more: tuple[dict[str, Any], ...]) -> Policy:
    document = json.loads(json.dumps(render_policy(policy)))
    document["Statement"] = [*document["Statement"], *more]
    return parse_policy(document, kind, policy.name)


@pytest.fixture
def account(spec: Spec) -> Account:
    made = Account(spec)
    assert not made.not_held()
    return made


def test_a_role_that_is_left_to_its_own_account_is_anybodys_there(account: Account) -> None:
    """Whoever has a policy that allows to assume it gets it."""
    own = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    account.trust({"Effect": "Allow", "Principal": own, "Action": "sts:AssumeRole"})
    proof = account.not_held()["role.task.nobody-more"]
    assert proof.answer.witness is not None
    assert proof.answer.witness.principal.account == ACCOUNT
    assert proof.by.startswith("statement 1 of role trust policy")


@pytest.mark.parametrize("principal", [{"AWS": ACCOUNT}, {"AWS": [TASK, f"arn:aws:iam::{ACCOUNT}:root"]}])
def test_a_deny_without_tls_that_leaves_others_out_is_none(account: Account, principal: dict[str, Any]) -> None:
    """Whoever is not of the account reads what is public, in the clear."""
    document = json.loads(json.dumps(render_policy(account.policies.buckets[IMAGES])))
    for statement in document["Statement"]:
        if statement["Effect"] == "Deny":
            statement["Principal"] = principal
    account.policies.buckets[IMAGES] = parse_policy(document, PolicyKind.RESOURCE, IMAGES)
    assert "bucket.images.tls-only" in account.not_held()


def test_a_policy_of_aws_is_asked_for_by_whom_the_file_gives_it(account: Account) -> None:
    """That the task has it does not let the other workload have it."""
    account.attach("web", OF_ECS)
    assert set(account.not_held()) == {"workload.web.nothing-more"}


def test_whom_nobody_can_look_up_is_not_nobody(account: Account) -> None:
    """A canonical id may be anybody's, so that nothing is proved."""
    granted = {"Effect": "Allow", "Principal": {"CanonicalUser": "ab" * 32}, "Action": "s3:GetObject"}
    account.bucket({**granted, "Resource": OBJECTS})
    assert account.not_held()["bucket.images.nobody-more"].answer.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/shop-task/session"},
        {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/other/keyhole"},
        {"AWS": f"arn:aws:iam::{ACCOUNT}:user/someone"},
        {"AWS": f"arn:aws:sts::{ACCOUNT}:federated-user/someone"},
        {"AWS": "arn:aws:sts::999999999999:federated-user/someone"},
        {"Service": "example.amazonaws.com"},
        {"AWS": "AROACKCEVSQ6C2EXAMPLE"},
        {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"},
    ],
)
def test_whoever_is_named_is_found(account: Account, principal: dict[str, Any]) -> None:
    """By name, however it is written, and the statement is named that lets it in."""
    account.bucket({"Effect": "Allow", "Principal": principal, "Action": "s3:PutObject", "Resource": OBJECTS})
    proof = account.not_held()["bucket.images.nobody-more"]
    assert proof.answer.verdict is Verdict.FAILS
    assert proof.by == f"statement 2 of resource-based policy `{IMAGES}`"


def test_what_only_holds_in_other_accounts_is_more(account: Account) -> None:
    """Objects of another account's buckets: a way to carry data out."""
    elsewhere = {"StringEquals": {"aws:ResourceAccount": "999999999999"}}
    account.attach("web", {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": elsewhere})
    assert "workload.web.nothing-more" in account.not_held()


def test_a_perimeter_takes_nothing_from_what_the_file_grants(account: Account) -> None:
    """The app's buckets are of its account: a deny of all that is of others says nothing about them."""
    outside = {"StringNotEquals": {"aws:ResourceAccount": ACCOUNT}}
    account.attach("web", {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": outside})
    assert not account.not_held()
