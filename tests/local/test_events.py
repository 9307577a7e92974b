"""Every call as an event: in CloudTrail's shape, at once, and without a secret in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from botocore.exceptions import ClientError
from gate_errors import fetch

from gate_clients import Aws, allow, document
from keyhole.local.event_file import EventFile, parse_event
from keyhole.local.mode import Mode
from keyhole.local.root_keys import Credentials
from keyhole.local.server import LocalAws
from keyhole.local.state import events_path

Read = Callable[[], list[dict[str, Any]]]
SECRET = "s" * 40


@pytest.fixture
def news(aws: Aws) -> Iterator[Read]:
    """Gives the events since it was last asked; there is nothing to wait for."""
    file = EventFile(events_path(aws.server.port), at_end=True)
    yield lambda: [event for line in file.read_lines() if (event := parse_event(line))]
    file.close()


def only(news: Read) -> dict[str, Any]:
    (event,) = news()
    return event


def test_an_allowed_call(aws: Aws, news: Read) -> None:
    """Who, what, on what, under which conditions, and which statement allowed it."""
    bucket = aws.bucket()
    user = aws.user(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))
    news()
    answer = aws.client("s3", user).put_object(Bucket=bucket, Key="up/a.png", Body=b"1", StorageClass="STANDARD_IA")
    event = only(news)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("eventTime"))
    assert re.fullmatch(r"[0-9a-f-]{36}", event.pop("eventID"))
    assert event.pop("requestID") == answer["ResponseMetadata"]["RequestId"]
    assert event.pop("userAgent").startswith("Boto3/")
    own = event.pop("keyhole")
    identity, parameters = event.pop("userIdentity"), event.pop("requestParameters")
    assert event == {
        "eventVersion": "1.11",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutObject",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
        "responseElements": None,
        "additionalEventData": {"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"},
        "readOnly": False,
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/up/a.png"},
            {"accountId": "123456789012", "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
        ],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": "123456789012",
        "eventCategory": "Data",
    }
    assert (identity["type"], identity["accessKeyId"]) == ("IAMUser", user.access_key_id)
    assert identity["principalId"].startswith("AIDA")
    assert identity["arn"] == f"arn:aws:iam::123456789012:user/{identity['userName']}"
    host = f"127.0.0.1:{aws.server.port}"
    assert parameters["Host"] == host
    assert (parameters["bucketName"], parameters["key"]) == (bucket, "up/a.png")
    assert parameters["x-amz-storage-class"] == "STANDARD_IA"
    assert (own["mode"], own["status"], own["host"]) == ("strict", 200, host)
    assert own["context"]["s3:x-amz-storage-class"] == "STANDARD_IA"
    assert own["context"]["aws:username"] == identity["userName"]
    (decision,) = own["decisions"]
    assert decision.pop("reason").endswith("allows it")
    assert decision == {"action": "s3:PutObject", "resource": f"arn:aws:s3:::{bucket}/up/a.png", "allowed": True}


def test_a_denied_call(aws: Aws, news: Read) -> None:
    """The error as the client got it, and why."""
    user = aws.user()
    news()
    with pytest.raises(ClientError) as raised:
        aws.client("iam", user).get_role(RoleName="nobody")
    event = only(news)
    assert (event["errorCode"], event["errorMessage"]) == ("AccessDenied", raised.value.response["Error"]["Message"])
    assert (event["eventName"], event["readOnly"], event["eventCategory"]) == ("GetRole", True, "Management")
    assert event["requestParameters"] == {"roleName": "nobody"}
    arn = "arn:aws:iam::123456789012:role/nobody"
    assert event["resources"] == [{"ARN": arn, "accountId": "123456789012", "type": "AWS::IAM::Role"}]
    reason = "no identity-based policy allows the `iam:GetRole` action"
    expected = {"action": "iam:GetRole", "resource": arn, "allowed": False, "reason": reason}
    assert (event["keyhole"]["status"], event["keyhole"]["decisions"]) == (403, [expected])


def test_a_caller_who_is_not_believed(aws: Aws, news: Read) -> None:
    """Nothing was decided; what the request wanted, and which key it claimed, is said all the same."""
    bucket = aws.bucket()
    news()
    forged = Credentials("AKIAFORGEDFORGEDFORG", SECRET)
    with pytest.raises(ClientError):
        aws.client("s3", forged).get_object(Bucket=bucket, Key="a b.png")
    event = only(news)
    assert event["userIdentity"] == {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    assert (event["eventName"], event["errorCode"]) == ("GetObject", "InvalidAccessKeyId")
    named = {"bucketName": bucket, "key": "a b.png", "Host": f"127.0.0.1:{aws.server.port}"}
    assert event["requestParameters"] == named
    assert event["keyhole"]["claimedAccessKeyId"] == "AKIAFORGEDFORGEDFORG"
    assert event["keyhole"]["decisions"] == []


def test_a_caller_without_a_signature(aws: Aws, news: Read) -> None:
    """Anonymous callers are asked about as any other, and are nobody."""
    bucket = aws.bucket()
    news()
    with pytest.raises(ClientError):
        aws.client("s3", anonymous=True).get_object(Bucket=bucket, Key="a")
    event = only(news)
    assert event["userIdentity"]["accountId"] == "ANONYMOUS_PRINCIPAL"
    assert event["recipientAccountId"] == "123456789012"
    assert "additionalEventData" not in event
    assert [decision["action"] for decision in event["keyhole"]["decisions"]] == ["s3:GetObject"]


def test_a_request_that_is_no_call(aws: Aws, news: Read) -> None:
    """It has no name and no parameters, and is there."""
    assert fetch(f"{aws.url}/%ff/%fe")[0] == 400
    event = only(news)
    assert (event["eventName"], event["requestParameters"], event["errorCode"]) == ("", None, "InvalidURI")


def test_a_session_says_whose_it_is(aws: Aws, news: Read) -> None:
    """A role's session has its issuer, and its own ARN."""
    root = "arn:aws:iam::123456789012:root"
    trust = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
    role = aws.client("iam").create_role(RoleName="web", AssumeRolePolicyDocument=document(trust))["Role"]
    user = aws.user(allow("sts:AssumeRole", role["Arn"]))
    keys = aws.client("sts", user).assume_role(RoleArn=role["Arn"], RoleSessionName="it")["Credentials"]
    session = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    news()
    aws.client("sts", session).get_caller_identity()
    identity = only(news)["userIdentity"]
    assert (identity["type"], identity["arn"]) == ("AssumedRole", "arn:aws:sts::123456789012:assumed-role/web/it")
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert (issuer["arn"], issuer["userName"], issuer["principalId"]) == (role["Arn"], "web", role["RoleId"])


