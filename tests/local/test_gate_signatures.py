"""Who gets past the gate: signatures, keys, times, payload hashes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from gate_errors import fetch, refusal
from gate_wire import FORM, ask

from gate_clients import Aws, allow
from keyhole.local.call import Fault, Headers, HttpRequest
from keyhole.local.root_keys import Credentials, root_credentials
from keyhole.local.sigv4 import check_time, read_signature


class _NoBody:
    def read(self) -> bytes:
        return b""


class _SkewedAuth(S3SigV4Auth):
    """Signs as if it were another time."""

    def __init__(self, *args: Any, minutes: float) -> None:
        super().__init__(*args)
        self.minutes = minutes

    def add_auth(self, request: Any) -> None:
        moment = datetime.now(UTC) + timedelta(minutes=self.minutes)
        request.context["timestamp"] = f"{moment:%Y%m%dT%H%M%SZ}"
        self._modify_request_before_signing(request)  # type: ignore[attr-defined]
        canonical = self.canonical_request(request)
        signature = self.signature(self.string_to_sign(request, canonical), request)
        self._inject_signature_to_request(request, signature)  # type: ignore[attr-defined]


def signed(aws: Aws, method: str, path: str, body: bytes = b"", minutes: float = 0) -> dict[str, Any]:
    """The headers of an S3 request that root signs."""
    keys = BotoCredentials(aws.root.access_key_id, aws.root.secret_access_key)
    request = AWSRequest(method=method, url=f"{aws.url}{path}", data=body)
    request.headers["x-amz-content-sha256"] = hashlib.sha256(body).hexdigest()
    _SkewedAuth(keys, "s3", "us-east-1", minutes=minutes).add_auth(request)
    return {name.replace("-", "_"): value for name, value in request.headers.items()}


def test_unknown_keys_and_wrong_secrets_are_told_apart(aws: Aws) -> None:
    """Each service answers with AWS's own code."""
    unknown = Credentials("AKIAAAAAAAAAAAAAAAAA", "x")
    wrong = Credentials(aws.root.access_key_id, "x")
    assert refusal(aws.client("s3", unknown).list_buckets)[::2] == ("InvalidAccessKeyId", 403)
    assert refusal(aws.client("s3", wrong).list_buckets)[::2] == ("SignatureDoesNotMatch", 403)
    assert refusal(aws.client("sts", unknown).get_caller_identity)[::2] == ("InvalidClientTokenId", 403)
    assert refusal(aws.client("iam", wrong).list_users)[::2] == ("SignatureDoesNotMatch", 403)
    assert refusal(aws.client("ec2", unknown).describe_regions)[::2] == ("AuthFailure", 401)
    tagging = aws.client("resourcegroupstaggingapi", unknown)
    assert refusal(tagging.get_resources)[::2] == ("UnrecognizedClientException", 400)


def test_the_root_secret_follows_from_the_starts_master(aws: Aws) -> None:
    """Another start's root keys do not open this one."""
    stranger = root_credentials(b"another master", "123456789012")
    assert stranger.access_key_id == "AKIAKEYHOLELOCALROOT"
    assert refusal(aws.client("s3", stranger).list_buckets)[0] == "SignatureDoesNotMatch"
    assert aws.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:root"
    other = aws.client("sts", aws.server.root_credentials("999999999999"))
    assert other.get_caller_identity()["Account"] == "999999999999"


