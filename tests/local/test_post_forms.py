"""Browser uploads: what a form may bring, by whom it is signed, and how it is answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from form_posts import BOUNDARY, encode, key_only, post, stored
from gate_errors import fetch, refusal

from gate_clients import Aws, allow, document
from keyhole.local.root_keys import Credentials


def test_a_presigned_post_of_boto3_works(aws: Aws) -> None:
    """What generate_presigned_post gives is sent by another HTTP client, and the object is there as it says."""
    bucket, s3 = aws.bucket(), aws.client("s3", signature_version="s3v4")
    fields = {"Content-Type": "image/png", "x-amz-meta-who": "ann", "Cache-Control": "no-store"}
    conditions: list[Any] = [{name: value} for name, value in fields.items()] + [["content-length-range", 1, 100]]
    form = s3.generate_presigned_post(bucket, "up/${filename}", Fields=fields, Conditions=conditions)
    answer = httpx.post(form["url"], data=form["fields"], files={"file": ("a b.png", b"12345")}, timeout=10)
    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["etag"] == f'"{hashlib.md5(b"12345").hexdigest()}"'
    assert answer.headers["location"].endswith(f"/{bucket}/up/a%20b.png")
    found = s3.get_object(Bucket=bucket, Key="up/a b.png")
    assert found["Body"].read() == b"12345"
    assert (found["ContentType"], found["CacheControl"], found["Metadata"]) == ("image/png", "no-store", {"who": "ann"})


def test_a_presigned_post_of_version_2_works(aws: Aws) -> None:
    """boto3's older signature, which it still makes by default in us-east-1."""
    bucket = aws.bucket()
    form = aws.client("s3").generate_presigned_post(bucket, "k")
    assert "AWSAccessKeyId" in form["fields"]
    assert post(form["url"], form["fields"])[0] == 204
    form["fields"]["signature"] = base64.b64encode(hmac.digest(b"x", b"y", "sha1")).decode()
    assert "SignatureDoesNotMatch" in post(form["url"], form["fields"])[1]


def test_curl_sends_a_form(aws: Aws, tmp_path: Path) -> None:
    """`curl -F` does what a browser does, with a file that is streamed."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl")
    bucket = aws.bucket()
    form = aws.client("s3", signature_version="s3v4").generate_presigned_post(bucket, "big")
    source = tmp_path / "source"
    source.write_bytes(b"0123456789abcdef" * 200_000)
    command = [curl, "-s", "-o", str(tmp_path / "answer"), "-w", "%{http_code}"]
    for name, value in form["fields"].items():
        command += ["-F", f"{name}={value}"]
    done = subprocess.run([*command, "-F", f"file=@{source}", form["url"]], capture_output=True, text=True, check=True)
    assert done.stdout == "204"
    assert aws.client("s3").get_object(Bucket=bucket, Key="big")["Body"].read() == source.read_bytes()


def test_a_bucket_in_the_host_name_takes_forms(aws: Aws) -> None:
    """A virtual-hosted form is posted to `/`, and its object's address has the bucket in its host."""
    bucket = aws.bucket()
    host = f"{bucket}.s3.us-east-1.amazonaws.com"
    fields = key_only(aws, bucket, ["eq", "$success_action_status", "201"], fields={"success_action_status": "201"})
    status, body, _ = post(f"{aws.url}/", fields, headers={"Host": host})
    assert status == 201
    assert f"<Location>http://{host}/k</Location>" in body
    assert stored(aws, bucket) == ["k"]


@pytest.mark.parametrize(("wanted", "status"), [("200", 200), ("204", 204), ("418", 204), ("", 204)])
def test_the_form_chooses_the_status(aws: Aws, wanted: str, status: int) -> None:
    """200 and 204 without a body; what is no such status is 204."""
    bucket = aws.bucket()
    condition = ["starts-with", "$success_action_status", ""]
    fields = key_only(aws, bucket, condition, fields={"success_action_status": wanted})
    assert post(f"{aws.url}/{bucket}", fields)[:2] == (status, "")


def test_a_created_object_is_described(aws: Aws) -> None:
    """Status 201 has a PostResponse document."""
    bucket = aws.bucket()
    fields = key_only(
        aws, bucket, {"success_action_status": "201"}, fields={"key": "<&>", "success_action_status": "201"}
    )
    status, body, headers = post(f"{aws.url}/{bucket}", fields)
    assert (status, headers["content-type"]) == (201, "application/xml")
    etag = hashlib.md5(b"data").hexdigest()
    assert f'<Bucket>{bucket}</Bucket><Key>&lt;&amp;&gt;</Key><ETag>"{etag}"</ETag></PostResponse>' in body


