"""What holds for every request: known hosts, believed proxies, ids, limits, numbers and lines of the log."""

from __future__ import annotations

import json
import logging
from typing import Any

import anyio
import httpx
import pytest
from service_client import ServiceClient, problem_of
from service_fakes import make_service_for_test, refusal
from service_images import make_png
from starlette.datastructures import Headers

from keyhole.errors import KeyholeError
from keyhole.service.guard import find_foreign_host
from keyhole.service.log_lines import JsonFormatter, make_formatter
from keyhole.service.metrics import UPLOADING
from keyhole.service.operation import Operation, is_within, read_networks
from keyhole.service.proxies import find_origin
from keyhole.service.runtime import make_runtime


def client_of(**operation: Any) -> ServiceClient:
    service = make_service_for_test()
    return ServiceClient(service=service, runtime=make_runtime(service, Operation(**operation)))


def number(client: ServiceClient, line: str) -> float:
    """Give the value of this line of the metrics, 0 where there is none."""
    text = client.ask("GET", "/metrics").text
    found = [row.rpartition(" ")[2] for row in text.splitlines() if row.startswith(line + " ")]
    return float(found[0]) if found else 0.0


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("localhost", True),
        ("localhost:8080", True),
        ("LOCALHOST:1", True),
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("[::1]", True),
        ("evil.example", False),
        ("evil.example:8080", False),
        ("localhost.evil.example", False),
        ("localhost@evil.example", False),
        ("localhost:x", False),
        ("", False),
    ],
)
def test_only_known_hosts_are_served(host: str, is_known: bool) -> None:
    """A name that was made to lead here is not one of this machine's."""
    hosts = frozenset({"localhost", "127.0.0.1", "[::1]"})
    assert (find_foreign_host(Headers({"host": host}), hosts) is None) is is_known
    assert find_foreign_host(Headers({"host": host}), frozenset()) is None


def test_a_foreign_host_gets_nothing_but_its_health() -> None:
    """421 for pages, API and metrics; balancers that ask by address are answered."""
    client = client_of(hosts=("img.example.com",))
    for path in ("/", "/v1/uploads", "/v1/rules", "/metrics"):
        answer = client.ask("GET", path)
        assert problem_of(answer, 421, "unknown-host")["request_id"] == answer.headers["x-request-id"]
    assert client.store.asked == []
    assert client.ask("GET", "/healthz").status_code == 200
    assert client.ask("GET", "/readyz").status_code == 200
    assert client.ask("GET", "/v1/rules", headers={"Host": "img.example.com"}).status_code == 200


def origin_of(
    headers: list[tuple[str, str]], client: str = "10.0.0.1", proxies: tuple[str, ...] = ("10.0.0.0/8",)
) -> Any:
    scope: dict[str, Any] = {
        "type": "http",
        "client": ("10.0.0.1", 1234),
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    origin = find_origin(scope, read_networks(proxies, "--proxy"))
    return origin, scope["scheme"], scope["client"][0]


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        (["198.51.100.9", "192.0.2.1, 10.0.0.7"], "192.0.2.1"),
        (["192.0.2.1:4711"], "192.0.2.1"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["192.0.2.1, nonsense"], ""),
        (["192.0.2.1, "], ""),
        (["10.0.0.9"], "10.0.0.9"),
        ([], "10.0.0.1"),
    ],
)
def test_a_known_proxy_says_who_the_client_is(forwarded: list[str], address: str) -> None:
    """The last address that is no proxy of ours counts: what stands before it the client may have written itself."""
    origin, _, client = origin_of([("x-forwarded-for", value) for value in forwarded])
    assert origin.address == client == address
    assert origin.is_certain is bool(address)


@pytest.mark.parametrize(
    ("said", "scheme"), [("https", "https"), ("http", "http"), ("https,http", "http"), ("javascript", "http")]
)
def test_a_known_proxy_says_the_scheme(said: str, scheme: str) -> None:
    """If it is one of the two."""
    assert origin_of([("x-forwarded-proto", said)])[1] == scheme


