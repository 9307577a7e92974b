"""S3 through the gate, with real clients."""

from __future__ import annotations

import io
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from gate_errors import fetch, refusal

from gate_clients import Aws, allow, document


def test_objects_come_back_as_they_were_put(aws: Aws) -> None:
    """Keys with slashes, spaces, plus signs and other letters survive the signed path, and so do metadata."""
    s3, bucket = aws.client("s3"), aws.bucket()
    for key in ("plain", "a/b c+d%25ü.txt", "a//b", "/lead", "q?x=1&y", "semi;colon", "dots/../up"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), Metadata={"with_line": "1"})
        found = s3.get_object(Bucket=bucket, Key=key)
        assert found["Body"].read() == key.encode()
        assert found["Metadata"] == {"with_line": "1"}
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 7


def test_form_typed_objects_keep_their_bytes(aws: Aws) -> None:
    """An object whose content type says it is a form is stored as the bytes that were sent."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="f", Body=b"a=1&b=2", ContentType="application/x-www-form-urlencoded")
    found = s3.get_object(Bucket=bucket, Key="f")
    assert found["Body"].read() == b"a=1&b=2"
    assert found["ContentType"] == "application/x-www-form-urlencoded"


def test_multipart_upload_gives_the_whole_object(aws: Aws) -> None:
    """A file over the threshold goes up in parts and reads back in ranges."""
    s3, bucket = aws.client("s3"), aws.bucket()
    config = TransferConfig(multipart_threshold=5_300_000, multipart_chunksize=5_300_000)
    s3.upload_fileobj(io.BytesIO(b"0123456789" * 1_100_000), bucket, "big", Config=config)
    assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == 11_000_000
    assert s3.get_object(Bucket=bucket, Key="big", Range="bytes=10-13")["Body"].read() == b"0123"


def test_new_buckets_are_closed_and_tagged(aws: Aws) -> None:
    """A new bucket blocks public access, takes no ACLs, encrypts, and has the tags of its creation."""
    s3 = aws.client("s3")
    name = f"{aws.bucket()}-t"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": [{"Key": "keyhole:app", "Value": "x"}]})
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    assert s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "keyhole:app", "Value": "x"}]
    found = aws.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "keyhole:app", "Values": ["x"]}])
    assert f"arn:aws:s3:::{name}" in [item["ResourceARN"] for item in found["ResourceTagMappingList"]]


def test_bucket_names_are_global(aws: Aws) -> None:
    """Making one's own bucket again is fine in us-east-1 only; another account's name is taken."""
    bucket = aws.bucket()
    aws.client("s3").create_bucket(Bucket=bucket)
    eu = {"Bucket": bucket, "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    code, _, status = refusal(aws.client("s3", region="eu-west-1").create_bucket, **eu)
    assert (code, status) == ("BucketAlreadyOwnedByYou", 409)
    other = aws.client("s3", aws.server.root_credentials("999999999999"))
    assert refusal(other.create_bucket, Bucket=bucket)[0] == "BucketAlreadyExists"
    assert other.list_buckets()["Buckets"] == []
    assert refusal(other.list_objects_v2, Bucket=bucket)[:2] == ("AccessDenied", "Access Denied")
    assert refusal(aws.client("s3").create_bucket, Bucket="Not_a_name")[0] == "InvalidBucketName"


def test_missing_buckets_and_full_ones(aws: Aws) -> None:
    """A bucket that is not there is NoSuchBucket; one with objects in it is not deleted."""
    s3, bucket = aws.client("s3"), aws.bucket()
    assert refusal(s3.list_objects_v2, Bucket="nothing-is-here")[0] == "NoSuchBucket"
    s3.put_object(Bucket=bucket, Key="x", Body=b"")
    assert refusal(s3.delete_bucket, Bucket=bucket)[0] == "BucketNotEmpty"
    s3.delete_object(Bucket=bucket, Key="x")
    s3.delete_bucket(Bucket=bucket)
    assert refusal(s3.head_bucket, Bucket=bucket)[2] == 404


def test_a_user_without_policies_may_nothing(aws: Aws) -> None:
    """A user with no policy is denied with AWS's sentence, and even a missing object is 403."""
    bucket = aws.bucket()
    s3 = aws.client("s3", aws.user())
    code, message, status = refusal(s3.get_object, Bucket=bucket, Key="x")
    assert (code, status) == ("AccessDenied", 403)
    assert message.endswith(
        f'is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::{bucket}/x" because no identity-based '
        "policy allows the s3:GetObject action"
    )
    assert refusal(s3.list_buckets)[0] == "AccessDenied"


