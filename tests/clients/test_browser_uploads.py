"""A page in a real browser uploads to and reads from a bucket of another origin."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser

from gate_clients import Aws, allow

_PUT = """async ([url]) => {
  const answer = await fetch(url, {method: "PUT", body: "by a page", headers: {"Content-Type": "text/plain"}});
  return [answer.status, answer.headers.get("ETag"), answer.headers.get("x-amz-version-id")];
}"""
_POST = """async ([url, fields]) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", new Blob(["in a form"], {type: "text/plain"}), "a.txt");
  const answer = await fetch(url, {method: "POST", body: form});
  return [answer.status, answer.headers.get("ETag")];
}"""
_GET = "async ([url]) => await (await fetch(url)).text()"
_FAILS = """async ([url]) => {
  try { await fetch(url, {method: "PUT", body: "no"}); return "it went through"; }
  catch (error) { return error.name; }
}"""


class _Blank(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>page</title>")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """The origin of a page that is not the bucket's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _open_to(aws: Aws, bucket: str, origin: str, *methods: str) -> None:
    rule = {
        "AllowedOrigins": [origin],
        "AllowedMethods": list(methods),
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3000,
    }
    aws.client("s3").put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})


def test_presigned_put_post_and_get(aws: Aws, browser: Browser, origin: str) -> None:
    """With a rule for its origin a page puts, posts and gets by presigned URLs, and sees the ETag but nothing else."""
    bucket = aws.bucket()
    _open_to(aws, bucket, origin, "GET", "PUT", "POST")
    s3 = aws.client("s3", aws.user(allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{bucket}/*")))
    page = browser.new_page()
    page.goto(origin)
    where = {"Bucket": bucket, "Key": "a b.txt"}
    put = s3.generate_presigned_url("put_object", Params={**where, "ContentType": "text/plain"})
    status, etag, version = page.evaluate(_PUT, [put])
    assert (status, version) == (200, None)
    assert etag == aws.client("s3").head_object(**where)["ETag"]
    assert page.evaluate(_GET, [s3.generate_presigned_url("get_object", Params=where)]) == "by a page"
    form = s3.generate_presigned_post(bucket, "form.txt")
    status, etag = page.evaluate(_POST, [form["url"], form["fields"]])
    assert (status, etag) == (204, aws.client("s3").head_object(Bucket=bucket, Key="form.txt")["ETag"])
    page.close()


@pytest.mark.parametrize("rule", ["none", "other origin", "other method"])
def test_a_page_without_a_rule_is_kept_out(aws: Aws, browser: Browser, origin: str, rule: str) -> None:
    """Where no CORS rule is for the page's origin and method, its request does not leave the browser."""
    bucket = aws.bucket()
    if rule != "none":
        _open_to(
            aws,
            bucket,
            "http://localhost:3000" if rule == "other origin" else origin,
            "GET" if rule == "other method" else "PUT",
        )
    s3 = aws.client("s3", aws.user(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*")))
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    page = browser.new_page()
    page.goto(origin)
    assert page.evaluate(_FAILS, [url]) == "TypeError"
    page.close()
    assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0
