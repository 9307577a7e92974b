"""Bucket policies when they are put: S3's sentences on those that it does not take."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gate_errors import fetch, refusal

from gate_clients import Aws, document
from keyhole.local.canonical_ids import canonical_id

BUCKET, OBJECTS = "arn:aws:s3:::{b}", "arn:aws:s3:::{b}/*"
MISMATCH = "Action does not apply to any resource(s) in statement"
OLD_TLS = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
OWN_PREFIX = {"StringLike": {"s3:prefix": "${aws:username}/*"}}


def _statement(**elements: Any) -> dict[str, Any]:
    """A statement of an account, without the elements that are None."""
    base = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "s3:GetObject", "Resource": OBJECTS}
    return {name: value for name, value in {**base, **elements}.items() if value is not None}


def _policy(**elements: Any) -> str:
    return document(_statement(**elements))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "Policies must be valid JSON and the first byte must be '{'"),
        ("", "Policies must be valid JSON and the first byte must be '{'"),
        ("{", "This policy contains invalid Json"),
        ("{}", "Missing required field Statement"),
        ('{"Statement": []}', "Could not parse the policy: Statement is empty!"),
        ('{"Statement": ["a"]}', "Invalid policy syntax."),
        (json.dumps({"Version": "2013-01-01", "Statement": []}), "The policy must contain a valid version string"),
        (json.dumps({"Statement": [], "Extra": 1}), "Unknown field Extra"),
        (_policy(Effect="Alow"), "Invalid effect: Alow"),
        (_policy(Effect=None), "Missing required field Effect"),
        (_policy(Principal=None), "Missing required field Principal"),
        (_policy(Principal={}), "Missing required field Principal cannot be empty!"),
        (_policy(Principal="123456789012"), "Invalid policy syntax."),
        (_policy(Action=None), "Missing required field Action"),
        (_policy(Action=[]), "Missing required field Action cannot be empty!"),
        (_policy(Resource=None), "Missing required field Resource"),
        (_policy(Foo="bar"), "Unknown field Foo"),
        (_policy(NotAction="s3:PutObject"), "Statement/policy already has instance of Action"),
        (_policy(Action=1), "Invalid policy syntax."),
        (_policy(Resource="*"), "Policy has invalid resource"),
        (_policy(Resource="arn:aws:s3:::another/*"), "Policy has invalid resource"),
        (_policy(Resource=[OBJECTS, "arn:aws:s3:::{b}x/*"]), "Policy has invalid resource"),
        (_policy(Action="s3:Nothing"), "Policy has invalid action"),
        (_policy(Action="ec2:RunInstances"), "Policy has invalid action"),
        (_policy(Action="GetObject"), "Policy has invalid action"),
        (_policy(Resource=BUCKET), MISMATCH),
        (_policy(Action="s3:ListBucket"), MISMATCH),
        (_policy(Action=["s3:GetObject", "s3:ListBucket"]), MISMATCH),
        (_policy(Action="s3:ListAllMyBuckets", Resource=BUCKET), MISMATCH),
        (_policy(Principal={"AWS": "somebody"}), "Invalid principal in policy"),
        (_policy(Principal={"AWS": "arn:aws:iam::123456789012:user/nobody"}), "Invalid principal in policy"),
        (_policy(Principal={"AWS": "arn:aws:iam::123456789012:user/*"}), "Invalid principal in policy"),
        (_policy(Principal={"Service": "cloudtrail"}), "Invalid principal in policy"),
        (_policy(Principal={"CanonicalUser": "0" * 64}), "Invalid principal in policy"),
        (_policy(Principal={"Person": "me"}), "Invalid principal in policy"),
        (_policy(Condition={"StringSame": {"aws:username": "a"}}), "Invalid Condition type : StringSame"),
        (_policy(Condition={"StringEquals": {"s3:nothing": "a"}}), "Policy has an invalid condition key"),
        (_policy(Condition={"StringEquals": {"username": "a"}}), "Policy has an invalid condition key"),
        (_policy(Condition={"IpAddress": {"aws:SourceIp": "here"}}), "Invalid IP address in Conditions"),
        (
            _policy(Condition={"StringEquals": {"s3:prefix": "a"}}),
            "Conditions do not apply to combination of actions and resources in statement",
        ),
        (
            _policy(Action=["s3:ListBucket", "s3:GetBucketAcl"], Resource=BUCKET, Condition=OWN_PREFIX),
            "Conditions do not apply to combination of actions and resources in statement",
        ),
    ],
)  # fmt: skip
def test_what_is_no_bucket_policy(aws: Aws, text: str, message: str) -> None:
    """It is MalformedPolicy, in S3's own words, and nothing is kept of it."""
    s3, bucket = aws.client("s3"), aws.open_bucket()
    found = refusal(s3.put_bucket_policy, Bucket=bucket, Policy=text.replace("{b}", bucket))
    assert found == ("MalformedPolicy", message, 400)
    assert refusal(s3.get_bucket_policy, Bucket=bucket)[0] == "NoSuchBucketPolicy"


@pytest.mark.parametrize(
    "elements",
    [
        {"Action": "s3:*", "Resource": [BUCKET, OBJECTS]},
        {"Action": "*", "Resource": "arn:aws:s3:::{b}*"},
        {"Action": ["s3:Get*", "s3:ListBucket"], "Resource": [BUCKET, OBJECTS]},
        {"Action": None, "NotAction": "s3:PutObject", "Resource": OBJECTS},
        {"Resource": None, "NotResource": "arn:aws:s3:::{b}/private/*", "Action": "s3:GetObject"},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": OLD_TLS},
        {"Action": "s3:PutObject", "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}},
        {"Action": "s3:PutObject", "Principal": {"Service": "cloudtrail.amazonaws.com"}},
        {"Action": "s3:ListBucket", "Resource": BUCKET, "Condition": OWN_PREFIX},
    ],
)  # fmt: skip
def test_what_is_one(aws: Aws, elements: dict[str, Any]) -> None:
    """The usual policies are kept to the letter."""
    s3, bucket = aws.client("s3"), aws.open_bucket()
    text = _policy(**elements).replace("{b}", bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == text


def test_a_canonical_user_is_its_account(aws: Aws) -> None:
    """A canonical user id in a policy stands for the account."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    principal = {"CanonicalUser": canonical_id("999988887777")}
    s3.put_bucket_policy(Bucket=bucket, Policy=_policy(Principal=principal).replace("{b}", bucket))
    stranger = aws.client("s3", aws.server.root_credentials("999988887777"))
    assert stranger.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    another = aws.client("s3", aws.server.root_credentials("111122223333"))
    assert refusal(another.get_object, Bucket=bucket, Key="a")[0] == "AccessDenied"


def test_a_public_statement_restricts_the_others_too(aws: Aws) -> None:
    """Once a policy is public, RestrictPublicBuckets keeps other accounts out, also those that it names."""
    s3, bucket = aws.client("s3"), aws.open_bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    named = _statement(Principal={"AWS": "999988887777"})
    stranger = aws.client("s3", aws.server.root_credentials("999988887777"))
    block = {"RestrictPublicBuckets": True}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    s3.put_bucket_policy(Bucket=bucket, Policy=document(named).replace("{b}", bucket))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    assert stranger.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    both = document(named, _statement(Principal="*")).replace("{b}", bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=both)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    assert refusal(stranger.get_object, Bucket=bucket, Key="a")[0] == "AccessDenied"
    assert fetch(f"{aws.url}/{bucket}/a")[0] == 403
    # A user of the owner's account has what the policy gives it.
    assert aws.client("s3", aws.user()).get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