def test_a_managed_policy_opens_exactly_its_prefix(aws: Aws) -> None:
    """Put, get and delete under the prefix; listing with that prefix only; nothing else."""
    bucket = aws.bucket()
    s3 = aws.client(
        "s3",
        aws.user(
            allow(["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], f"arn:aws:s3:::{bucket}/up/*"),
            allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition={"StringLike": {"s3:prefix": "up/*"}}),
        ),
    )
    s3.put_object(Bucket=bucket, Key="up/a", Body=b"1")
    assert s3.get_object(Bucket=bucket, Key="up/a")["Body"].read() == b"1"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="up/")["Contents"]] == ["up/a"]
    s3.delete_object(Bucket=bucket, Key="up/a")
    assert refusal(s3.put_object, Bucket=bucket, Key="other/a", Body=b"1")[0] == "AccessDenied"
    assert refusal(s3.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"
    assert refusal(s3.list_objects_v2, Bucket=bucket, Prefix="other/")[0] == "AccessDenied"
    assert refusal(s3.put_object, Bucket=bucket, Key="up/a", Body=b"1", Tagging="a=b")[1].count("s3:PutObjectTagging")
    assert refusal(s3.delete_bucket, Bucket=bucket)[0] == "AccessDenied"
    # Without a listing of the whole bucket, what is not there cannot be told from what is forbidden.
    assert refusal(s3.get_object, Bucket=bucket, Key="up/none")[2] == 403


def test_missing_objects_are_404_with_the_list_permission(aws: Aws) -> None:
    """GetObject on nothing is NoSuchKey for those who may list."""
    bucket = aws.bucket()
    rights = (allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
    s3 = aws.client("s3", aws.user(*rights))
    assert refusal(s3.get_object, Bucket=bucket, Key="none")[0] == "NoSuchKey"
    assert refusal(s3.head_object, Bucket=bucket, Key="none")[2] == 404


def test_delete_objects_answers_key_by_key(aws: Aws) -> None:
    """Keys that may be deleted are, the others come back as errors and are still there."""
    root, bucket = aws.client("s3"), aws.bucket()
    for key in ("up/a", "up/b<&>", "keep/c"):
        root.put_object(Bucket=bucket, Key=key, Body=b"1")
    s3 = aws.client("s3", aws.user(allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/up/*")))
    keys = [{"Key": key} for key in ("up/a", "up/b<&>", "keep/c")]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    assert [item["Key"] for item in answer["Deleted"]] == ["up/a", "up/b<&>"]
    assert [(item["Key"], item["Code"]) for item in answer["Errors"]] == [("keep/c", "AccessDenied")]
    assert [item["Key"] for item in root.list_objects_v2(Bucket=bucket)["Contents"]] == ["keep/c"]
    quiet = root.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "keep/c"}], "Quiet": True})
    assert "Deleted" not in quiet


@pytest.mark.parametrize("source", ["{bucket}/secret", "{bucket}/secret;x", "/{bucket}/secret#x", "//{bucket}/secret"])
def test_copies_need_the_right_to_read_the_source(aws: Aws, source: str) -> None:
    """However the source is written, a copy reads no object that its caller may not read."""
    root, bucket = aws.client("s3"), aws.bucket()
    root.put_object(Bucket=bucket, Key="secret", Body=b"s")
    objects = f"arn:aws:s3:::{bucket}/"
    s3 = aws.client("s3", aws.user(allow("s3:PutObject", f"{objects}*"), allow("s3:GetObject", f"{objects}secret?*")))
    with pytest.raises(s3.exceptions.ClientError):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source.format(bucket=bucket))
    assert "copy" not in [item["Key"] for item in root.list_objects_v2(Bucket=bucket)["Contents"]]


def test_a_bucket_policy_opens_a_prefix_to_everyone(aws: Aws) -> None:
    """Anonymous reads work under the prefix that the policy names, and nothing else does."""
    root, bucket = aws.client("s3"), aws.open_bucket()
    for key in ("public/a", "private/a"):
        root.put_object(Bucket=bucket, Key=key, Body=b"1")
    statement = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/public/*", Principal="*")
    root.put_bucket_policy(Bucket=bucket, Policy=document(statement))
    assert root.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    assert aws.client("s3", anonymous=True).get_object(Bucket=bucket, Key="public/a")["Body"].read() == b"1"
    base = f"{aws.url}/{bucket}"
    assert fetch(f"{base}/public/a")[:2] == (200, b"1")
    assert fetch(f"{base}/public/none")[0] == 403
    assert fetch(f"{base}/private/a")[0] == 403
    assert fetch(base)[0] == 403
    assert fetch(f"{base}/public/a", "PUT", b"2")[0] == 403
    assert fetch(f"{base}/public/a", "DELETE")[0] == 403
    assert fetch(f"{aws.url}/public/a", Host=f"{bucket}.localhost:4566")[:2] == (200, b"1")


def test_public_access_block_refuses_and_limits_public_policies(aws: Aws) -> None:
    """BlockPublicPolicy refuses a public policy; RestrictPublicBuckets keeps one from outsiders."""
    root, bucket = aws.client("s3"), aws.bucket()
    policy = document(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*", Principal="*"))
    code, message, _ = refusal(root.put_bucket_policy, Bucket=bucket, Policy=policy)
    assert code == "AccessDenied"
    assert "BlockPublicPolicy" in message
    root.put_object(Bucket=bucket, Key="a", Body=b"1")
    root.delete_public_access_block(Bucket=bucket)
    root.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert fetch(f"{aws.url}/{bucket}/a")[0] == 200
    block = {"RestrictPublicBuckets": True, "BlockPublicPolicy": False}
    root.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    assert fetch(f"{aws.url}/{bucket}/a")[0] == 403


@pytest.mark.parametrize(
    "policy",
    [
        "{",
        document({"Effect": "Alow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{b}/*"}),
        document(allow("s3:GetObject", "arn:aws:s3:::another-bucket/*", Principal={"AWS": "123456789012"})),
        document(allow("s3:GetObject", "arn:aws:s3:::{b}/*")),
        document(
            allow("s3:GetObject", "arn:aws:s3:::{b}/*", Principal={"AWS": "arn:aws:iam::123456789012:user/nobody"})
        ),
    ],
)
def test_bucket_policies_are_checked_when_put(aws: Aws, policy: str) -> None:
    """What is no policy, names another bucket, no principal, or one that does not exist, is MalformedPolicy."""
    bucket = aws.open_bucket()
    text = policy.replace("{b}", bucket)
    assert refusal(aws.client("s3").put_bucket_policy, Bucket=bucket, Policy=text)[0] == "MalformedPolicy"


def test_the_root_user_can_always_replace_the_bucket_policy(aws: Aws) -> None:
    """A policy that denies everyone everything does not lock the owner out."""
    root, bucket = aws.client("s3"), aws.bucket()
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources}
    root.put_bucket_policy(Bucket=bucket, Policy=document(deny))
    assert refusal(root.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"
    root.delete_bucket_policy(Bucket=bucket)
    assert root.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_acls_are_not_supported_by_default(aws: Aws) -> None:
    """A bucket of the new kind takes no ACL but bucket-owner-full-control."""
    s3, bucket = aws.client("s3"), aws.bucket()
    code = refusal(s3.put_object, Bucket=bucket, Key="x", Body=b"", ACL="public-read")[0]
    assert code == "AccessControlListNotSupported"
    s3.put_object(Bucket=bucket, Key="x", Body=b"", ACL="bucket-owner-full-control")


def test_the_wrong_region_says_which_is_right(aws: Aws) -> None:
    """A request signed for another region gets the bucket's region in the error and its header."""
    s3 = aws.client("s3", region="eu-west-1")
    name = f"{aws.bucket()}-eu"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    url = aws.client("s3", signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": name, "Key": "x"}
    )
    status, body, headers = fetch(url)
    assert (status, headers["x-amz-bucket-region"]) == (400, "eu-west-1")
    assert b"expecting 'eu-west-1'" in body


def test_preflights_are_answered_from_the_buckets_rules(aws: Aws) -> None:
    """A browser's preflight passes for the origin in the rules, and for no other."""
    s3, bucket = aws.client("s3"), aws.bucket()
    url = f"{aws.url}/{bucket}/k"
    asked: dict[str, Any] = {"Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "content-type"}
    assert fetch(url, "OPTIONS", Origin="http://localhost:3000", **asked)[0] == 403
    rule = {"AllowedMethods": ["PUT"], "AllowedOrigins": ["http://localhost:*"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{**rule, "ExposeHeaders": ["ETag"]}]})
    status, _, headers = fetch(url, "OPTIONS", Origin="http://localhost:3000", **asked)
    assert (status, headers["access-control-allow-origin"]) == (200, "http://localhost:3000")
    assert headers["access-control-expose-headers"] == "ETag"
    assert fetch(url, "OPTIONS", Origin="http://evil.example", **asked)[0] == 403