def test_a_form_can_send_the_browser_elsewhere(aws: Aws) -> None:
    """success_action_redirect gets bucket, key and ETag; what is no URL is ignored."""
    bucket = aws.bucket()
    answers = []
    for url in ("http://127.0.0.1:1/done?a=1", "javascript:alert(1)", "nowhere", "http://x/\r\nSet-Cookie: a=b"):
        condition = ["starts-with", "$success_action_redirect", ""]
        fields = key_only(aws, bucket, condition, fields={"success_action_redirect": url})
        answer = httpx.post(f"{aws.url}/{bucket}", data=fields, files={"file": b"data"}, follow_redirects=False)
        answers.append((answer.status_code, answer.headers["location"], "set-cookie" in answer.headers))
    etag = hashlib.md5(b"data").hexdigest()
    assert answers[0][:2] == (303, f"http://127.0.0.1:1/done?a=1&bucket={bucket}&key=k&etag=%22{etag}%22")
    assert [status for status, _, _ in answers[1:]] == [204, 204, 204]
    assert not any(cookie for _, _, cookie in answers)


def test_fields_after_the_file_are_ignored(aws: Aws) -> None:
    """And so are those whose name says it; names are the same in any case."""
    bucket = aws.bucket()
    fields = key_only(aws, bucket, fields={"X-Ignore-Me": "1"})
    fields["KEY"] = fields.pop("key")
    assert post(f"{aws.url}/{bucket}", fields, after=[("acl", "public-read"), ("key", "other")])[0] == 204
    assert stored(aws, bucket) == ["k"]


@pytest.mark.parametrize(("name", "key"), [("C:\\pictures\\a.png", "a.png"), ("/pictures/b.png", "b.png"), ("", "")])
def test_only_the_last_part_of_the_file_name_counts(aws: Aws, name: str, key: str) -> None:
    """${filename} is the name without the folders that some browsers tell."""
    bucket = aws.bucket()
    assert post(f"{aws.url}/{bucket}", key_only(aws, bucket, fields={"key": "u/${filename}"}), name=name)[0] == 204
    assert stored(aws, bucket) == [f"u/{key}"]


