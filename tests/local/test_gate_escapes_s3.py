"""Ways past the gate that S3 requests could offer: what is authorized must be what is done."""

from __future__ import annotations

from typing import Any

import pytest
from gate_errors import refusal
from gate_wire import ask, send

from gate_clients import Aws, allow, document
from keyhole.local.protocols.rest import _routes
from keyhole.local.s3_support import SUPPORTED
from keyhole.local.service_models import service_model

STRANGER = "999988887777"


def test_a_path_without_a_bucket_is_no_way_to_an_object(aws: Aws) -> None:
    """`//bucket/key` names no bucket: nothing is read, however wide the caller's rights are."""
    root, bucket = aws.client("s3"), aws.bucket()
    root.put_object(Bucket=bucket, Key="secret", Body=b"hidden")
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    user = aws.user(allow("s3:*", "*"), deny)
    for target in (f"//{bucket}/secret", f"/%2F{bucket}/secret", f"/{bucket}%2Fsecret", f"///{bucket}/secret"):
        status, body = ask(aws, "GET", target, who=user)
        assert status >= 400, target
        assert b"hidden" not in body
    assert ask(aws, "PUT", f"//{bucket}/new", b"1", who=user)[0] >= 400
    assert ask(aws, "DELETE", f"//{bucket}/secret", who=user)[0] >= 400
    assert [item["Key"] for item in root.list_objects_v2(Bucket=bucket)["Contents"]] == ["secret"]


