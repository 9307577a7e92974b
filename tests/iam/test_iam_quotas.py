"""Quotas: how long AWS lets a document be, and how it counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyhole.errors import PolicyError
from keyhole.iam import PolicyKind, parse_policy
from keyhole.iam import quotas as q

IAM_PAGE = 'IAM User Guide, "IAM and AWS STS quotas"'
ORGANIZATIONS_PAGE = 'AWS Organizations User Guide, "Quotas and service limits for AWS Organizations"'


@pytest.mark.parametrize(
    ("quota", "most", "source"),
    [
        (q.MANAGED, 6_144, f"{IAM_PAGE}, character limits: each managed policy"),
        (q.INLINE_USER, 2_048, f"{IAM_PAGE}, character limits: aggregate inline policy size of a user"),
        (q.INLINE_ROLE, 10_240, f"{IAM_PAGE}, character limits: aggregate inline policy size of a role"),
        (q.INLINE_GROUP, 5_120, f"{IAM_PAGE}, character limits: aggregate inline policy size of a group"),
        (q.TRUST, 2_048, f"{IAM_PAGE}, role trust policy length, default"),
        (q.TRUST_RAISED, 8_192, f"{IAM_PAGE}, role trust policy length, maximum"),
        (q.SESSION, 2_048, 'AWS STS API Reference, "AssumeRole", parameter Policy'),
        (q.SCP, 10_240, f"{ORGANIZATIONS_PAGE}, maximum size of a policy document"),
        (q.RCP, 5_120, f"{ORGANIZATIONS_PAGE}, maximum size of a policy document"),
        (q.BUCKET, 20_480, 'Amazon S3 User Guide, "Bucket policies and user policies"'),
        (q.ENDPOINT, 20_480, 'AWS PrivateLink Guide, "AWS PrivateLink quotas"'),
    ],
)
def test_a_document_of_just_the_quota_fits(quota: q.Quota, most: int, source: str) -> None:
    """As much as AWS's page says is taken, and one more is not."""
    assert q.check_quota("x" * most, quota) is None, source
    error = q.check_quota("x" * (most + 1), quota)
    assert isinstance(error, PolicyError)
    assert f"has {most + 1:,} " in error.message
    assert f"takes {most:,}" in error.message
    assert quota.name in error.message


@pytest.mark.parametrize("quota", [q.MANAGED, q.INLINE_USER, q.INLINE_ROLE, q.INLINE_GROUP, q.TRUST])
def test_iam_does_not_count_white_space(quota: q.Quota) -> None:
    """AWS: "IAM and AWS STS quotas": IAM doesn't count white space when it calculates the size of a policy."""
    assert q.check_quota("\n\t \r" * 5_000 + "x" * quota.most, quota) is None


@pytest.mark.parametrize("quota", [q.SESSION, q.SCP, q.RCP, q.BUCKET, q.ENDPOINT])
def test_others_count_white_space(quota: q.Quota) -> None:
    """STS, Organizations, S3 and VPC take the document as it is given."""
    assert q.check_quota("x" * quota.most + "\n", quota) is not None


def test_inline_policies_count_together() -> None:
    """The quota of inline policies is one for all that an identity has."""
    half = "x" * 1_024
    assert q.check_quota((half, half), q.INLINE_USER) is None
    assert q.check_quota((half, half, "x"), q.INLINE_USER) is not None


def test_a_bucket_policy_is_counted_in_bytes() -> None:
    """A character may be several bytes; half of a surrogate pair is counted, not choked on."""
    assert q.check_quota("ä" * 10_240, q.BUCKET) is None
    error = q.check_quota("ä" * 10_241, q.BUCKET)
    assert error is not None
    assert "20,482 bytes" in error.message
    assert q.BUCKET.measure("\ud800") == 3


def test_the_hint_is_what_aws_says() -> None:
    """The error carries AWS's own words where they are known, and the name of the file."""
    error = q.check_quota("x" * 7_000, q.MANAGED, file="policy.json")
    assert error is not None
    assert error.hint == "AWS: Cannot exceed quota for PolicySize: 6144"
    assert str(error) == (
        "policy.json: the managed policy has 7,000 characters without white space, and AWS takes 6,144"
    )
    assert q.TRUST.raised_to(4_096).refusal == "Cannot exceed quota for ACLSizePerRole: 4096"
    assert q.INLINE_USER.refusal_for("app") == "Maximum policy size of 2048 bytes exceeded for user app"
    plain = q.check_quota("x" * 21_000, q.ENDPOINT)
    assert plain is not None
    assert plain.hint == "make it shorter, or split it"


def test_every_kind_has_its_quota() -> None:
    """No kind of policy is without one."""
    assert q.QUOTAS.keys() == set(PolicyKind)
    assert all(quota.most >= 2_048 for quota in q.QUOTAS.values())


@pytest.mark.parametrize("form", ["text", "bytes", "mapping"])
def test_parsing_refuses_what_is_longer_than_its_quota(form: str) -> None:
    """Only if it is asked to: what AWS has stored is evaluated whatever its length."""
    resources = [f"arn:aws:s3:::masks/{number:0100}" for number in range(60)]
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resources}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    text = json.dumps(document)
    sources: dict[str, Any] = {"text": text, "bytes": text.encode(), "mapping": document}
    source = sources[form]
    assert parse_policy(source, PolicyKind.IDENTITY).statements
    with pytest.raises(PolicyError, match="and AWS takes 6,144"):
        parse_policy(source, PolicyKind.IDENTITY, quota=q.QUOTAS[PolicyKind.IDENTITY])
    assert parse_policy(source, PolicyKind.IDENTITY, quota=q.INLINE_ROLE).statements