def test_many_questions_share_their_conditions(aws: Aws, news: Read) -> None:
    """Of a thousand keys each has its own decision, and the condition keys stand there once."""
    bucket = aws.bucket()
    news()
    objects = [{"Key": f"k{number}"} for number in range(500)] + [{"Key": "old", "VersionId": "null"}]
    aws.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": objects})
    event = only(news)
    decisions = event["keyhole"]["decisions"]
    assert len(decisions) == 501
    assert event["keyhole"]["context"]["aws:userid"] == "123456789012"
    assert {tuple(decision.get("context", {})) for decision in decisions[:500]} == {()}
    assert decisions[500]["context"] == {"s3:versionid": "null"}
    assert len(json.dumps(event)) < 200_000


def test_soft_records_what_it_lets_through() -> None:
    """Denied and done: the event says both."""
    with LocalAws(port=0, mode=Mode.SOFT) as local:
        soft = Aws(local)
        file = EventFile(events_path(local.port), at_end=True)
        soft.client("s3", soft.user()).create_bucket(Bucket="soft-bucket")
        event = parse_event(file.read_lines()[-1])
        file.close()
    assert event
    assert (event["keyhole"]["mode"], event["keyhole"]["status"], "errorCode" in event) == ("soft", 200, False)
    assert event["keyhole"]["decisions"][0]["allowed"] is False


def test_no_secret_is_in_the_file(aws: Aws, news: Read) -> None:
    """After calls with every kind of secret, none of them is in any event, nor in the file's mode for others."""
    bucket = aws.bucket()
    user = aws.user(allow("s3:*", "*"), allow("sts:*", "*"))
    s3 = aws.client("s3", user)
    token = aws.client("sts", user).get_session_token()["Credentials"]
    session = Credentials(token["AccessKeyId"], token["SecretAccessKey"], token["SessionToken"])
    aws.client("s3", session).list_buckets()
    key = hashlib.sha256(b"customer key").digest()
    customer = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
    s3.put_object(Bucket=bucket, Key="sse", Body=b"1", **customer)
    s3.get_object(Bucket=bucket, Key="sse", **customer)
    copied = {f"CopySource{name}": value for name, value in customer.items()}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/sse", **customer, **copied)
    signed = [
        aws.client("s3", who, signature_version=version).generate_presigned_url(
            "get_object", {"Bucket": bucket, "Key": "k"}
        )
        for who in (user, session)
        for version in ("s3", "s3v4")
    ]
    for url in signed:
        fetch(url)
        fetch(url.replace("ignature=", "ignature=0"))
        fetch(f"{aws.url}/{bucket}/k", referer=url)
    jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzdWJqZWN0In0.c2lnbmF0dXJl"
    with pytest.raises(ClientError):
        aws.client("sts", anonymous=True).assume_role_with_web_identity(
            RoleArn="arn:aws:iam::123456789012:role/web", RoleSessionName="session", WebIdentityToken=jwt
        )
    aws.client("iam").create_user(UserName="person")
    with pytest.raises(ClientError):
        aws.client("iam", user).create_login_profile(UserName="person", Password="Correct-Horse-9")
    with pytest.raises(ClientError):
        aws.client("s3", Credentials(SECRET, SECRET)).list_buckets()
    recorded = news()
    assert len(recorded) > 15
    path = events_path(aws.server.port)
    text = path.read_text("utf-8")
    secrets = [
        *(user.secret_access_key, aws.root.secret_access_key, session.secret_access_key, session.session_token),
        *(base64.b64encode(key).decode(), jwt, jwt.split(".")[1], "Correct-Horse-9", SECRET),
        *(value for url in signed for name, value in parse_qsl(urlsplit(url).query) if name.endswith("ignature")),
    ]
    assert len(secrets) == 13
    assert [secret for secret in secrets if secret in text or quote(secret, safe="") in text] == []
    assert path.stat().st_mode & 0o777 == 0o600
    referred = [one for one in recorded if "aws:referer" in one["keyhole"]["context"]]
    assert all("ignature=HIDDEN" in one["keyhole"]["context"]["aws:referer"] for one in referred)
    assert len(referred) == len(signed)


def test_a_beginning_does_not_follow_links(aws: Aws) -> None:
    """Whatever lay in the file's place is removed, not written to."""
    with LocalAws(port=0) as first:
        path, port = events_path(first.port), first.port
    target = path.with_name("elsewhere")
    target.write_text("mine")
    path.unlink()
    path.symlink_to(target)
    with LocalAws(port=port) as again:
        fetch(again.url)
        assert path.is_symlink() is False
        assert path.read_text("utf-8").count("\n") == 1
    assert target.read_text() == "mine"