@pytest.mark.parametrize(
    "key", ["/a", "//a//", "a/../b", ".", "..", "a%b", "a?b#c;d", "a+b c", "é/\u2028", "\x01", "'"]
)
def test_keys_are_kept_as_they_are_named(aws: Aws, key: str) -> None:
    """The object that is stored has the key that was authorized."""
    s3, bucket = aws.client("s3"), aws.bucket()
    user = aws.client("s3", aws.user(allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{bucket}/{key}")))
    user.put_object(Bucket=bucket, Key=key, Body=b"1")
    assert user.get_object(Bucket=bucket, Key=key)["Body"].read() == b"1"
    stored = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert len(stored) == 1
    assert stored[0]["Key"] == key


@pytest.mark.parametrize("target", ["{b}?inventory&id=x", "{b}?analytics&id=x", "{b}?intelligent-tiering&id=x"])
def test_what_the_store_does_not_have_deletes_no_bucket(aws: Aws, target: str) -> None:
    """Deleting a configuration that is not kept here is said not to be available; the bucket stays."""
    bucket = aws.bucket()
    rights = ("s3:PutInventoryConfiguration", "s3:PutAnalyticsConfiguration", "s3:PutIntelligentTieringConfiguration")
    user = aws.user(allow(list(rights), "*"))
    for who in (user, aws.root):
        status, body = ask(aws, "DELETE", "/" + target.format(b=bucket), who=who)
        assert (status, b"NotImplemented" in body) == (501, True)
    aws.client("s3").head_bucket(Bucket=bucket)


def test_reading_a_subresource_that_is_not_kept_reads_no_object(aws: Aws) -> None:
    """GetObjectTorrent gives nothing of the object; GetBucketRequestPayment lists no keys."""
    root, bucket = aws.client("s3"), aws.bucket()
    root.put_object(Bucket=bucket, Key="k-secret", Body=b"hidden")
    actions = [
        "s3:GetObjectTorrent",
        "s3:GetBucketRequestPayment",
        "s3:GetAnalyticsConfiguration",
    ]
    user = aws.user(allow(actions, "*"))
    for query in ("k-secret?torrent", "?requestPayment", "?analytics", "?analytics&id=x"):
        status, body = ask(aws, "GET", f"/{bucket}/{query}" if "k-" in query else f"/{bucket}{query}", who=user)
        assert status == 501, query
        assert b"hidden" not in body
        assert b"<Key>k-secret" not in body


def test_every_operation_is_supported_or_refused() -> None:
    """What the table of supported operations leaves out never reaches the store under another name."""
    known = {route.operation.name for routes in _routes().values() for route in routes}
    assert set(SUPPORTED) <= known <= set(service_model("s3").operation_names)


def test_another_accounts_root_has_no_unknown_calls_here(aws: Aws) -> None:
    """A call without a row is the bucket owner's root's at most: RenameObject by a stranger's root writes nothing."""
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=b"mine")
    stranger = aws.server.root_credentials(STRANGER)
    for target in (f"/{bucket}/k?renameObject", f"/{bucket}/k?annotation", f"/{bucket}/k?encryption"):
        assert ask(aws, "PUT", target, b"theirs", who=stranger, x_amz_rename_source="/k")[0] in (400, 403, 405), target
        assert ask(aws, "PUT", target, b"theirs", x_amz_rename_source="/k")[0] in (400, 405, 501)
    assert aws.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"mine"


def test_an_upload_belongs_to_its_key(aws: Aws) -> None:
    """An upload id opens no other key: parts, completion, listing and abortion need the key that it was made for."""
    root, bucket = aws.client("s3"), aws.bucket()
    upload = root.create_multipart_upload(Bucket=bucket, Key="keep/secret")["UploadId"]
    part = root.upload_part(Bucket=bucket, Key="keep/secret", UploadId=upload, PartNumber=1, Body=b"1")
    actions = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    user = aws.client("s3", aws.user(allow(actions, f"arn:aws:s3:::{bucket}/up/*")))
    mine = {"Bucket": bucket, "Key": "up/x", "UploadId": upload}
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    assert refusal(user.upload_part, **mine, PartNumber=1, Body=b"2")[::2] == ("NoSuchUpload", 404)
    assert refusal(user.list_parts, **mine)[0] == "NoSuchUpload"
    assert refusal(user.complete_multipart_upload, **mine, MultipartUpload=parts)[0] == "NoSuchUpload"
    assert refusal(user.abort_multipart_upload, **mine)[0] == "NoSuchUpload"
    right = {**mine, "Key": "keep/secret"}
    root.complete_multipart_upload(**right, MultipartUpload=parts)
    # Completing it again gives the same answer.
    root.complete_multipart_upload(**right, MultipartUpload=parts)
    assert root.get_object(Bucket=bucket, Key="keep/secret")["Body"].read() == b"1"


def test_headers_of_other_operations_do_nothing(aws: Aws) -> None:
    """A header counts only where the operation has it: x-amz-copy-source does not turn a tagging into a copy."""
    root, bucket = aws.client("s3"), aws.bucket()
    for key in ("secret", "mine"):
        root.put_object(Bucket=bucket, Key=key, Body=key.encode())
    user = aws.user(allow(["s3:PutObjectTagging", "s3:PutObjectAcl"], f"arn:aws:s3:::{bucket}/mine"))
    tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    status, _ = ask(aws, "PUT", f"/{bucket}/mine?tagging", tags, who=user, x_amz_copy_source=f"/{bucket}/secret")
    assert status == 200
    assert root.get_object(Bucket=bucket, Key="mine")["Body"].read() == b"mine"
    assert ask(aws, "PUT", f"/{bucket}/mine", b"x", who=user, x_amz_tagging="")[0] == 403


@pytest.mark.parametrize("query", ["acl&policy", "uploads&delete", "tagging&acl", "policy&publicAccessBlock"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_two_subresources_at_once_are_refused(aws: Aws, method: str, query: str) -> None:
    """A request that could be read as two operations is neither."""
    bucket = aws.bucket()
    status, body = ask(aws, method, f"/{bucket}?{query}")
    assert (status, b"MethodNotAllowed" in body) == (405, True)


def test_method_overrides_do_nothing(aws: Aws) -> None:
    """The method is the request line's."""
    root, bucket = aws.client("s3"), aws.bucket()
    root.put_object(Bucket=bucket, Key="k", Body=b"1")
    user = aws.user(allow(["s3:GetObject"], f"arn:aws:s3:::{bucket}/*"))
    more: dict[str, Any] = {"x_http_method_override": "DELETE", "x_amz_method": "DELETE"}
    assert ask(aws, "GET", f"/{bucket}/k?_method=DELETE", who=user, **more) == (200, b"1")
    assert ask(aws, "TRACE", f"/{bucket}/k", who=user)[0] == 405
    root.head_object(Bucket=bucket, Key="k")


def test_a_false_bypass_is_no_bypass(aws: Aws) -> None:
    """x-amz-bypass-governance-retention: false needs no right, and bypasses nothing."""
    root, bucket = aws.client("s3"), f"{aws.bucket()}-locked"
    root.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    until = "2099-01-01T00:00:00Z"
    made = root.put_object(
        Bucket=bucket, Key="k", Body=b"1", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until
    )
    actions = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    user = aws.client("s3", aws.user(allow(actions, f"arn:aws:s3:::{bucket}/*")))
    target = {"Bucket": bucket, "Key": "k", "VersionId": made["VersionId"]}
    for bypass in (True, False):
        assert refusal(user.delete_object, **target, BypassGovernanceRetention=bypass)[0] == "AccessDenied"
    assert root.head_object(**target)["ContentLength"] == 1


def test_a_tag_is_given_once(aws: Aws) -> None:
    """Two values for a tag could be read in two ways: the condition would see one, the object get the other."""
    root, bucket = aws.client("s3"), aws.bucket()
    condition = {"StringEquals": {"s3:RequestObjectTag/class": "public"}}
    objects = f"arn:aws:s3:::{bucket}/*"
    user = aws.user(allow(["s3:PutObject", "s3:PutObjectTagging"], objects, Condition=condition))
    s3 = aws.client("s3", user)
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", Tagging="class=public")
    for tagging in ("class=secret&class=public", "class=public&class=secret"):
        assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"1", Tagging=tagging)[0] == "InvalidTag"
    twice = [{"Key": "class", "Value": value} for value in ("secret", "public")]
    assert refusal(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging={"TagSet": twice})[0] == "InvalidTag"
    assert root.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "class", "Value": "public"}]


