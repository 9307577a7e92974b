"""ACLs where they are enabled, and where they are not."""

from __future__ import annotations

from typing import Any

import pytest
from gate_errors import fetch, refusal

from gate_clients import Aws, allow, document
from keyhole.local.acl_requests import ALL_USERS, AUTHENTICATED_USERS
from keyhole.local.canonical_ids import canonical_id

OWNER, STRANGER = "123456789012", "999988887777"


def _bucket(aws: Aws, ownership: str = "ObjectWriter", *, is_open: bool = True) -> str:
    """A bucket of the default account that takes ACLs, public ones too where it is open."""
    name = f"{aws.bucket()}-acl"
    aws.client("s3").create_bucket(Bucket=name, ObjectOwnership=ownership)
    if is_open:
        aws.client("s3").delete_public_access_block(Bucket=name)
    return name


def _stranger(aws: Aws) -> Any:
    return aws.client("s3", aws.server.root_credentials(STRANGER))


def _grants(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["Grantee"].get("ID") or item["Grantee"]["URI"], item["Permission"]) for item in answer["Grants"]]


def test_a_public_read_object_is_open_and_its_neighbours_are_not(aws: Aws) -> None:
    """The object's ACL opens that object for reading, to nobody and to strangers; it opens nothing else."""
    s3, bucket = aws.client("s3"), _bucket(aws)
    s3.put_object(Bucket=bucket, Key="open", Body=b"1", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="shut", Body=b"2")
    base = f"{aws.url}/{bucket}"
    assert fetch(f"{base}/open")[:2] == (200, b"1")
    assert fetch(f"{base}/shut")[0] == 403
    assert fetch(f"{base}/open?acl")[0] == 403
    assert fetch(base)[0] == 403
    assert fetch(f"{base}/open", "PUT", b"3")[0] == 403
    assert fetch(f"{base}/open", "DELETE")[0] == 403
    assert _stranger(aws).get_object(Bucket=bucket, Key="open")["Body"].read() == b"1"
    assert refusal(_stranger(aws).get_object, Bucket=bucket, Key="shut")[:2] == ("AccessDenied", "Access Denied")


def test_authenticated_read_needs_a_signature(aws: Aws) -> None:
    """AuthenticatedUsers are those of any account who sign."""
    s3, bucket = aws.client("s3"), _bucket(aws)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", ACL="authenticated-read")
    assert fetch(f"{aws.url}/{bucket}/a")[0] == 403
    assert _stranger(aws).get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    assert _grants(s3.get_object_acl(Bucket=bucket, Key="a")) == [
        (canonical_id(OWNER), "FULL_CONTROL"),
        (AUTHENTICATED_USERS, "READ"),
    ]


def test_a_buckets_acl_lists_and_takes_objects(aws: Aws) -> None:
    """READ lists, WRITE creates; what the stranger creates is the stranger's, whom the owner cannot even read."""
    s3, stranger, bucket = aws.client("s3"), _stranger(aws), _bucket(aws)
    s3.put_object(Bucket=bucket, Key="mine", Body=b"1")
    assert refusal(stranger.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"
    grantee = f'id="{canonical_id(STRANGER)}"'
    s3.put_bucket_acl(Bucket=bucket, GrantRead=grantee, GrantWrite=grantee)
    assert stranger.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    stranger.put_object(Bucket=bucket, Key="theirs", Body=b"2")
    assert stranger.get_object(Bucket=bucket, Key="theirs")["Body"].read() == b"2"
    assert refusal(s3.get_object, Bucket=bucket, Key="theirs")[0] == "AccessDenied"
    listed = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]
    assert [item["Owner"]["ID"] for item in listed] == [canonical_id(OWNER), canonical_id(STRANGER)]
    # Neither overwrites what is another's; the bucket's owner can delete anything, the stranger its own.
    assert refusal(stranger.put_object, Bucket=bucket, Key="mine", Body=b"3")[0] == "AccessDenied"
    assert refusal(stranger.delete_object, Bucket=bucket, Key="mine")[0] == "AccessDenied"
    assert refusal(stranger.get_bucket_acl, Bucket=bucket)[0] == "AccessDenied"
    s3.delete_object(Bucket=bucket, Key="theirs")
    stranger.put_object(Bucket=bucket, Key="theirs", Body=b"2")
    stranger.delete_object(Bucket=bucket, Key="theirs")


