"""The metadata service of one instance: who is answered, and what it tells of the instance."""

from __future__ import annotations

import json

import pytest
from imds_bench import ROLE, TOKEN, TTL, Bench
from memory_backend import ACCOUNT


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("ttl", ["1", "60", "21600"])
def test_put_gives_a_token_and_repeats_its_ttl(bench: Bench, ttl: str) -> None:
    """A token is given for 1 to 21600 seconds, and the answer says for how long."""
    reply = bench.ask("/latest/api/token", "PUT", **{TTL: ttl})
    assert reply.status == 200
    assert len(reply.text) >= 40
    assert reply.headers["X-Aws-Ec2-Metadata-Token-Ttl-Seconds"] == ttl
    assert reply.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("ttl", ["0", "21601", "-1", "1.5", "", "six", "²", "9" * 5000])
def test_a_ttl_out_of_range_is_a_bad_request(bench: Bench, ttl: str) -> None:
    """No token without a TTL that is a whole number in range."""
    assert bench.ask("/latest/api/token", "PUT", **{TTL: ttl}).status == 400


def test_no_ttl_is_a_bad_request(bench: Bench) -> None:
    """The TTL header is required."""
    assert bench.ask("/latest/api/token", "PUT").status == 400


def test_no_token_through_a_proxy(bench: Bench) -> None:
    """A PUT that was forwarded is refused: open proxies must not obtain tokens."""
    reply = bench.ask("/latest/api/token", "PUT", **{TTL: "60", "HTTP_X_FORWARDED_FOR": "10.0.0.1"})
    assert reply.status == 403


def test_put_elsewhere_is_forbidden(bench: Bench) -> None:
    """Tokens are made at /latest/api/token only."""
    assert bench.ask("/2021-03-23/api/token", "PUT", **{TTL: "60"}).status == 403


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/latest/api/token", "OPTIONS, PUT"),
        ("POST", ROLE, "GET, HEAD"),
        ("OPTIONS", ROLE, "GET, HEAD"),
        ("DELETE", "/latest/api/token", "OPTIONS, PUT"),
    ],
)
def test_other_methods_are_not_allowed(bench: Bench, method: str, path: str, allowed: str) -> None:
    """Metadata is read, tokens are put; anything else (a browser's preflight too) is 405."""
    reply = bench.ask(path, method)
    assert (reply.status, reply.headers["Allow"]) == (405, allowed)


def test_v1_needs_no_token_where_tokens_are_optional(bench: Bench) -> None:
    """With HttpTokens optional, both versions answer."""
    assert bench.ask("/latest/meta-data/instance-id").text == bench.instance_id
    assert bench.ask("/latest/meta-data/instance-id", **{TOKEN: bench.token()}).text == bench.instance_id


def test_v1_is_refused_where_tokens_are_required(bench: Bench) -> None:
    """With HttpTokens required, only a valid token opens."""
    bench.backend.change_instance(bench.instance_id, http_tokens="required")
    reply = bench.ask(ROLE)
    assert reply.status == 401
    assert "AccessKeyId" not in reply.text
    assert bench.ask(ROLE, **{TOKEN: bench.token()}).status == 200


def test_a_token_is_over_when_its_ttl_is(bench: Bench) -> None:
    """At its last second a token opens, then no more, even where none is needed."""
    token = bench.token("60")
    bench.clock.advance(seconds=59)
    assert bench.ask(ROLE, **{TOKEN: token}).status == 200
    bench.clock.advance(seconds=1)
    assert bench.ask(ROLE, **{TOKEN: token}).status == 401


@pytest.mark.parametrize("token", ["", "x", "AAAA", "A" * 64, "é", "\x00", "=" * 8])
def test_a_forged_token_is_refused(bench: Bench, token: str) -> None:
    """What was not issued here is 401, whatever it is made of."""
    assert bench.ask(ROLE, **{TOKEN: token}).status == 401