def test_inactive_and_deleted_keys_are_unknown(aws: Aws) -> None:
    """A key works while it is active and exists."""
    iam, keys = aws.client("iam"), aws.user()
    sts = aws.client("sts", keys)
    name = sts.get_caller_identity()["Arn"].rsplit("/", 1)[-1]
    iam.update_access_key(UserName=name, AccessKeyId=keys.access_key_id, Status="Inactive")
    assert refusal(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    iam.update_access_key(UserName=name, AccessKeyId=keys.access_key_id, Status="Active")
    sts.get_caller_identity()
    iam.delete_access_key(UserName=name, AccessKeyId=keys.access_key_id)
    assert refusal(sts.get_caller_identity)[0] == "InvalidClientTokenId"


def test_session_keys_need_their_token(aws: Aws) -> None:
    """Temporary keys work with the token that came with them, and with no other."""
    given = aws.client("sts", aws.user(allow("s3:ListAllMyBuckets", "*"))).get_session_token()["Credentials"]
    pair = (given["AccessKeyId"], given["SecretAccessKey"])
    assert "Buckets" in aws.client("s3", Credentials(*pair, given["SessionToken"])).list_buckets()
    assert refusal(aws.client("s3", Credentials(*pair)).list_buckets)[0] == "InvalidAccessKeyId"
    assert refusal(aws.client("s3", Credentials(*pair, "forged")).list_buckets)[0] == "InvalidToken"


@pytest.mark.parametrize(("minutes", "status"), [(-14, 200), (14, 200), (-16, 403), (16, 403)])
def test_the_clock_may_be_off_by_15_minutes(aws: Aws, minutes: float, status: int) -> None:
    """Within 15 minutes a signature holds, beyond them it is RequestTimeTooSkewed."""
    found, body, _ = fetch(f"{aws.url}/", **signed(aws, "GET", "/", minutes=minutes))
    assert found == status
    assert (b"RequestTimeTooSkewed" in body) == (status == 403)


def test_a_body_that_was_changed_is_refused(aws: Aws) -> None:
    """The payload must be the one whose hash was signed; nothing of another is stored."""
    bucket = aws.bucket()
    headers = signed(aws, "PUT", f"/{bucket}/k", b"what was signed")
    status, body, _ = fetch(f"{aws.url}/{bucket}/k", "PUT", b"what was sent!!", **headers)
    assert status == 400
    assert b"XAmzContentSHA256Mismatch" in body
    assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_headers_that_were_not_signed_are_refused(aws: Aws) -> None:
    """Nobody on the way can add an x-amz header to a signed request."""
    bucket = aws.bucket()
    headers = signed(aws, "PUT", f"/{bucket}/k", b"1")
    status, body, _ = fetch(f"{aws.url}/{bucket}/k", "PUT", b"1", x_amz_tagging="a=b", **headers)
    assert status == 403
    assert b"not signed" in body


@pytest.mark.parametrize(("service", "target"), [("s3", "/"), ("iam", "/?Action=ListUsers&Version=2010-05-08")])
def test_the_host_is_signed(aws: Aws, service: str, target: str) -> None:
    """A signature that leaves it out could be sent to any other host."""
    assert ask(aws, "GET", target, service=service)[0] == 200
    status, body = ask(aws, "GET", target, service=service, unsigned=("host",))
    assert (status, b"SignedHeaders must contain host" in body) == (400, True)
    code = b"AuthorizationHeaderMalformed" if service == "s3" else b"IncompleteSignature"
    assert code in body


@pytest.mark.parametrize("where", ["header", "query"])
def test_sigv4a_is_refused_in_so_many_words(aws: Aws, where: str) -> None:
    """AWS4-ECDSA is not verified here, and whoever uses it is told."""
    credential = f"{aws.root.access_key_id}/20310517/s3/aws4_request"
    if where == "header":
        value = f"AWS4-ECDSA-P256-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"
        status, body, _ = fetch(f"{aws.url}/b/k", Authorization=value)
    else:
        query = f"X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential={credential}&X-Amz-Date=20310517T120000Z"
        query += "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00&X-Amz-Region-Set=*"
        status, body, _ = fetch(f"{aws.url}/b/k?{query}")
    assert (status, b"<Code>InvalidRequest</Code>" in body) == (400, True)
    assert b"does not verify AWS4-ECDSA-P256-SHA256 (SigV4A)" in body


def test_an_unreadable_signature_is_told_in_the_words_of_the_service(aws: Aws) -> None:
    """JSON for who speaks JSON, the query protocols' XML for a form, S3's for the rest."""
    broken: dict[str, Any] = {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}
    assert b"<Code>AuthorizationHeaderMalformed</Code>" in fetch(f"{aws.url}/b", **broken)[1]
    form = fetch(f"{aws.url}/", "POST", b"Action=ListUsers", Content_Type=FORM, **broken)
    assert (form[0], b"<ErrorResponse" in form[1], b"<Code>IncompleteSignature</Code>" in form[1]) == (400, True, True)
    answer = fetch(f"{aws.url}/", "POST", b"{}", X_Amz_Target="DynamoDB_20120810.ListTables", **broken)
    assert (answer[0], b'"__type": "IncompleteSignatureException"' in answer[1]) == (400, True)


def test_a_signature_is_for_one_path(aws: Aws) -> None:
    """A signature does not open another path, method or query."""
    bucket = aws.bucket()
    headers = signed(aws, "GET", f"/{bucket}")
    assert fetch(f"{aws.url}/{bucket}", **headers)[0] == 200
    for method, path in (("GET", f"/{bucket}?acl"), ("DELETE", f"/{bucket}"), ("GET", "/")):
        status, body, _ = fetch(f"{aws.url}{path}", method, **headers)
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True)


@pytest.mark.parametrize("version", ["s3v4", "s3", None])
def test_presigned_urls_open_one_object_for_a_while(aws: Aws, version: str | None) -> None:
    """A presigned URL reads or writes its key, in either signature version; tampered with, it opens nothing."""
    bucket = aws.bucket()
    options: dict[str, Any] = {"signature_version": version} if version else {}
    s3 = aws.client("s3", **options)
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "up/a b"})
    untyped: dict[str, Any] = {} if version == "s3v4" else {"Content_Type": ""}
    assert fetch(put, "PUT", b"hello", **untyped)[0] == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "up/a b"})
    assert fetch(get)[:2] == (200, b"hello")
    changed = (get.replace("up/", "down/"), get.replace("Expires=", "Expires=1"), f"{get}&acl", f"{get}&versionId=1")
    for wrong in changed:
        status, body, _ = fetch(wrong)
        assert status in (400, 403), wrong
        assert b"hello" not in body
    assert fetch(get, "DELETE")[0] == 403


