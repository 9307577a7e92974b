"""The listeners of the metadata services, as real clients meet them."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.utils import InstanceMetadataFetcher, InstanceMetadataRegionFetcher
from gate_errors import fetch
from memory_backend import ACCOUNT, MemoryBackend, attach, make_instance, make_role, trust_of

from gate_clients import Aws
from keyhole.local.instances import Instances
from keyhole.local.sessions import SessionStore

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Bench:
    """Two running instances, the first with the profile of role `web`."""

    def __init__(self) -> None:
        self.backend = MemoryBackend()
        self.sessions = SessionStore()
        self.first = self.backend.add_instance(make_instance(make_role())).instance_id
        self.second = self.backend.add_instance(make_instance(None, "i-0fedcba9876543210")).instance_id
        self.instances = Instances(self.backend, self.sessions)

    def endpoint(self, instance_id: str) -> str:
        url = self.instances.imds_endpoint(instance_id)
        assert url is not None
        return url

    def read(self, path: str) -> str:
        """Read as IMDSv1, with plain urllib."""
        with OPENER.open(f"{self.endpoint(self.first)}/latest/meta-data/{path}") as reply:
            text: str = reply.read().decode()
        return text


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.instances.stop()


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's AWS configuration reaches botocore."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_EC2_METADATA_DISABLED", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def fetcher(url: str, *, v1_disabled: bool = True) -> InstanceMetadataFetcher:
    """Give botocore's own client, with IMDSv2 only."""
    return InstanceMetadataFetcher(num_attempts=1, base_url=f"{url}/", config={"ec2_metadata_v1_disabled": v1_disabled})


def test_botocore_gets_the_roles_credentials_with_a_token(bench: Bench) -> None:
    """botocore's fetcher, kept to IMDSv2, gets credentials that the store knows, also where tokens are required."""
    bench.backend.change_instance(bench.first, http_tokens="required")
    found = fetcher(bench.endpoint(bench.first)).retrieve_iam_role_credentials()
    session = bench.sessions.find(found["access_key"])
    assert session is not None
    assert (found["role_name"], found["secret_key"]) == ("web", session.secret_access_key)
    assert found["token"] == session.session_token


