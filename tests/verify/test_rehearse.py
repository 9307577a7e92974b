import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyhole.blueprint import Blueprint
from keyhole.resources import Wanted
from keyhole.resources.bucket import Bucket
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.verify.rehearse import rehearse
from local_story import blueprint_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "ai-image-community" / "keyhole.toml"
BUCKET = "arn:aws:s3:::ai-image-community-123456789012"


@pytest.fixture
def blueprint() -> Blueprint:
    return blueprint_of(EXAMPLE)


def broken(blueprint: Blueprint) -> list[str]:
    return [rehearsal.claim.id for rehearsal in rehearse(blueprint) if not rehearsal.holds]


def test_the_generated_policies_do_what_the_file_says(blueprint: Blueprint) -> None:
    """Every claim holds on the policies that the same file gives."""
    assert len(blueprint.claims) >= 19
    assert broken(blueprint) == []


def with_policy(blueprint: Blueprint, **changes: Any) -> Blueprint:
    """Give the blueprint with its identity policy's object statement changed."""
    return replace(blueprint, resources=tuple(_changed(resource, changes) for resource in blueprint.resources))


def _changed(resource: Any, changes: dict[str, Any]) -> Any:
    if not isinstance(resource, ManagedPolicy):
        return resource
    document = json.loads(json.dumps(resource.document))
    document["Statement"][0].update(changes)
    return replace(resource, document=document)


WIDER: list[dict[str, Any]] = [
    {"Action": "s3:*"},
    {"Action": "s3:*", "Resource": [BUCKET, f"{BUCKET}/*"]},
    {"Action": "*", "Resource": "*"},
    {"Resource": f"{BUCKET}/*"},
    {"Resource": "arn:aws:s3:::*/*"},
    {"NotAction": "s3:CreateBucket", "Action": None},
]


@pytest.mark.parametrize("wider", WIDER)
def test_a_wider_policy_breaks_a_claim(blueprint: Blueprint, wider: dict[str, Any]) -> None:
    """Widening the workload's policy is seen before anything is applied."""
    widened = with_policy(blueprint, **wider)
    if wider.get("Action", "") is None:
        for resource in widened.resources:
            if isinstance(resource, ManagedPolicy):
                del resource.document["Statement"][0]["Action"]
    assert any(".no-" in claim for claim in broken(widened))


# Not s3:GetObject: what everyone on the web may read, the workload may read without a policy of its own.
@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject"])
def test_a_narrower_policy_breaks_a_claim(blueprint: Blueprint, action: str) -> None:
    """Leaving out one action that the file grants is seen too."""
    actions = [other for other in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject") if other != action]
    verb = {"s3:PutObject": "write", "s3:DeleteObject": "delete"}[action]
    assert broken(with_policy(blueprint, Action=actions)) == [f"workload.api.images.uploads/images/{verb}"]


def bucket_policies() -> Iterator[tuple[dict[str, Any], str]]:
    allow = {"Effect": "Allow", "Principal": "*"}
    yield {**allow, "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}, "bucket.images.no-public-read"
    yield {**allow, "Action": "s3:PutObject", "Resource": f"{BUCKET}/uploads/images/*"}, "bucket.images.no-public-write"
    yield {**allow, "Action": "s3:ListBucket", "Resource": BUCKET}, "bucket.images.no-public-list"
    yield {**allow, "Action": "s3:DeleteObject", "Resource": f"{BUCKET}/*"}, "bucket.images.no-public-delete"


@pytest.mark.parametrize(("statement", "claim"), list(bucket_policies()))
def test_a_wider_bucket_policy_breaks_its_claim(blueprint: Blueprint, statement: dict[str, Any], claim: str) -> None:
    """A bucket policy that opens more to strangers is seen, and the claim names what."""
    resources: list[Wanted] = []
    for resource in blueprint.resources:
        if isinstance(resource, Bucket) and resource.settings.policy:
            policy = {**resource.settings.policy, "Statement": [*resource.settings.policy["Statement"], statement]}
            resources.append(replace(resource, settings=replace(resource.settings, policy=policy)))
        else:
            resources.append(resource)
    assert claim in broken(replace(blueprint, resources=tuple(resources)))


def test_a_broken_claim_gives_aws_s_reason(blueprint: Blueprint) -> None:
    """The rehearsal of a missing permission says what AWS would say."""
    found = [one for one in rehearse(with_policy(blueprint, Action=["s3:GetObject"])) if not one.holds]
    assert "because no identity-based policy allows the s3:PutObject action" in found[0].reason
