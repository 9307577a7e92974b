"""Pages of other origins: what the bucket's CORS rules let a browser send and read."""

from __future__ import annotations

from typing import Any

import pytest
from form_posts import policy_fields, post
from gate_errors import fetch

from gate_clients import Aws

PAGE = "https://app.example.com"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def with_rules(aws: Aws, *rules: dict[str, Any]) -> str:
    """A bucket with these CORS rules."""
    bucket = aws.bucket()
    aws.client("s3").put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": list(rules)})
    return bucket


def rule(origins: str = PAGE, methods: str = "GET", headers: str = "", **more: Any) -> dict[str, Any]:
    return {
        "AllowedOrigins": origins.split(),
        "AllowedMethods": methods.split(),
        **({"AllowedHeaders": headers.split()} if headers else {}),
        **more,
    }


def preflight(url: str, method: str = "GET", headers: str = "", origin: str = PAGE) -> tuple[int, str, dict[str, str]]:
    asked: dict[str, Any] = {"Origin": origin, "Access_Control_Request_Method": method}
    if headers:
        asked["Access_Control_Request_Headers"] = headers
    status, body, found = fetch(url, "OPTIONS", **asked)
    return status, body.decode(), found


def allowed(headers: dict[str, str]) -> dict[str, str]:
    """The headers of an answer that are about CORS."""
    return {name: value for name, value in headers.items() if name.startswith("access-control-") or name == "vary"}


def test_a_preflight_tells_what_the_rule_allows(aws: Aws) -> None:
    """Origin, methods, the headers that were asked for, those that may be read, and for how long that is true."""
    bucket = with_rules(aws, rule(methods="PUT POST", headers="*", ExposeHeaders=["ETag", "x-amz-a"], MaxAgeSeconds=60))
    status, body, found = preflight(f"{aws.url}/{bucket}/k", "PUT", "Content-Type, X-Amz-Meta-A")
    assert (status, body) == (200, "")
    assert allowed(found) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "PUT, POST",
        "access-control-allow-headers": "content-type, x-amz-meta-a",
        "access-control-expose-headers": "ETag, x-amz-a",
        "access-control-max-age": "60",
        "access-control-allow-credentials": "true",
        "vary": VARY,
    }


def test_any_origin_is_a_star_without_credentials(aws: Aws) -> None:
    """A rule for everybody does not name who asked."""
    bucket = with_rules(aws, rule("*"))
    _, _, found = preflight(f"{aws.url}/{bucket}/k")
    assert allowed(found) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET",
        "vary": VARY,
    }


NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 200),
        ({"origin": "https://a.b.example.org"}, 200),
        ({"origin": "http://a.example.org"}, 403),
        ({"origin": "https://example.org"}, 403),
        ({"origin": "https://app.example.com.evil.net"}, 403),
        ({"origin": "https://appXexample.com"}, 403),
        ({"origin": "null"}, 403),
        ({"method": "PUT"}, 403),
        ({"headers": "x-amz-meta-a"}, 200),
        ({"headers": "X-AMZ-META-A, content-type"}, 200),
        ({"headers": "x-amz-acl"}, 403),
        ({"headers": "content-type, authorization"}, 403),
    ],
)
def test_a_rule_matches_as_a_whole(aws: Aws, asked: dict[str, str], status: int) -> None:
    """Origin with one star, method, and every header; names of headers in any case."""
    bucket = with_rules(aws, rule(f"{PAGE} https://*.example.org", headers="x-amz-meta-* Content-Type"))
    found, body, headers = preflight(f"{aws.url}/{bucket}/k", **asked)
    assert found == status
    assert ("access-control-allow-origin" in headers) == (status == 200)
    assert (NOT_ALLOWED in body.replace("&apos;", "'")) == (status == 403)


def test_the_first_rule_that_matches_decides(aws: Aws) -> None:
    """A later one adds nothing."""
    bucket = with_rules(aws, rule(methods="GET", MaxAgeSeconds=1), rule("*", "GET PUT", MaxAgeSeconds=2))
    assert preflight(f"{aws.url}/{bucket}/k", "GET")[2]["access-control-max-age"] == "1"
    assert preflight(f"{aws.url}/{bucket}/k", "PUT")[2]["access-control-max-age"] == "2"