def test_a_token_with_one_character_changed_is_refused(bench: Bench) -> None:
    """No character of a token can be changed: neither its expiry nor its seal."""
    token = bench.token("1")
    for at in range(len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        if changed.rstrip("=") != token.rstrip("="):
            assert bench.ask(ROLE, **{TOKEN: changed}).status == 401


def test_a_token_opens_its_own_instance_only(bench: Bench) -> None:
    """Another instance does not know the token."""
    assert Bench().ask(ROLE, **{TOKEN: bench.token()}).status == 401


def test_a_disabled_endpoint_says_nothing(bench: Bench) -> None:
    """With HttpEndpoint disabled neither tokens nor metadata are given."""
    bench.backend.change_instance(bench.instance_id, http_endpoint="disabled")
    assert bench.ask("/latest/api/token", "PUT", **{TTL: "60"}).status == 403
    assert bench.ask("/latest/meta-data/").status == 403


@pytest.mark.parametrize("state", ["stopped", "terminated", "shutting-down"])
def test_an_instance_that_does_not_run_has_no_metadata(bench: Bench, state: str) -> None:
    """Credentials are for running instances."""
    bench.backend.change_instance(bench.instance_id, state=state)
    assert bench.ask(ROLE).status == 404
    bench.backend.reset()
    assert bench.ask(ROLE).status == 404


@pytest.mark.parametrize("host", ["127.0.0.1:49152", "localhost", "LOCALHOST:80", "169.254.169.254:80"])
def test_own_hosts_are_answered(bench: Bench, host: str) -> None:
    """The names under which a workload reaches the service are answered."""
    assert bench.ask("/latest/meta-data/", HTTP_HOST=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:80", "127.0.0.1:80@evil.example", "", "[::1]"]
)
def test_a_foreign_host_is_refused(bench: Bench, host: str) -> None:
    """A domain that was rebound to loopback gets neither token nor metadata."""
    assert bench.ask(ROLE, HTTP_HOST=host).status == 403
    assert bench.ask("/latest/api/token", "PUT", HTTP_HOST=host, **{TTL: "60"}).status == 403


@pytest.mark.parametrize(
    ("path", "listing"),
    [
        ("/", "latest"),
        ("/latest/", "dynamic\nmeta-data"),
        ("/latest/dynamic/", "instance-identity/"),
        ("/latest/dynamic/instance-identity/", "document"),
        (
            "/latest/meta-data/",
            "ami-id\nhostname\niam/\ninstance-id\ninstance-type\nlocal-hostname\nlocal-ipv4\nplacement/\nservices/",
        ),
        ("/latest/meta-data/iam", "info\nsecurity-credentials/"),
        ("/latest/meta-data/iam/security-credentials", "web"),
        ("/latest/meta-data/iam/security-credentials/", "web"),
        ("/latest/meta-data/placement/", "availability-zone\nregion"),
    ],
)
def test_directories_are_listed_as_aws_lists_them(bench: Bench, path: str, listing: str) -> None:
    """One name a line, directories with a slash, no line end at the end."""
    assert bench.ask(path).text == listing


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ami-id", "ami-0123456789abcdef0"),
        ("instance-type", "t3.micro"),
        ("local-ipv4", "10.1.2.3"),
        ("hostname", "ip-10-1-2-3.ap-northeast-2.compute.internal"),
        ("local-hostname", "ip-10-1-2-3.ap-northeast-2.compute.internal"),
        ("placement/region", "ap-northeast-2"),
        ("placement/availability-zone", "ap-northeast-2a"),
        ("services/domain", "amazonaws.com"),
        ("services/partition", "aws"),
    ],
)
def test_metadata_tells_of_the_instance(bench: Bench, name: str, text: str) -> None:
    """Each entry has what the backend knows of the instance."""
    assert bench.ask(f"/latest/meta-data/{name}").text == text