def test_presigned_urls_of_version_2_expire(aws: Aws) -> None:
    """A URL whose time is over answers AccessDenied, "Request has expired"."""
    s3 = aws.client("s3", signature_version="s3")
    url = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": aws.bucket()}, ExpiresIn=-5)
    status, body, _ = fetch(url)
    assert status == 403
    assert b"Request has expired" in body


def test_presigned_urls_of_version_4_expire() -> None:
    """The life of a URL is counted from its own date; it may not begin more than 15 minutes from now."""
    url = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA/20310517/us-east-1/s3/aws4_request"
    url += "&X-Amz-Date=20310517T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
    signature = read_signature(HttpRequest("GET", "/b/k", url, Headers(), _NoBody()))
    assert signature is not None
    start = datetime(2031, 5, 17, 12, tzinfo=UTC)
    check_time(signature, "s3", "rest-xml", start + timedelta(seconds=60))
    for moment, message in ((61, "Request has expired"), (-901, "Request is not yet valid")):
        with pytest.raises(Fault) as caught:
            check_time(signature, "s3", "rest-xml", start + timedelta(seconds=moment))
        assert (caught.value.code, caught.value.message) == ("AccessDenied", message)


def test_presigned_urls_have_the_rights_of_their_signer(aws: Aws) -> None:
    """A URL made by somebody who may not read the object does not open it."""
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="x", Body=b"1")
    url = aws.client("s3", aws.user(), signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "x"}
    )
    assert fetch(url)[0] == 403


def test_the_account_header_and_admin_routes_of_moto_are_out_of_reach(aws: Aws) -> None:
    """Nothing that a client sends picks its account, and nobody can reset the state over HTTP."""
    bucket = aws.bucket()
    keys = BotoCredentials(*_pair(aws.server.root_credentials("999999999999")))
    request = AWSRequest(method="GET", url=f"{aws.url}/", headers={"x-moto-account-id": "123456789012"})
    request.headers["x-amz-content-sha256"] = hashlib.sha256(b"").hexdigest()
    S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    headers: dict[str, Any] = {name.replace("-", "_"): value for name, value in request.headers.items()}
    status, body, _ = fetch(f"{aws.url}/", **headers)
    assert status == 200
    assert bucket.encode() not in body
    for method, path in (("POST", "/moto-api/reset"), ("GET", "/moto-api/data.json"), ("POST", "/moto-api/seed?a=1")):
        assert fetch(f"{aws.url}{path}", method, b"")[0] in (403, 404, 405)
    assert aws.client("s3").head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"


def test_unsigned_calls_administer_nothing(aws: Aws) -> None:
    """An unsigned form is no IAM call, and a signature for a service that is not here says so."""
    form: dict[str, Any] = {"Content_Type": "application/x-www-form-urlencoded"}
    assert fetch(f"{aws.url}/", "POST", b"Action=ListUsers&Version=2010-05-08", **form)[0] in (403, 405)
    status, body, _ = fetch(f"{aws.url}/", "POST", b"Action=AssumeRoleWithWebIdentity&RoleArn=x", **form)
    assert status == 400
    assert b"ValidationError" in body
    assert b"webIdentityToken" in body
    assert refusal(aws.client("sqs").list_queues)[0] == "UnknownService"


def test_a_service_that_is_not_here_is_refused_in_its_own_protocol(aws: Aws) -> None:
    """Clients of JSON and of XML services can both read which services there are."""
    for call in (aws.client("lambda").list_functions, aws.client("route53").list_hosted_zones):
        code, message, status = refusal(call)
        assert (code, status) == ("UnknownService", 400)
        assert message.startswith("The service ")


def test_a_signed_form_with_a_repeated_parameter_is_refused(aws: Aws) -> None:
    """Two Actions in one form could be read in two ways."""
    keys = BotoCredentials(*_pair(aws.root))
    body = "Action=GetUser&Action=DeleteUser&Version=2010-05-08"
    request = AWSRequest(method="POST", url=f"{aws.url}/", data=body)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    SigV4Auth(keys, "iam", "us-east-1").add_auth(request)
    headers: dict[str, Any] = {name.replace("-", "_"): value for name, value in request.headers.items()}
    status, answer, _ = fetch(f"{aws.url}/", "POST", body.encode(), **headers)
    assert status == 400
    assert b"more than once" in answer


def test_the_status_is_for_programs_on_this_machine(aws: Aws) -> None:
    """A page in a browser cannot read it under a host name of its own."""
    assert fetch(f"{aws.url}/_keyhole/status")[0] == 200
    assert fetch(f"{aws.url}/_keyhole/status", Host="evil.example")[0] == 403
    assert fetch(f"{aws.url}/_keyhole/status", Origin="http://evil.example")[0] == 403
    assert fetch(f"{aws.url}/_keyhole/instances/i-0123456789abcdef0")[0] == 404


def _pair(keys: Credentials) -> tuple[str, str]:
    return keys.access_key_id, keys.secret_access_key
