import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyhole.blueprint import Blueprint
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.role import Role
from keyhole.verify.rehearse import rehearse
from local_story import blueprint_of

SPECS = Path(__file__).parents[1] / "golden" / "specs"
HOST = "token.actions.githubusercontent.com"


def broken(blueprint: Blueprint) -> set[str]:
    return {rehearsal.claim.id for rehearsal in rehearse(blueprint) if not rehearsal.holds}


@pytest.mark.parametrize("kind", ["github-actions", "access-key"])
def test_the_generated_policies_do_what_the_file_says(kind: str) -> None:
    """Every claim holds on the trust and identity policies that the same file gives."""
    assert broken(blueprint_of(SPECS / f"{kind}.toml")) == set()


def with_trust(conditions: dict[str, Any] | None) -> Blueprint:
    """Give the blueprint with the conditions of the first role's trust policy replaced."""
    blueprint = blueprint_of(SPECS / "github-actions.toml")
    return replace(
        blueprint,
        resources=tuple(
            _changed(resource, conditions) if resource.address == "role.ci" else resource
            for resource in blueprint.resources
        ),
    )


def _changed(resource: Any, conditions: dict[str, Any] | None) -> Any:
    assert isinstance(resource, Role)
    trust = json.loads(json.dumps(resource.trust))
    if conditions is None:
        del trust["Statement"][0]["Condition"]
    else:
        trust["Statement"][0]["Condition"] = conditions
    return replace(resource, trust=trust)


AUD = {f"{HOST}:aud": "sts.amazonaws.com"}
SUB = {f"{HOST}:sub": "repo:acme/site:ref:refs/heads/main"}
ALL = {"no-other-branch", "no-pull-request", "no-other-environment"}
WIDER: list[tuple[dict[str, Any] | None, set[str]]] = [
    ({"StringEquals": SUB}, {"no-other-audience"}),
    ({"StringEquals": AUD, "StringLike": {f"{HOST}:sub": "repo:acme/site:*"}}, ALL),
    (
        {"StringEquals": AUD, "StringLike": {f"{HOST}:sub": "repo:acme/site*"}},
        ALL | {"no-longer-repository"},
    ),
    (
        {"StringEquals": AUD, "StringLike": {f"{HOST}:sub": "repo:acme/*:ref:refs/heads/main"}},
        {"no-other-repository", "no-longer-repository"},
    ),
    ({"StringEquals": AUD, "StringLike": {f"{HOST}:sub": "repo:*/site:ref:refs/heads/main"}}, {"no-other-owner"}),
    (
        {"StringEquals": AUD, "StringLike": {f"{HOST}:sub": "repo:acme/site:ref:refs/heads/*"}},
        {"no-other-branch"},
    ),
    (
        {"StringEquals": AUD},
        ALL | {"no-other-repository", "no-longer-repository", "no-other-owner"},
    ),
    (
        None,
        ALL | {"no-other-repository", "no-longer-repository", "no-other-owner", "no-other-audience"},
    ),
]


@pytest.mark.parametrize(("conditions", "slugs"), WIDER)
def test_a_wider_trust_policy_breaks_its_claims(conditions: dict[str, Any] | None, slugs: set[str]) -> None:
    """Every way to trust more jobs than the file says is seen before anything is applied, and by name."""
    assert broken(with_trust(conditions)) == {f"workload.ci.trust.{slug}" for slug in slugs}


def test_a_narrower_trust_policy_breaks_the_claim_of_its_own_jobs() -> None:
    """A role that its own jobs cannot have is seen too."""
    other = {"StringEquals": AUD | {f"{HOST}:sub": "repo:acme/site:ref:refs/heads/dev"}}
    assert broken(with_trust(other)) == {"workload.ci.trust.own-jobs"}


def test_a_wider_policy_of_a_user_breaks_a_claim() -> None:
    """A user is judged by its policies as a role is."""
    blueprint = blueprint_of(SPECS / "access-key.toml")
    resources: list[Any] = []
    for resource in blueprint.resources:
        wide = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [wide]}
        resources.append(replace(resource, document=document) if isinstance(resource, ManagedPolicy) else resource)
    assert "workload.uploader.no-escalation" in broken(replace(blueprint, resources=tuple(resources)))