def test_without_rules_a_preflight_is_forbidden(aws: Aws) -> None:
    """And so it is where there is no such bucket; the error is S3's."""
    bucket = aws.bucket()
    status, body, found = preflight(f"{aws.url}/{bucket}/k", "PUT")
    assert (status, allowed(found)) == (403, {})
    assert "<Code>AccessForbidden</Code><Message>CORSResponse: CORS is not enabled for this bucket.</Message>" in body
    assert "<Method>PUT</Method><ResourceType>OBJECT</ResourceType>" in body
    assert "<ResourceType>BUCKET</ResourceType>" in preflight(f"{aws.url}/{bucket}", "POST")[1]
    assert "CORSResponse: Bucket not found" in preflight(f"{aws.url}/nobody-has-this-bucket/k")[1]


def test_a_preflight_says_who_asks_for_what(aws: Aws) -> None:
    """Without an origin, or with a method that S3 does not have, it is no preflight."""
    bucket = with_rules(aws, rule("*"))
    status, body, _ = fetch(f"{aws.url}/{bucket}/k", "OPTIONS", Access_Control_Request_Method="GET")
    assert (status, b"Insufficient information. Origin request header needed." in body) == (400, True)
    status, body, _ = fetch(f"{aws.url}/{bucket}/k", "OPTIONS", Origin=PAGE)
    assert (status, b"Invalid Access-Control-Request-Method: null" in body) == (400, True)
    assert preflight(f"{aws.url}/{bucket}/k", "PATCH")[0] == 400


def test_a_page_reads_the_answer_to_a_presigned_request(aws: Aws) -> None:
    """The preflight of a presigned URL, then the request itself, with the ETag exposed."""
    bucket = with_rules(aws, rule(methods="GET PUT", headers="*", ExposeHeaders=["ETag"]))
    s3 = aws.client("s3", signature_version="s3v4")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    assert preflight(url, "PUT", "content-type")[0] == 200
    status, _, found = fetch(url, "PUT", b"1", Origin=PAGE, Content_Type="text/plain")
    assert (status, found["access-control-allow-origin"]) == (200, PAGE)
    assert (found["access-control-expose-headers"], found["vary"]) == ("ETag", VARY)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    status, body, found = fetch(url, Origin=PAGE)
    assert (status, body, found["access-control-allow-origin"]) == (200, b"1", PAGE)
    assert allowed(fetch(url, Origin="https://evil.example")[2]) == {}
    assert allowed(fetch(url)[2]) == {}


def test_a_preflight_is_not_held_to_the_signature_in_its_url(aws: Aws) -> None:
    """Browsers ask without credentials, with whatever query the page's request will have."""
    bucket = with_rules(aws, rule("*", "PUT"))
    for query in (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-Amz-Signature=0",
        "AWSAccessKeyId=x",
        "uploadId=1&partNumber=1",
    ):
        assert preflight(f"{aws.url}/{bucket}/k?{query}", "PUT")[0] == 200


def test_a_page_can_read_why_it_was_refused(aws: Aws) -> None:
    """Errors have the headers as well, or the page would see a network error."""
    bucket = with_rules(aws, rule("*"))
    status, _, found = fetch(f"{aws.url}/{bucket}/k", Origin=PAGE)
    assert (status, found["access-control-allow-origin"]) == (403, "*")
    url = aws.client("s3", signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "missing"}
    )
    status, _, found = fetch(url, Origin=PAGE)
    assert (status, found["access-control-allow-origin"]) == (404, "*")


def test_a_page_reads_the_answer_to_its_form(aws: Aws) -> None:
    """A form that a script sends is a POST to the bucket."""
    bucket = with_rules(aws, rule(methods="POST", ExposeHeaders=["ETag", "Location"]))
    fields = policy_fields(aws, [{"bucket": bucket}, {"key": "k"}], {"key": "k"})
    status, _, found = post(f"{aws.url}/{bucket}", fields, headers={"Origin": PAGE})
    assert (status, found["access-control-allow-origin"]) == (204, PAGE)
    assert found["access-control-expose-headers"] == "ETag, Location"