def test_a_form_is_authorized_like_a_put(aws: Aws) -> None:
    """It needs what its signer may do: PutObject, and PutObjectTagging for tags."""
    bucket = aws.bucket()
    tags = "<Tagging><TagSet><Tag><Key>team</Key><Value>a b</Value></Tag></TagSet></Tagging>"
    writer = aws.user(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/k"))
    url = f"{aws.url}/{bucket}"
    assert post(url, key_only(aws, bucket, who=writer))[0] == 204
    status, body, _ = post(url, key_only(aws, bucket, who=aws.user()))
    assert (status, "not authorized to perform: s3:PutObject on resource" in body) == (403, True)
    fields = {"tagging": tags}
    tagged = key_only(aws, bucket, ["starts-with", "$tagging", ""], who=writer, fields=fields)
    status, body, _ = post(url, tagged)
    assert (status, "s3:PutObjectTagging" in body) == (403, True)
    tagged = key_only(aws, bucket, ["starts-with", "$tagging", ""], fields=fields)
    assert post(url, tagged)[0] == 204
    found = aws.client("s3").get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert found == [{"Key": "team", "Value": "a b"}]


def test_session_keys_sign_forms_with_their_token(aws: Aws) -> None:
    """Without it, or with another, the form is refused."""
    bucket = aws.bucket()
    given = aws.client("sts", aws.user(allow("s3:*", "*"))).get_session_token()["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    fields = key_only(aws, bucket, who=keys)
    assert post(f"{aws.url}/{bucket}", fields)[0] == 204
    bare = key_only(aws, bucket, who=Credentials(keys.access_key_id, keys.secret_access_key))
    assert "InvalidAccessKeyId" in post(f"{aws.url}/{bucket}", bare)[1]
    assert "InvalidToken" in post(f"{aws.url}/{bucket}", {**fields, "x-amz-security-token": "forged"})[1]


def test_anonymous_forms_are_for_the_bucket_policy_to_decide(aws: Aws) -> None:
    """Without policy and signature, anybody may post where anybody may put."""
    bucket = aws.open_bucket()
    status, body, _ = post(f"{aws.url}/{bucket}", {"key": "k"})
    assert (status, "<Message>Access Denied</Message>" in body) == (403, True)
    everyone = allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*", Principal="*")
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=document(everyone))
    assert post(f"{aws.url}/{bucket}", {"key": "k", "Content-Type": "text/plain"})[0] == 204
    assert aws.client("s3").get_object(Bucket=bucket, Key="k")["ContentType"] == "text/plain"


@pytest.mark.parametrize(
    ("without", "status", "part"),
    [
        ("key", 400, "Bucket POST must contain a field named 'key'.  If it is specified"),
        ("policy", 400, "Bucket POST must contain a field named 'policy'."),
        ("x-amz-signature", 400, "Bucket POST must contain a field named 'X-Amz-Signature'."),
        ("x-amz-date", 400, "Bucket POST must contain a field named 'X-Amz-Date'."),
    ],
)
def test_a_form_has_what_it_needs(aws: Aws, without: str, status: int, part: str) -> None:
    """S3 names the field that is missing."""
    bucket = aws.bucket()
    fields = {name: value for name, value in key_only(aws, bucket).items() if name != without}
    found, body, _ = post(f"{aws.url}/{bucket}", fields)
    assert (found, "<Code>InvalidArgument</Code>" in body, part in body) == (status, True, True)


def _truncated(body: bytes) -> bytes:
    return body[: body.index(b"data") + 2]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda body: b"", "MalformedPOSTRequest"),
        (lambda body: b"key=k", "MalformedPOSTRequest"),
        (_truncated, "MalformedPOSTRequest"),
        (lambda body: body.replace(b'; name="key"', b""), "MalformedPOSTRequest"),
        (lambda body: body.replace(b"form-data;", b"attachment;"), "MalformedPOSTRequest"),
        (lambda body: body.replace(b"k\r\n", b"\xff\r\n", 1), "MalformedPOSTRequest"),
        (lambda body: body.replace(b'"file"', b'"other"'), "InvalidArgument"),
        (lambda body: body.replace(b"k\r\n", b"k" * 30_000 + b"\r\n", 1), "MaxPostPreDataLengthExceeded"),
    ],
)
def test_what_is_no_form_is_refused(aws: Aws, spoil: Any, code: str) -> None:
    """Nothing of it is stored."""
    bucket = aws.bucket()
    body = spoil(encode([("key", "k")], b"data"))
    status, answer, _ = fetch(
        f"{aws.url}/{bucket}", "POST", body, Content_Type=f"multipart/form-data; boundary={BOUNDARY}"
    )
    assert (status, f"<Code>{code}</Code>" in answer.decode()) == (400, True)
    assert stored(aws, bucket) == []


def test_a_field_comes_once(aws: Aws) -> None:
    """Of two keys, the policy could be about the one and the object have the other."""
    bucket = aws.bucket()
    fields = [*key_only(aws, bucket).items(), ("Key", "other")]
    assert "MalformedPOSTRequest" in post(f"{aws.url}/{bucket}", fields)[1]


def test_a_post_to_a_bucket_is_a_form(aws: Aws) -> None:
    """Anything else is told what it should be."""
    bucket = aws.bucket()
    status, body, _ = fetch(f"{aws.url}/{bucket}", "POST", b"a=b", Content_Type="application/x-www-form-urlencoded")
    assert (status, b"<Code>PreconditionFailed</Code>" in body) == (412, True)
    assert b"<Condition>Bucket POST must be of the enclosure-type multipart/form-data</Condition>" in body


def test_the_file_is_the_one_whose_checksum_the_form_has(aws: Aws) -> None:
    """A checksum in the form is checked, and kept with the object."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    right = base64.b64encode(hashlib.sha256(b"data").digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"else").digest()).decode()
    condition = ["starts-with", "$x-amz-checksum-sha256", ""]
    assert (
        post(f"{aws.url}/{bucket}", key_only(aws, bucket, condition, fields={"x-amz-checksum-sha256": right}))[0] == 204
    )
    status, body, _ = post(
        f"{aws.url}/{bucket}", key_only(aws, bucket, condition, fields={"x-amz-checksum-sha256": wrong, "key": "w"})
    )
    assert (status, "BadDigest" in body) == (400, True)
    assert stored(aws, bucket) == ["k"]
    assert refusal(s3.head_object, Bucket=bucket, Key="w")[2] == 404


def test_a_form_to_nowhere(aws: Aws) -> None:
    """A bucket that is not there is NoSuchBucket."""
    status, body, _ = post(f"{aws.url}/nobody-has-this-bucket", key_only(aws, "nobody-has-this-bucket"))
    assert (status, "NoSuchBucket" in body) == (404, True)