@pytest.mark.parametrize("proxies", [(), ("172.16.0.0/12",)])
def test_nobody_else_is_believed(proxies: tuple[str, ...]) -> None:
    """Address, scheme and id stay; that there is an unknown proxy is noted."""
    headers = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https"), ("x-request-id", "a" * 16)]
    origin, scheme, client = origin_of(headers, proxies=proxies)
    assert (origin.address, scheme, client, origin.is_certain) == ("10.0.0.1", "http", "10.0.0.1", False)
    assert origin.request_id != "a" * 16


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("0af7651916cd43dd8448eb211c80319c", True),
        ("Root=1-67891233-abcdef012345678912345678", True),
        ("short", False),
        ("a" * 65, False),
        ('a"b' * 5, False),
        ("abcdefgh ijkl", False),
        ("", False),
    ],
)
def test_a_request_id_is_taken_if_it_is_one(given: str, is_taken: bool) -> None:
    """From a proxy that is known, and never with anything in it that a log could trip over."""
    client = client_of(proxies=("127.0.0.1",))
    answer = client.ask("GET", "/v1/rules", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is is_taken
    assert len(answer.headers["x-request-id"]) >= 8


def test_networks_are_addresses_or_networks() -> None:
    """What is none is said; an IPv4 address within IPv6 is what it is."""
    networks = read_networks(("10.0.0.0/8", "::1"), "--proxy")
    assert is_within("10.1.2.3", networks)
    assert is_within("::ffff:10.1.2.3", networks)
    assert is_within("::1", networks)
    assert not is_within("11.0.0.1", networks)
    assert not is_within("", networks)
    with pytest.raises(KeyholeError) as raised:
        read_networks(("proxy.example",), "--proxy")
    assert "--proxy" in raised.value.hint


def test_above_the_limit_requests_are_sent_away_and_health_is_not() -> None:
    """503 with Retry-After, at once; when the others are done it goes on."""
    client = client_of(max_in_flight=1)
    client.runtime.in_flight = 1
    answer = client.ask("GET", "/v1/rules")
    problem_of(answer, 503, "busy")
    assert answer.headers["retry-after"] == "1"
    assert client.ask("GET", "/healthz").status_code == 200
    client.runtime.in_flight = 0
    assert client.ask("GET", "/v1/rules").status_code == 200
    assert client.runtime.in_flight == 0


def test_a_service_that_ends_says_that_it_is_not_ready_and_answers_on() -> None:
    """Balancers learn of it by `/readyz`; whoever is there is served."""
    client = client_of()
    assert client.ask("GET", "/readyz").status_code == 200
    client.runtime.is_draining = True
    answer = client.ask("GET", "/readyz")
    problem_of(answer, 503, "draining")
    assert "retry-after" in answer.headers
    assert client.ask("GET", "/healthz").status_code == 200
    assert client.ask("GET", "/v1/rules").status_code == 200


def test_requests_uploads_and_failures_are_counted() -> None:
    """By route, method and status, by outcome, by the store's code: and nothing that is somebody's."""
    client = client_of()
    assert client.upload(make_png(), "secret-name.png").status_code == 201
    assert client.upload(b"nonsense").status_code == 400
    client.ask("GET", "/v1/nothing/here")
    client.ask("BREW", "/v1/rules")
    client.store.failure = refusal("SlowDown", 503)
    assert client.ask("GET", "/v1/uploads").status_code == 503
    for line, value in (
        ('keyhole_http_requests_total{method="POST",route="/v1/uploads",status="201"}', 1),
        ('keyhole_http_requests_total{method="POST",route="/v1/uploads",status="400"}', 1),
        ('keyhole_http_requests_total{method="GET",route="other",status="404"}', 1),
        ('keyhole_http_requests_total{method="other",route="/v1/rules",status="405"}', 1),
        ('keyhole_http_request_duration_seconds_count{method="POST",route="/v1/uploads"}', 2),
        ('keyhole_uploads_total{outcome="accepted"}', 1),
        ('keyhole_uploads_total{outcome="not-an-image"}', 1),
        ('keyhole_store_errors_total{code="SlowDown"}', 1),
        ("keyhole_requests_in_flight", 1),
        ("keyhole_checks_running", 0),
    ):
        assert number(client, line) == value, line
    assert number(client, "keyhole_received_bytes_total") > len(make_png())
    text = client.ask("GET", "/metrics").text
    for private in ("secret-name", "robots", "uploads/images/", "127.0.0.1"):
        assert private not in text


def test_every_way_to_upload_is_counted() -> None:
    """The addresses by which an image comes to be kept are those that the service has."""
    paths = client_of().app.openapi()["paths"]
    assert all(method.lower() in paths[route] for method, route in UPLOADING)
    assert {route for route in paths if route.endswith("/complete")} <= {route for _, route in UPLOADING}


def test_metrics_are_for_those_who_may_read_them() -> None:
    """Who comes through an unknown proxy could be anyone; for who may not there is nothing there."""
    assert client_of().ask("GET", "/metrics").status_code == 200
    for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        problem_of(client_of().ask("GET", "/metrics", headers=headers), 404, "http-404")
    problem_of(client_of(metrics_from=("10.0.0.0/8",)).ask("GET", "/metrics"), 404, "http-404")
    proxied = client_of(proxies=("127.0.0.1",), metrics_from=("192.0.2.7",))
    assert proxied.ask("GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 200
    assert proxied.ask("GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.8"}).status_code == 404
    assert proxied.ask("GET", "/metrics").status_code == 404


def lines_of(caplog: pytest.LogCaptureFixture, formatter: logging.Formatter) -> list[str]:
    return [formatter.format(record) for record in caplog.records if record.name == "keyhole.service"]


def test_a_request_is_one_line_and_has_no_secret_in_it(caplog: pytest.LogCaptureFixture) -> None:
    """Queries, tokens, cookies and file names are not in it, in neither format; a path cannot begin a line."""
    caplog.set_level(logging.INFO, "keyhole.service")
    client = client_of()
    secrets = {"Authorization": "Bearer kh_secret", "Cookie": "keyhole_session=hush"}
    client.ask("GET", "/v1/rules?token=hidden", headers=secrets)
    client.ask("GET", "/v1/a%0AGET /v1/forged 200")
    client.upload(make_png(), "private-name.png")
    for formatter in (make_formatter("text"), make_formatter("json")):
        lines = lines_of(caplog, formatter)
        assert len([line for line in lines if "/v1/" in line]) == 3
        for line in lines:
            assert "\n" not in line
            for secret in ("kh_secret", "hush", "hidden", "private-name"):
                assert secret not in line


def test_lines_for_machines_have_fields(caplog: pytest.LogCaptureFixture) -> None:
    """Id, route, status, time, bytes, caller, and why it was refused."""
    caplog.set_level(logging.INFO, "keyhole.service")
    client = client_of()
    answer = client.upload(b"nonsense")
    (line,) = [json.loads(line) for line in lines_of(caplog, JsonFormatter()) if '"request"' in line]
    assert line["request_id"] == answer.headers["x-request-id"] == answer.json()["request_id"]
    assert (line["method"], line["route"], line["path"]) == ("POST", "/v1/uploads", "/v1/uploads")
    assert (line["status"], line["problem"], line["caller"], line["level"]) == (400, "not-an-image", "", "info")
    assert line["bytes"] > 8
    assert line["ms"] >= 0
    assert line["time"].endswith("+00:00")


def test_a_failure_is_told_to_machines_too(caplog: pytest.LogCaptureFixture) -> None:
    """With its traceback in one line, under the id that the client was given."""
    caplog.set_level(logging.INFO, "keyhole.service")
    client = client_of()
    client.store.failure = RuntimeError("broken")
    answer = client.ask("GET", "/v1/uploads")
    assert problem_of(answer, 500, "internal")["request_id"] == answer.headers["x-request-id"]
    lines = [json.loads(line) for line in lines_of(caplog, JsonFormatter())]
    assert any("broken" in line.get("exception", "") for line in lines)
    assert any(answer.headers["x-request-id"] in line["message"] for line in lines)
    assert "broken" not in answer.text


def test_health_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """What balancers ask all day is not in the log while all is well."""
    caplog.set_level(logging.INFO, "keyhole.service")
    client = client_of()
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.ask("GET", path).status_code == 200
    assert lines_of(caplog, JsonFormatter()) == []


def test_a_client_that_goes_away_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged as 499, and nothing stays behind."""
    caplog.set_level(logging.INFO, "keyhole.service")
    client = client_of()

    async def story() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(_message: Any) -> None:
            """Nobody listens."""

        headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"content-length", b"99")]
        scope = {"type": "http", "method": "POST", "path": "/v1/uploads", "query_string": b"", "headers": headers}
        await client.app({**scope, "client": ("127.0.0.1", 1), "http_version": "1.1"}, receive, send)

    anyio.run(story)
    (line,) = [json.loads(line) for line in lines_of(caplog, JsonFormatter()) if '"request"' in line]
    assert line["status"] == 499
    assert client.runtime.in_flight == 0


def test_every_answer_has_the_headers_once() -> None:
    """Those of the guard, and no second where a route has set its own."""
    response = client_of().ask("GET", "/")
    names = [name.lower() for name, _ in response.headers.multi_items()]
    for name in ("cache-control", "content-security-policy", "x-content-type-options", "x-request-id"):
        assert names.count(name) == 1, name
    assert response.headers["cache-control"] == "no-cache"
    assert isinstance(response, httpx.Response)