def test_copying_tags_needs_the_rights_to_them(aws: Aws) -> None:
    """A copy takes the source's tags along: that reads and writes tags."""
    root, bucket = aws.client("s3"), aws.bucket()
    root.put_object(Bucket=bucket, Key="a", Body=b"1", Tagging="class=secret")
    s3 = aws.client("s3", aws.user(allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{bucket}/*")))
    source = f"{bucket}/a"
    assert "s3:GetObjectTagging" in refusal(s3.copy_object, Bucket=bucket, Key="b", CopySource=source)[1]
    s3.copy_object(Bucket=bucket, Key="b", CopySource=source, TaggingDirective="REPLACE")
    assert root.get_object_tagging(Bucket=bucket, Key="b")["TagSet"] == []


def test_a_copys_source_owner_is_checked(aws: Aws) -> None:
    """x-amz-source-expected-bucket-owner refuses a source of somebody else."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    target = {"Bucket": bucket, "Key": "b", "CopySource": f"{bucket}/a"}
    assert refusal(s3.copy_object, **target, ExpectedSourceBucketOwner=STRANGER)[0] == "AccessDenied"
    s3.copy_object(**target, ExpectedSourceBucketOwner="123456789012")


def test_strangers_cannot_dress_answers(aws: Aws) -> None:
    """Anonymous requests cannot have an object answered as HTML."""
    root, bucket = aws.client("s3"), aws.open_bucket()
    root.put_object(Bucket=bucket, Key="k", Body=b"<script>")
    root.put_bucket_policy(
        Bucket=bucket, Policy=document(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*", Principal="*"))
    )
    status, body = send(aws, "GET", f"/{bucket}/k?response-content-type=text/html")
    assert (status, b"anonymous GET" in body) == (400, True)
    assert send(aws, "GET", f"/{bucket}/k") == (200, b"<script>")


def test_presigned_parameters_in_another_case_are_refused(aws: Aws) -> None:
    """Nobody can add X-Amz-Meta-A beside the x-amz-meta-a that was signed."""
    bucket = aws.bucket()
    for version in ("s3", "s3v4"):
        s3 = aws.client("s3", signature_version=version)
        url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k", "Metadata": {"a": "1"}})
        target = url.removeprefix(aws.url).replace("?", "?X-Amz-Meta-A=2&", 1)
        assert send(aws, "PUT", target, b"1")[0] in (400, 403)


def test_other_accounts_cannot_touch_a_bucket(aws: Aws) -> None:
    """Without a bucket policy for it, another account's root has no way in, whatever it asks."""
    root, bucket = aws.client("s3"), aws.bucket()
    root.put_object(Bucket=bucket, Key="k", Body=b"hidden")
    stranger = aws.client("s3", aws.server.root_credentials(STRANGER))
    assert refusal(stranger.get_object, Bucket=bucket, Key="k")[2] == 403
    assert refusal(stranger.put_object, Bucket=bucket, Key="k", Body=b"")[2] == 403
    assert refusal(stranger.delete_bucket, Bucket=bucket)[2] == 403
    assert refusal(stranger.get_bucket_policy, Bucket=bucket)[2] == 403
    assert refusal(stranger.put_bucket_acl, Bucket=bucket, ACL="public-read")[2] == 403
    answer = stranger.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
    assert [item["Code"] for item in answer["Errors"]] == ["AccessDenied"]
    own = f"{bucket}-theirs"
    stranger.create_bucket(Bucket=own)
    assert refusal(stranger.copy_object, Bucket=own, Key="k", CopySource=f"{bucket}/k")[2] == 403
    root.head_object(Bucket=bucket, Key="k")


def test_versioning_stays_where_objects_are_locked(aws: Aws) -> None:
    """Suspended, it would let a put write over a locked null version."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="locked-for-good", ObjectLockEnabledForBucket=True)
    wanted = {"Bucket": "locked-for-good", "VersioningConfiguration": {"Status": "Suspended"}}
    assert refusal(s3.put_bucket_versioning, **wanted)[0::2] == ("InvalidBucketState", 409)
    s3.put_bucket_versioning(**{**wanted, "VersioningConfiguration": {"Status": "Enabled"}})