def test_the_ordinary_chain_finds_the_metadata_service(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A botocore session that is told the endpoint finds the role's credentials by itself."""
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", bench.endpoint(bench.first))
    credentials = botocore.session.Session().get_credentials()
    assert credentials is not None
    assert credentials.method == "iam-role"
    frozen = credentials.get_frozen_credentials()
    session = bench.sessions.find(frozen.access_key or "")
    assert session is not None
    assert session.principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/web/{bench.first}"


def test_botocore_learns_the_region(bench: Bench) -> None:
    """botocore's region fetcher reads the instance's region."""
    region = InstanceMetadataRegionFetcher(num_attempts=1, base_url=f"{bench.endpoint(bench.first)}/")
    assert region.retrieve_region() == "ap-northeast-2"


def test_botocore_gets_nothing_where_no_profile_is_attached(bench: Bench) -> None:
    """Without a profile, botocore finds no credentials and raises nothing."""
    assert fetcher(bench.endpoint(bench.second)).retrieve_iam_role_credentials() == {}


def test_botocore_gets_nothing_where_the_role_does_not_trust_ec2(bench: Bench) -> None:
    """AWS's refusal document is understood by botocore as such."""
    role = make_role(trust="{}")
    bench.backend.add_instance(make_instance(role, bench.first))
    assert fetcher(bench.endpoint(bench.first)).retrieve_iam_role_credentials() == {}


def test_v1_works_with_plain_urllib(bench: Bench) -> None:
    """A GET without a token is answered where tokens are optional."""
    assert bench.read("iam/security-credentials/") == "web"
    assert json.loads(bench.read("iam/security-credentials/web"))["Code"] == "Success"


def test_v1_is_refused_where_tokens_are_required(bench: Bench) -> None:
    """With HttpTokens required a GET without a token is 401 on the wire too."""
    bench.backend.change_instance(bench.first, http_tokens="required")
    with pytest.raises(urllib.error.HTTPError) as caught:
        bench.read("iam/security-credentials/web")
    assert caught.value.code == 401
    caught.value.close()


def test_a_swapped_role_is_seen_by_botocore(bench: Bench) -> None:
    """The next fetch after a swap has the new role's credentials."""
    client = fetcher(bench.endpoint(bench.first))
    assert client.retrieve_iam_role_credentials()["role_name"] == "web"
    bench.backend.instances[bench.first] = attach(bench.backend.instances[bench.first], make_role("batch"))
    assert client.retrieve_iam_role_credentials()["role_name"] == "batch"


def test_a_detached_role_is_404(bench: Bench) -> None:
    """After the profile was detached, its credentials are gone."""
    assert bench.read("iam/security-credentials/") == "web"
    bench.backend.instances[bench.first] = attach(bench.backend.instances[bench.first], None)
    with pytest.raises(urllib.error.HTTPError) as caught:
        bench.read("iam/security-credentials/")
    assert caught.value.code == 404
    caught.value.close()


def test_a_token_does_not_reach_a_container_beyond_the_hop_limit(bench: Bench) -> None:
    """With hop limit 1 a container's PUT is never answered, whatever it asks; GETs and tokens of the host work."""
    url = bench.instances.imds_endpoint(bench.first, 2)
    assert url is not None
    for ttl in ("60", "x"):
        headers = {"X-aws-ec2-metadata-token-ttl-seconds": ttl}
        request = urllib.request.Request(f"{url}/latest/api/token", method="PUT", headers=headers)
        with pytest.raises(http.client.RemoteDisconnected):
            OPENER.open(request)
    assert fetcher(url, v1_disabled=False).retrieve_iam_role_credentials()["role_name"] == "web"
    bench.backend.change_instance(bench.first, http_tokens="required")
    assert fetcher(url, v1_disabled=False).retrieve_iam_role_credentials() == {}
    headers = {"X-aws-ec2-metadata-token": put_token(bench.endpoint(bench.first))}
    with OPENER.open(urllib.request.Request(f"{url}/latest/meta-data/instance-id", headers=headers)) as reply:
        assert reply.read().decode() == bench.first


def test_a_token_reaches_a_container_within_the_hop_limit(bench: Bench) -> None:
    """The hop limit counts at the moment of the request: once it is 2, the container gets its token."""
    url = bench.instances.imds_endpoint(bench.first, 2)
    assert url is not None
    bench.backend.change_instance(bench.first, http_tokens="required", hop_limit=2)
    assert fetcher(url).retrieve_iam_role_credentials()["role_name"] == "web"
    assert bench.instances.imds_endpoint(bench.first, 2) == url != bench.endpoint(bench.first)
    bench.backend.change_instance(bench.first, state="terminated")
    assert bench.instances.imds_endpoint(bench.first) is None
    with pytest.raises(urllib.error.URLError):
        OPENER.open(f"{url}/latest/")


def put_token(url: str) -> str:
    """Ask for a token as on the instance."""
    headers = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    with OPENER.open(urllib.request.Request(f"{url}/latest/api/token", method="PUT", headers=headers)) as reply:
        token: str = reply.read().decode()
    return token


def test_each_instance_has_its_own_listener_on_loopback(bench: Bench) -> None:
    """Instances do not share a port, and asking again gives the same one."""
    first, second = bench.endpoint(bench.first), bench.endpoint(bench.second)
    assert first != second
    assert bench.endpoint(bench.first) == first
    assert urlsplit(first).hostname == urlsplit(second).hostname == "127.0.0.1"


def test_an_unknown_instance_has_no_endpoint(bench: Bench) -> None:
    """Nothing listens for an instance that does not exist."""
    assert bench.instances.imds_endpoint("i-00000000000000000") is None


def test_a_pending_instance_has_an_endpoint(bench: Bench) -> None:
    """The metadata service is there while the instance starts."""
    bench.backend.change_instance(bench.first, state="pending")
    assert bench.read("instance-id") == bench.first


def test_a_stopped_instance_loses_its_listener(bench: Bench) -> None:
    """Once an instance does not run, asking for its endpoint gives None and closes the port."""
    url = urlsplit(bench.endpoint(bench.first))
    bench.backend.change_instance(bench.first, state="stopped")
    assert bench.instances.imds_endpoint(bench.first) is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((url.hostname or "", url.port or 0))


def test_stop_closes_every_port(bench: Bench) -> None:
    """After stop() nothing listens any more."""
    urls = [urlsplit(bench.endpoint(bench.first)), urlsplit(bench.endpoint(bench.second))]
    bench.instances.stop()
    for url in urls:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((url.hostname or "", url.port or 0))


def test_listeners_do_not_keep_a_process_alive(bench: Bench) -> None:
    """Whatever threads serve, the process may end without stop()."""
    before = set(threading.enumerate())
    bench.endpoint(bench.first)
    assert bench.read("instance-id") == bench.first
    started = set(threading.enumerate()) - before
    assert started
    assert all(thread.daemon for thread in started)


def test_many_threads_start_one_listener(bench: Bench) -> None:
    """However many ask at once, an instance has one listener, and all clients get the same credentials."""
    with ThreadPoolExecutor(16) as pool:
        urls = set(pool.map(bench.endpoint, [bench.first] * 64))
        keys = set(pool.map(lambda _: bench.read("iam/security-credentials/web"), range(64)))
    assert (len(urls), len(keys)) == (1, 1)


def test_a_rebound_domain_is_refused_on_the_wire(bench: Bench) -> None:
    """A Host that is not loopback's own is 403."""
    connection = http.client.HTTPConnection(urlsplit(bench.endpoint(bench.first)).netloc)
    connection.request("GET", "/latest/meta-data/iam/security-credentials/web", headers={"Host": "evil.example"})
    reply = connection.getresponse()
    assert (reply.status, b"AccessKeyId" in reply.read()) == (403, False)
    connection.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /latest/meta-data/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /latest/meta-data/%ff%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"GET /latest/ HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /latest/ HTTP/1.1\r\n\r\n",
    ],
    ids=["tls", "no path", "bad escape", "not utf-8", "bad length", "long header", "no host"],
)
def test_a_malformed_request_is_a_client_error(bench: Bench, sent: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no proper request gets a 4xx and leaves no traceback."""
    url = urlsplit(bench.endpoint(bench.first))
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=10) as client:
        client.sendall(sent)
        status_line = client.makefile("rb").readline()
    assert status_line.split()[1].startswith(b"4")
    assert "Traceback" not in capsys.readouterr().err


def test_metadata_options_that_a_call_does_not_name_stay(aws: Aws) -> None:
    """ModifyInstanceMetadataOptions changes what it is given, and the metadata service goes by it at once."""
    ec2 = aws.client("ec2")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}]
    answer = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, UserData="hello", TagSpecifications=tags)
    instance_id = answer["Instances"][0]["InstanceId"]
    ec2.modify_instance_metadata_options(
        InstanceId=instance_id, HttpProtocolIpv6="enabled", InstanceMetadataTags="enabled", HttpPutResponseHopLimit=3
    )
    ec2.modify_instance_metadata_options(InstanceId=instance_id, HttpTokens="optional")
    [reservation] = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    options = reservation["Instances"][0]["MetadataOptions"]
    assert (options["HttpProtocolIpv6"], options["InstanceMetadataTags"]) == ("enabled", "enabled")
    assert options["HttpPutResponseHopLimit"] == 3
    url = json.loads(fetch(f"{aws.url}/_keyhole/instances/{instance_id}?hops=3")[1])["imds_endpoint"]
    assert fetch(f"{url}/latest/meta-data/tags/instance/Name")[1] == b"web"
    assert fetch(f"{url}/latest/user-data")[1] == b"hello"
    assert put_token(url)


def test_a_deleted_profile_is_gone_from_its_instance(aws: Aws) -> None:
    """Deleting an instance profile takes the credentials away from the instances that had it."""
    iam, ec2 = aws.client("iam"), aws.client("ec2")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust_of("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    profile = {"Name": "web"}
    answer = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, IamInstanceProfile=profile)
    url = aws.server._instances.imds_endpoint(answer["Instances"][0]["InstanceId"])
    assert url
    assert fetcher(url).retrieve_iam_role_credentials()["role_name"] == "web"
    iam.remove_role_from_instance_profile(InstanceProfileName="web", RoleName="web")
    assert fetcher(url).retrieve_iam_role_credentials() == {}
    iam.delete_instance_profile(InstanceProfileName="web")
    assert fetch(f"{url}/latest/meta-data/iam/security-credentials/")[0] == 404


@pytest.mark.parametrize("query", ["hops=0", "hops=65", "hops=x", "hops=1&hops=2", "hop=1"])
def test_an_impossible_distance_has_no_endpoint(aws: Aws, query: str) -> None:
    """Hops are 1 to 64, as hop limits are."""
    answer = aws.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    instance_id = answer["Instances"][0]["InstanceId"]
    assert fetch(f"{aws.url}/_keyhole/instances/{instance_id}?{query}")[0] == 404