@pytest.mark.parametrize(
    ("region", "name", "text"),
    [
        ("us-east-1", "hostname", "ip-10-1-2-3.ec2.internal"),
        ("cn-north-1", "services/domain", "amazonaws.com.cn"),
        ("cn-north-1", "services/partition", "aws-cn"),
        ("us-gov-west-1", "services/partition", "aws-us-gov"),
    ],
)
def test_metadata_goes_by_the_region(bench: Bench, region: str, name: str, text: str) -> None:
    """Host names and partitions are those of the instance's region."""
    bench.backend.change_instance(bench.instance_id, region=region)
    assert bench.ask(f"/latest/meta-data/{name}").text == text


@pytest.mark.parametrize(
    ("instance_type", "architecture"),
    [("t3.micro", "x86_64"), ("g4dn.xlarge", "x86_64"), ("t4g.micro", "arm64"), ("im4gn.large", "arm64")],
)
def test_the_identity_document_says_what_the_instance_is(bench: Bench, instance_type: str, architecture: str) -> None:
    """The document has the account, the place and the architecture of the instance's type."""
    bench.backend.change_instance(bench.instance_id, instance_type=instance_type)
    document = json.loads(bench.ask("/latest/dynamic/instance-identity/document").text)
    assert document["accountId"] == ACCOUNT
    assert document["region"] == "ap-northeast-2"
    assert document["instanceId"] == bench.instance_id
    assert document["pendingTime"] == "2031-05-17T11:00:00Z"
    assert document["architecture"] == architecture


@pytest.mark.parametrize(
    "path",
    [
        "/latest/meta-data/nothing",
        "/latest/meta-data/instance-id/more",
        "/latest/meta-data/iam/security-credentials/other",
        "/latest/meta-data/../../etc/passwd",
        "/1.0/meta-data/",
        "/latest/user-data",
        "/latest/meta-data/tags/instance",
        "/latest/dynamic/instance-identity/pkcs7",
        "/latest/dynamic/instance-identity/signature",
        "/latest/dynamic/instance-identity/rsa2048",
    ],
)
def test_what_is_not_there_is_404_in_awss_form(bench: Bench, path: str) -> None:
    """A missing entry is an XHTML page with status 404."""
    reply = bench.ask(path)
    assert (reply.status, reply.headers["Content-Type"]) == (404, "text/html")
    assert "<h1>404 - Not Found</h1>" in reply.text


def test_tags_are_told_where_they_are_allowed(bench: Bench) -> None:
    """With InstanceMetadataTags enabled each tag is an entry; otherwise there is nothing."""
    bench.backend.change_instance(bench.instance_id, tags=(("Name", "web"), ("team", "a b"), ("no/path", "x")))
    assert bench.ask("/latest/meta-data/tags/instance/Name").status == 404
    assert "tags/" not in bench.ask("/latest/meta-data/").text
    bench.backend.change_instance(bench.instance_id, metadata_tags="enabled")
    assert bench.ask("/latest/meta-data/tags/").text == "instance/"
    assert bench.ask("/latest/meta-data/tags/instance").text == "Name\nteam"
    assert bench.ask("/latest/meta-data/tags/instance/team").text == "a b"


def test_user_data_are_as_they_were_given(bench: Bench) -> None:
    """They are bytes, and listed beside the metadata where there are any."""
    bench.backend.change_instance(bench.instance_id, user_data=b"#!/bin/sh\necho hi\n")
    reply = bench.ask("/latest/user-data")
    assert (reply.text, reply.headers["Content-Type"]) == ("#!/bin/sh\necho hi\n", "application/octet-stream")
    assert bench.ask("/latest/").text == "dynamic\nmeta-data\nuser-data"


@pytest.mark.parametrize("path", ["/latest/meta-data/instance-id/", "//latest//meta-data/instance-id"])
def test_slashes_too_many_do_not_matter(bench: Bench, path: str) -> None:
    """SDKs read entries with a slash at the end, and join paths with two."""
    assert bench.ask(path).text == bench.instance_id


def test_head_tells_the_length_only(bench: Bench) -> None:
    """HEAD has the headers of GET and no body."""
    reply = bench.ask("/latest/meta-data/instance-id", "HEAD")
    assert (reply.status, reply.text, reply.headers["Content-Length"]) == (200, "", str(len(bench.instance_id)))
