"""A site for a browser: a bucket in the local AWS, and the service in front of it with its instance's credentials."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from service_images import png_chunk

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.aws.imds import fetch_instance_credentials
from keyhole.blueprint import Blueprint
from keyhole.local.server import LocalAws
from keyhole.service.app import create_app
from keyhole.service.images.check import ImageChecker
from keyhole.service.operation import Operation
from keyhole.service.run import make_opener, make_server
from keyhole.service.runtime import make_runtime
from keyhole.service.settings import make_service, make_settings
from keyhole.spec import load_spec
from keyhole.verify.identities import local_imds
from keyhole.verify.picture import access_picture
from local_story import blueprint_of, run_instance, up

REGION = "ap-northeast-2"
INSTANCE = "gallery-api"
_ACCOUNT = "123456789012"

_SPEC = """
[app]
name = "gallery"
region = "ap-northeast-2"

[buckets.pictures]
public_read = ["open/"]

[workloads.api]
kind = "ec2"
instance = "gallery-api"
{grants}
{callers}
[uploads.open]
workload = "api"
bucket = "pictures"
prefix = "open/"
content_types = ["image/png", "image/jpeg", "image/gif", "image/webp"]
max_bytes = 1000000
thumbnails = [320]

[uploads.direct]
workload = "api"
bucket = "pictures"
prefix = "direct/"
content_types = ["image/png", "image/jpeg"]
max_bytes = 40000000
signed_uploads = true
origins = ["{origin}"]
"""
_GRANT = """
[[workloads.api.grants]]
bucket = "pictures"
prefix = "{}"
verbs = ["read", "write", "delete", "list"]
"""
_CALLERS = """
[callers.people]
kind = "token"
"""


@dataclass(frozen=True)
class Site:
    """Where the page is, and the bucket behind it as the account's owner sees it."""

    url: str
    bucket: str
    s3: Any
    local: LocalAws

    def keys(self, prefix: str = "") -> list[str]:
        """Give the keys of all objects that are images of an upload or wait to become one."""
        answer = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in answer.get("Contents", ()) if "idempotency/" not in item["Key"]]

    def images(self, prefix: str) -> list[str]:
        """Give the keys under the prefix without thumbnails."""
        return [key for key in self.keys(prefix) if "/thumbnails/" not in key]

    def unfinished(self) -> list[str]:
        """Give the keys of uploads in parts that are under way."""
        answer = self.s3.list_multipart_uploads(Bucket=self.bucket)
        return [item["Key"] for item in answer.get("Uploads", ())]

    def wait_for_none(self) -> None:
        """Wait until nothing is left: what a page asks for as it is left arrives when it arrives."""
        for _ in range(300):
            if not self.keys():
                return
            time.sleep(0.1)
        raise AssertionError(f"still there: {self.keys()}")

    def empty(self) -> None:
        """Take away all objects, and all parts of objects."""
        for item in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", ()):
            self.s3.delete_object(Bucket=self.bucket, Key=item["Key"])
        for item in self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", ()):
            self.s3.abort_multipart_upload(Bucket=self.bucket, Key=item["Key"], UploadId=item["UploadId"])


@contextmanager
def open_site(
    local: LocalAws, folder: Path, *, tokens_file: Path | None = None, has_probes: bool = False
) -> Iterator[Site]:
    """Make the app's resources in an empty local AWS, and serve its uploads; with a tokens file to callers alone."""
    local.reset()
    root = local.root_credentials(_ACCOUNT)
    owner = BotocoreAws(
        REGION, credentials=Credentials(root.access_key_id, root.secret_access_key), endpoint_url=local.url
    )
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        file = folder / "keyhole.toml"
        grants = "".join(_GRANT.format(prefix) for prefix in ("open/", "direct/"))
        file.write_text(_SPEC.format(origin=url, grants=grants, callers=_CALLERS if tokens_file else ""))
        instance = run_instance(owner, INSTANCE)
        blueprint = blueprint_of(file)
        up(owner, blueprint)
        found = fetch_instance_credentials(local_imds(owner, instance))
        app = load_spec(file).app
        uploads = [make_settings(app, name, _ACCOUNT, endpoint_url=local.url) for name in app.uploads]
        service = make_service(app, "api", uploads)
        checker = stack.enter_context(ImageChecker(workers=1))
        checker.start()
        probes_file = folder / "probes.json"
        if has_probes:
            probes_file.write_text(json.dumps(_find_wrong(blueprint)))
        operation = Operation(
            tokens_file=tokens_file,
            credentials=found.credentials,
            picture=access_picture(load_spec(file), blueprint),
            probes_file=probes_file,
        )
        runtime = make_runtime(service, operation)
        asgi = create_app(service, runtime, open_store=make_opener(service, operation), checker=checker)
        server = make_server(asgi, runtime)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join()

        stack.callback(end)
        s3 = boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=local.url,
            aws_access_key_id=root.access_key_id,
            aws_secret_access_key=root.secret_access_key,
        )
        yield Site(url, uploads[0].bucket, s3, local)


def _find_wrong(blueprint: Blueprint) -> dict[str, Any]:
    """Give what `keyhole verify` would have found, had one claim not held."""
    (claim,) = (
        found
        for found in blueprint.claims
        if "can s3:PutObject" in found.sentence and "/open/" in found.resource and found.who == "api"
    )
    found = {"id": claim.id, "verdict": "fails", "got": "denied", "reason": "AWS's own sentence"}
    return {"at": "2026-11-20T12:00:00+00:00", "claims": [found]}


def make_noise(width: int, height: int) -> bytes:
    """Give a PNG of random colours, which no compression makes smaller: three bytes a pixel."""
    rows = b"".join(b"\0" + os.urandom(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows, 0)), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
