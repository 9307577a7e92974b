"""Block Public Access of a whole account, through S3's control API."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from gate_errors import fetch, refusal
from gate_wire import ask, send, sign

from gate_clients import Aws, allow, document
from keyhole.local.root_keys import Credentials

ACCOUNT = "123456789012"
PATH = "/v20180820/configuration/publicAccessBlock"
ALL = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


def _control(aws: Aws, who: Credentials | None = None) -> Any:
    """A client that does not look for the account's number in the name of this machine."""
    client = aws.client("s3control", who)

    def find_server(request: Any, **_: Any) -> None:
        request.url = urlunsplit(urlsplit(request.url)._replace(netloc=f"127.0.0.1:{aws.server.port}"))

    client.meta.events.register("before-sign.s3-control.*", find_server)
    return client


def _put(aws: Aws, **block: bool) -> None:
    _control(aws).put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)


def test_an_account_has_no_block_until_it_is_put(aws: Aws) -> None:
    """It reads as it was put, is gone when it is deleted, and another account's is out of reach."""
    control = _control(aws)
    code, _, status = refusal(control.get_public_access_block, AccountId=ACCOUNT)
    assert (code, status) == ("NoSuchPublicAccessBlockConfiguration", 404)
    _put(aws, **ALL)
    assert control.get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"] == ALL
    other = _control(aws, aws.server.root_credentials("999988887777"))
    assert refusal(other.get_public_access_block, AccountId="999988887777")[2] == 404
    assert refusal(other.get_public_access_block, AccountId=ACCOUNT)[0] == "AccessDenied"
    assert refusal(other.delete_public_access_block, AccountId=ACCOUNT)[0] == "AccessDenied"
    control.delete_public_access_block(AccountId=ACCOUNT)
    assert refusal(control.get_public_access_block, AccountId=ACCOUNT)[2] == 404


def test_it_is_forgotten_at_a_reset(aws: Aws) -> None:
    """An account begins without a block."""
    _put(aws, **ALL)
    aws.server.reset()
    assert refusal(_control(aws).get_public_access_block, AccountId=ACCOUNT)[2] == 404


def test_the_account_restricts_what_its_bucket_would_let_in(aws: Aws) -> None:
    """Each of the four counts for a bucket that has none of its own."""
    s3, name = aws.client("s3"), f"{aws.bucket()}-acl"
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket=name)
    s3.put_object(Bucket=name, Key="a", Body=b"1", ACL="public-read")
    assert fetch(f"{aws.url}/{name}/a")[0] == 200
    _put(aws, IgnorePublicAcls=True)
    assert fetch(f"{aws.url}/{name}/a")[0] == 403
    _put(aws, BlockPublicAcls=True)
    assert fetch(f"{aws.url}/{name}/a")[0] == 200
    assert refusal(s3.put_object, Bucket=name, Key="b", Body=b"", ACL="public-read")[0] == "AccessDenied"
    policy = document(allow("s3:ListBucket", f"arn:aws:s3:::{name}", Principal="*"))
    _put(aws, BlockPublicPolicy=True)
    assert "BlockPublicPolicy" in refusal(s3.put_bucket_policy, Bucket=name, Policy=policy)[1]
    _put(aws)
    s3.put_bucket_policy(Bucket=name, Policy=policy)
    assert fetch(f"{aws.url}/{name}")[0] == 200
    _put(aws, RestrictPublicBuckets=True)
    assert fetch(f"{aws.url}/{name}")[0] == 403
    # The bucket's own settings are not the account's.
    assert refusal(s3.get_public_access_block, Bucket=name)[0] == "NoSuchPublicAccessBlockConfiguration"


def test_only_who_may_changes_it(aws: Aws) -> None:
    """Reading and changing have their own actions, and nobody does either unsigned."""
    reader = aws.user(allow("s3:GetAccountPublicAccessBlock", "*"))
    assert refusal(_control(aws, reader).get_public_access_block, AccountId=ACCOUNT)[2] == 404
    code, message, _ = refusal(_control(aws, reader).delete_public_access_block, AccountId=ACCOUNT)
    assert code == "AccessDenied"
    assert "s3:PutAccountPublicAccessBlock" in message
    assert send(aws, "GET", PATH, headers={"x-amz-account-id": ACCOUNT})[0] == 403
    assert send(aws, "DELETE", PATH, headers={"x-amz-account-id": ACCOUNT})[0] == 403


def test_the_account_is_part_of_what_is_signed(aws: Aws) -> None:
    """A request whose account is not signed, or is another in the host name, is refused."""
    headers = sign(aws, "GET", PATH, x_amz_account_id=ACCOUNT, unsigned=("x-amz-account-id",))
    assert send(aws, "GET", PATH, headers=headers)[0] == 403
    status, body = ask(aws, "GET", PATH, x_amz_account_id=ACCOUNT, host=f"999988887777.localhost:{aws.server.port}")
    assert (status, b"InvalidRequest" in body) == (400, True)
    status, body = ask(aws, "GET", PATH, x_amz_account_id=ACCOUNT, host=f"{ACCOUNT}.localhost:{aws.server.port}")
    assert (status, b"<ErrorResponse><Error><Code>NoSuchPublic" in body) == (404, True)


@pytest.mark.parametrize("body", [b"", b"<x", b"<a><BlockPublicAcls>maybe</BlockPublicAcls></a>"])
def test_a_block_that_is_none(aws: Aws, body: bytes) -> None:
    """What is no configuration is MalformedXML."""
    status, answer = ask(aws, "PUT", PATH, body, x_amz_account_id=ACCOUNT)
    assert (status, b"MalformedXML" in answer) == (400, True)


def test_a_bucket_of_that_name_is_still_a_bucket(aws: Aws) -> None:
    """Without the header the path is that of an object; what else the control API has answers 501."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="v20180820")
    s3.put_object(Bucket="v20180820", Key="configuration/publicAccessBlock", Body=b"mine")
    assert ask(aws, "GET", PATH) == (200, b"mine")
    assert ask(aws, "GET", "/v20180820/accesspoint", x_amz_account_id=ACCOUNT)[0] == 501
