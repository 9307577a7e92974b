"""Puts and gets through the gate beside the same calls to the backend alone: what enforcement costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from story import connect, local_aws, wait_for
from timing import Rows, repeat

from keyhole.aws.client import BotocoreAws, Credentials

BODY = b"x" * 10_240
LOOPS = 100
BARE = """
import sys
from werkzeug.serving import WSGIRequestHandler, run_simple
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
WSGIRequestHandler.protocol_version = "HTTP/1.1"
app = DomainDispatcherApplication(create_backend_app)
run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)
"""


def measure(samples: int) -> Rows:
    """Measure 10 KB puts and gets by one client, through the gate and without it."""
    with local_aws() as port:
        aws = connect(port)
        put, get = calls(aws)
        gate_puts, gate_gets = repeat(put, samples, LOOPS), repeat(get, samples, LOOPS)
    port += 1
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", BARE, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/", process)
        bare = BotocoreAws("ap-northeast-2", credentials=Credentials("x", "x"), endpoint_url=f"http://127.0.0.1:{port}")
        put, get = calls(bare)
        bare_puts, bare_gets = repeat(put, samples, LOOPS), repeat(get, samples, LOOPS)
    finally:
        process.terminate()
        process.wait(timeout=10)
    return [
        ("put of 10 KB, enforced", gate_puts, "moto's own server", bare_puts, None),
        ("get of 10 KB, enforced", gate_gets, "moto's own server", bare_gets, None),
    ]


def calls(aws: BotocoreAws) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Make a bucket, and give a put and a get in it."""
    where = {"LocationConstraint": "ap-northeast-2"}
    aws.call("s3", "CreateBucket", Bucket="bench", CreateBucketConfiguration=where)

    def put() -> object:
        return aws.call("s3", "PutObject", Bucket="bench", Key="k", Body=BODY)

    def get() -> object:
        return aws.call("s3", "GetObject", Bucket="bench", Key="k")["Body"].read()

    put()
    get()
    return put, get
