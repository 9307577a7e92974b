"""The policy of a browser's form: what it must say, and that a form keeps to it."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from form_posts import key_only, policy_fields, post, stored

from gate_clients import Aws, document


def test_a_policy_ends(aws: Aws) -> None:
    """After its expiration nothing is stored."""
    bucket = aws.bucket()
    status, body, _ = post(f"{aws.url}/{bucket}", key_only(aws, bucket, minutes=-1))
    assert status == 403
    assert "<Message>Invalid according to Policy: Policy expired.</Message>" in body
    assert stored(aws, bucket) == []


@pytest.mark.parametrize(
    ("conditions", "fields", "message"),
    [
        ([{"acl": "private"}], {}, 'Policy Condition failed: ["eq", "$acl", "private"]'),
        ([{"acl": "private"}], {"acl": "public-read"}, 'Policy Condition failed: ["eq", "$acl", "private"]'),
        ([["eq", "$key", "x"]], {}, 'Policy Condition failed: ["eq", "$key", "x"]'),
        ([["starts-with", "$key", "up/"]], {}, 'Policy Condition failed: ["starts-with", "$key", "up/"]'),
        (
            [["starts-with", "$Content-Type", "image/"]],
            {"Content-Type": "image/png, text/html"},
            'Policy Condition failed: ["starts-with", "$Content-Type", "image/"]',
        ),
        ([], {"x-amz-meta-a": "b"}, "Extra input fields: x-amz-meta-a"),
        ([], {"acl": "private", "tagging": "x"}, "Extra input fields: acl, tagging"),
        ([], {"success_action_status": "200"}, "Extra input fields: success_action_status"),
    ],
)
def test_a_form_keeps_to_its_policy(aws: Aws, conditions: list[Any], fields: dict[str, str], message: str) -> None:
    """A condition that fails, and a field that none is about, are told in S3's words."""
    bucket = aws.bucket()
    status, body, _ = post(f"{aws.url}/{bucket}", key_only(aws, bucket, *conditions, fields=fields))
    assert status == 403
    told = f"<Message>Invalid according to Policy: {message}</Message>"
    assert told in body
    assert stored(aws, bucket) == []


def test_a_policy_names_its_bucket(aws: Aws) -> None:
    """One that does not, or names another, opens none."""
    bucket, other = aws.bucket(), aws.bucket()
    nowhere = policy_fields(aws, [["starts-with", "$key", ""]], {"key": "k"})
    assert "Extra input fields: bucket" in post(f"{aws.url}/{bucket}", nowhere)[1]
    elsewhere = key_only(aws, other)
    assert "Policy Condition failed" in post(f"{aws.url}/{bucket}", elsewhere)[1]
    disguised = key_only(aws, other, fields={"bucket": other})
    assert post(f"{aws.url}/{bucket}", disguised)[0] == 400
    assert stored(aws, bucket) == stored(aws, other) == []


@pytest.mark.parametrize(
    ("size", "code"), [(1, "EntityTooSmall"), (2, ""), (5, ""), (6, "EntityTooLarge"), (300_000, "EntityTooLarge")]
)
def test_a_policy_limits_the_file(aws: Aws, size: int, code: str) -> None:
    """content-length-range is about the file, not the form."""
    bucket = aws.bucket()
    fields = key_only(aws, bucket, ["content-length-range", 2, "5"])
    status, body, _ = post(f"{aws.url}/{bucket}", fields, b"x" * size)
    assert (status, f"<Code>{code}</Code>" in body or not code) == (400 if code else 204, True)
    assert stored(aws, bucket) == ([] if code else ["k"])


def test_policies_see_that_it_is_a_form(aws: Aws) -> None:
    """s3:authType is POST, and s3:signatureversion that of the policy."""
    bucket = aws.bucket()
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"s3:authType": "POST", "s3:signatureversion": "AWS4-HMAC-SHA256"}},
    }
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=document(deny))
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"1")
    assert post(f"{aws.url}/{bucket}", key_only(aws, bucket))[0] == 403


def test_what_the_policy_does_not_cover_has_no_effect(aws: Aws) -> None:
    """Headers of the request itself set nothing: neither an ACL, nor metadata, nor a source to copy from."""
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="secret", Body=b"secret")
    more = {"x_amz_acl": "public-read", "x_amz_meta_a": "b", "x_amz_copy_source": f"/{bucket}/secret"}
    assert post(f"{aws.url}/{bucket}", key_only(aws, bucket), headers=more)[0] == 204
    found = aws.client("s3").get_object(Bucket=bucket, Key="k")
    assert (found["Body"].read(), found["Metadata"]) == (b"data", {})
    condition = ["starts-with", "$x-amz-copy-source", ""]
    fields = key_only(aws, bucket, condition, fields={"x-amz-copy-source": f"/{bucket}/secret"})
    assert post(f"{aws.url}/{bucket}", fields)[0] == 204
    assert aws.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"


def test_a_changed_policy_is_refused(aws: Aws) -> None:
    """The signature is over the policy's text."""
    bucket = aws.bucket()
    fields = key_only(aws, bucket)
    other = json.loads(base64.b64decode(fields["policy"]))
    other["expiration"] = "2099-01-01T00:00:00Z"
    fields["policy"] = base64.b64encode(json.dumps(other).encode()).decode()
    status, body, _ = post(f"{aws.url}/{bucket}", fields)
    assert (status, "SignatureDoesNotMatch" in body) == (403, True)


@pytest.mark.parametrize(
    ("policy", "part"),
    [
        ("not base64!", "Invalid JSON."),
        ("{", "Invalid JSON."),
        ('{"conditions": []}', "Policy missing expiration."),
        ('{"expiration": "2099-01-01T00:00:00Z"}', "Policy missing conditions."),
        ('{"expiration": "soon", "conditions": []}', "Invalid 'expiration' value: 'soon'"),
        ('{"expiration": "2099-01-01T00:00:00Z", "conditions": {}}', "must be a List."),
        ('{"expiration": "2099-01-01T00:00:00Z", "conditions": [{"a": 1}]}', "value must be a string."),
        ('{"expiration": "2099-01-01T00:00:00Z", "conditions": [{}]}', "must have exactly one property specified."),
        ('{"expiration": "2099-01-01T00:00:00Z", "conditions": [["in", "$a", "b"]]}', "unknown operation 'in'."),
        ('{"expiration": "2099-01-01T00:00:00Z", "conditions": [["eq", "a", "b"]]}', "must begin with '$'."),
        ('{"expiration": "2099-01-01T00:00:00Z", "conditions": [["content-length-range", "a", 1]]}', "two integers"),
        ('{"expiration": "2099-01-01T00:00:00Z", "expiration": "2099-01-01T00:00:00Z", "conditions": []}', "JSON"),
    ],
)
def test_a_policy_is_well_formed(aws: Aws, policy: str, part: str) -> None:
    """What is no policy is InvalidPolicyDocument, and says why."""
    bucket = aws.bucket()
    text = policy if " base64" in policy else base64.b64encode(policy.encode()).decode()
    keys = aws.root
    signature = base64.b64encode(hmac.digest(keys.secret_access_key.encode(), text.encode(), "sha1")).decode()
    fields = {"key": "k", "AWSAccessKeyId": keys.access_key_id, "policy": text, "signature": signature}
    status, body, _ = post(f"{aws.url}/{bucket}", fields)
    assert (status, "<Code>InvalidPolicyDocument</Code>" in body, part in body) == (400, True, True)