def test_the_bucket_policy_cannot_give_away_what_the_writer_owns(aws: Aws) -> None:
    """An Allow of the bucket's owner does not reach a stranger's object, a Deny does."""
    s3, stranger, bucket = aws.client("s3"), _stranger(aws), _bucket(aws)
    s3.put_bucket_acl(Bucket=bucket, GrantWrite=f"id={canonical_id(STRANGER)}")
    stranger.put_object(Bucket=bucket, Key="theirs", Body=b"2")
    objects = f"arn:aws:s3:::{bucket}/*"
    s3.put_bucket_policy(Bucket=bucket, Policy=document(allow("s3:GetObject", objects, Principal="*")))
    assert fetch(f"{aws.url}/{bucket}/theirs")[0] == 403
    stranger.put_object_acl(Bucket=bucket, Key="theirs", ACL="bucket-owner-full-control")
    assert s3.get_object(Bucket=bucket, Key="theirs")["Body"].read() == b"2"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": objects}
    s3.put_bucket_policy(Bucket=bucket, Policy=document(deny))
    assert refusal(stranger.get_object, Bucket=bucket, Key="theirs")[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("ownership", "acl", "owner"),
    [
        ("ObjectWriter", "bucket-owner-full-control", STRANGER),
        ("BucketOwnerPreferred", "bucket-owner-full-control", OWNER),
        ("BucketOwnerPreferred", "private", STRANGER),
        ("BucketOwnerEnforced", "bucket-owner-full-control", OWNER),
    ],
)
def test_whose_an_object_is(aws: Aws, ownership: str, acl: str, owner: str) -> None:
    """The writer's, unless the bucket prefers its owner and the writer agrees, or enforces it."""
    s3, bucket = aws.client("s3"), _bucket(aws, ownership)
    policy = document(
        allow(
            ["s3:PutObject", "s3:PutObjectAcl"],
            f"arn:aws:s3:::{bucket}/*",
            Principal={"AWS": f"arn:aws:iam::{STRANGER}:root"},
        )
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    stranger = _stranger(aws)
    stranger.put_object(Bucket=bucket, Key="put", Body=b"1", ACL=acl)
    upload = stranger.create_multipart_upload(Bucket=bucket, Key="parts", ACL=acl)["UploadId"]
    part = stranger.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    stranger.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    listed = s3.list_objects(Bucket=bucket)["Contents"]
    assert [item["Owner"]["ID"] for item in listed] == [canonical_id(owner)] * 2
    may_read = owner == OWNER or acl == "bucket-owner-full-control"
    if may_read:
        assert s3.get_object_acl(Bucket=bucket, Key="put")["Owner"]["ID"] == canonical_id(owner)
    else:
        assert refusal(s3.get_object_acl, Bucket=bucket, Key="put")[0] == "AccessDenied"


def test_an_acl_document_is_kept_and_counts(aws: Aws) -> None:
    """What GetObjectAcl gives can be put again with a grant more; WRITE_ACP lets the grantee change it."""
    s3, stranger, bucket = aws.client("s3"), _stranger(aws), _bucket(aws)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    present = s3.get_object_acl(Bucket=bucket, Key="a")
    assert _grants(present) == [(canonical_id(OWNER), "FULL_CONTROL")]
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": canonical_id(STRANGER)}, "Permission": "WRITE_ACP"}
    policy = {"Owner": present["Owner"], "Grants": [*present["Grants"], grant]}
    s3.put_object_acl(Bucket=bucket, Key="a", AccessControlPolicy=policy)
    assert refusal(stranger.get_object, Bucket=bucket, Key="a")[0] == "AccessDenied"
    everyone = {"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ"}
    policy["Grants"] += [everyone]
    stranger.put_object_acl(Bucket=bucket, Key="a", AccessControlPolicy=policy)
    assert fetch(f"{aws.url}/{bucket}/a")[0] == 200
    assert len(s3.get_object_acl(Bucket=bucket, Key="a")["Grants"]) == 3


def test_ignored_public_acls_open_nothing(aws: Aws) -> None:
    """IgnorePublicAcls takes the effect of a public ACL and keeps its text; BlockPublicAcls refuses a new one."""
    s3, bucket = aws.client("s3"), _bucket(aws)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", ACL="public-read")
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert [fetch(f"{aws.url}/{bucket}{path}")[0] for path in ("/a", "")] == [200, 200]
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert [fetch(f"{aws.url}/{bucket}{path}")[0] for path in ("/a", "")] == [403, 403]
    assert (ALL_USERS, "READ") in _grants(s3.get_bucket_acl(Bucket=bucket))
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert fetch(f"{aws.url}/{bucket}/a")[0] == 200
    code, message, status = refusal(s3.put_object, Bucket=bucket, Key="b", Body=b"", ACL="public-read")
    assert (code, status) == ("AccessDenied", 403)
    assert "blocked by the BlockPublicAcls block public access setting" in message
    assert refusal(s3.put_bucket_acl, Bucket=bucket, GrantRead=f"uri={ALL_USERS}")[0] == "AccessDenied"
    assert refusal(s3.put_object_acl, Bucket=bucket, Key="a", ACL="authenticated-read")[0] == "AccessDenied"


def test_acls_that_are_disabled_show_the_owner_and_take_nothing(aws: Aws) -> None:
    """With BucketOwnerEnforced ACLs read as the owner's, and setting one is not supported."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", ACL="bucket-owner-full-control")
    full = [(canonical_id(OWNER), "FULL_CONTROL")]
    assert _grants(s3.get_bucket_acl(Bucket=bucket)) == _grants(s3.get_object_acl(Bucket=bucket, Key="a")) == full
    for call, more in ((s3.put_bucket_acl, {}), (s3.put_object_acl, {"Key": "a"})):
        code, message, status = refusal(call, Bucket=bucket, ACL="private", **more)
        assert (code, message, status) == ("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)


def test_acls_are_disabled_only_once_nobody_has_anything_of_them(aws: Aws) -> None:
    """A bucket's ACL that grants something to others stands against BucketOwnerEnforced; objects' ACLs do not."""
    s3, bucket = aws.client("s3"), _bucket(aws)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", ACL="public-read")
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    code = refusal(s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=enforced)[0]
    assert code == "InvalidBucketAclWithObjectOwnership"
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=enforced)
    assert fetch(f"{aws.url}/{bucket}/a")[0] == 403
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    assert fetch(f"{aws.url}/{bucket}/a")[0] == 200


def test_new_buckets_take_few_acls(aws: Aws) -> None:
    """ACLs are off in a new bucket, and where they are on, public ones are blocked."""
    s3, name = aws.client("s3"), f"{aws.bucket()}-new"
    assert refusal(s3.create_bucket, Bucket=name, ACL="public-read")[0] == "InvalidBucketAclWithObjectOwnership"
    code = refusal(s3.create_bucket, Bucket=name, ACL="public-read", ObjectOwnership="ObjectWriter")[0]
    assert code == "InvalidBucketAclWithBlockPublicAccessError"
    assert refusal(s3.create_bucket, Bucket=name, ObjectOwnership="Nobody")[0] == "InvalidArgument"
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter", GrantRead=f"id={canonical_id(STRANGER)}")
    assert _stranger(aws).list_objects_v2(Bucket=name)["KeyCount"] == 0
    assert s3.list_buckets()["Owner"] == {"ID": canonical_id(OWNER)}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"ACL": "public-read", "GrantRead": f"uri={ALL_USERS}"}, "InvalidRequest"),
        ({"ACL": "everyone"}, "InvalidArgument"),
        ({"GrantRead": "id=12345"}, "InvalidArgument"),
        ({"GrantRead": "uri=http://example.com/"}, "InvalidArgument"),
        ({"GrantRead": "somebody"}, "InvalidArgument"),
        ({"GrantRead": "emailAddress=a@example.com"}, "UnresolvableGrantByEmailAddress"),
        ({"AccessControlPolicy": {"Grants": []}}, "MalformedACLError"),
        ({"AccessControlPolicy": {"Owner": {"ID": canonical_id(STRANGER)}, "Grants": []}}, "AccessDenied"),
        ({}, "MissingSecurityHeader"),
    ],
)
def test_acls_that_are_none(aws: Aws, given: dict[str, Any], code: str) -> None:
    """An ACL that names two, nobody, or what does not exist is refused, and the present one stays."""
    s3, bucket = aws.client("s3"), _bucket(aws)
    assert refusal(s3.put_bucket_acl, Bucket=bucket, **given)[0] == code
    assert _grants(s3.get_bucket_acl(Bucket=bucket)) == [(canonical_id(OWNER), "FULL_CONTROL")]


def test_what_nobody_wrote_belongs_to_nobody(aws: Aws) -> None:
    """In a bucket that is open for writing, an anonymous object is anonymous's: others can only delete it."""
    s3, bucket = aws.client("s3"), _bucket(aws)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    assert fetch(f"{aws.url}/{bucket}/a", "PUT", b"1")[0] == 200
    assert fetch(f"{aws.url}/{bucket}/a")[:2] == (200, b"1")
    assert refusal(s3.get_object, Bucket=bucket, Key="a")[0] == "AccessDenied"
    assert refusal(_stranger(aws).get_object, Bucket=bucket, Key="a")[0] == "AccessDenied"
    s3.delete_object(Bucket=bucket, Key="a")


def test_keys_with_signs_of_patterns_are_letters_in_an_acl(aws: Aws) -> None:
    """The ACL of an object whose key has a star opens no other object."""
    s3, bucket = aws.client("s3"), _bucket(aws)
    s3.put_object(Bucket=bucket, Key="a*", Body=b"1", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="ab", Body=b"2")
    assert fetch(f"{aws.url}/{bucket}/a*")[:2] == (200, b"1")
    assert fetch(f"{aws.url}/{bucket}/ab")[0] == 403
