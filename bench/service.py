"""The upload service beside what it stands in front of: signed URLs, uploads of 10 MB, and memory under many at once.

`python bench/service.py` runs the service as a process of its own over a local AWS, with one worker, and prints how it
compares with botocore signing in a loop and with boto3 uploading to the same store. `--uploads N` is how many images of
100 MB are sent at once (default 50), which takes as many gigabytes on disk twice over and a minute or two.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent))
from http_load import Load, press
from load import resident_mib
from story import local_aws
from timing import Rows

from keyhole.local.root_keys import DEFAULT_ACCOUNT, root_credentials
from keyhole.local.state import read_state

MIB = 1024 * 1024
_KEY = "images/yc9x4m2kq0t7r5w1z8n3v6b4h.png"
_BUCKET = "bench-service"
_PROGRAM = """
import json, sys
from keyhole.aws.client import Credentials
from keyhole.service.operation import Operation
from keyhole.service.run import serve
from keyhole.service.settings import Service, Settings

given = json.loads(sys.argv[1])
settings = Settings(
    app="bench", name="images", bucket=given["bucket"], region="us-east-1", prefix="images/",
    content_types=("image/png",), max_bytes=200 * 1024 * 1024, ttl_s=600, max_ttl_s=3600, endpoint_url=given["url"],
)
operation = Operation(credentials=Credentials(given["id"], given["secret"]))
service = Service("bench", "api", {"images": settings}, {})
serve(service, operation, "127.0.0.1", 0, announce=lambda url: print(url, flush=True))
"""


@dataclass(frozen=True)
class Running:
    """A service, and the store behind it as its owner sees it."""

    url: str
    pid: int
    s3: Any


@contextmanager
def running() -> Iterator[Running]:
    """Run a local AWS and the service over it."""
    with local_aws() as port:
        state = read_state(port)
        if state is None:
            sys.exit("the local AWS has left no state")
        keys = root_credentials(state.master, DEFAULT_ACCOUNT)
        s3 = boto3.client(
            "s3",
            endpoint_url=state.url,
            region_name="us-east-1",
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        s3.create_bucket(Bucket=_BUCKET)
        given = {
            "bucket": _BUCKET,
            "url": state.url,
            "id": keys.access_key_id,
            "secret": keys.secret_access_key,
        }
        command = [sys.executable, "-c", _PROGRAM, json.dumps(given)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            _await(url)
            try:
                yield Running(url, process.pid, s3)
            finally:
                process.terminate()


def _await(url: str) -> None:
    for _ in range(400):
        try:
            httpx.get(f"{url}healthz", trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    sys.exit("the service does not answer")


def measure(samples: int) -> Rows:
    """Measure URLs one by one and in batches, and uploads of 10 MB."""
    with running() as service:
        one, batch, bare = measure_urls(service, samples, seconds=1.0)
        ours, theirs = measure_uploads(service, samples)
    return [
        ("service: a signed URL over HTTP", one, "botocore in a loop", bare, 2 * statistics.median(bare)),
        ("service: a signed URL of a batch of 1,000", batch, "botocore in a loop", bare, 2 * statistics.median(bare)),
        ("service: a PNG of 10 MB uploaded", ours, "boto3 upload_fileobj", theirs, statistics.median(theirs) / 0.8),
    ]


def measure_urls(service: Running, samples: int, *, seconds: float) -> tuple[list[float], list[float], list[float]]:
    """Give seconds for a URL: each asked for alone, in batches, and signed by botocore. They take turns."""
    keys = [f"images/{number:04}.png" for number in range(1000)]
    body = json.dumps({"keys": keys}).encode()
    one: list[float] = []
    batch: list[float] = []
    bare: list[float] = []
    for _ in range(samples):
        one.append(1 / press(service.url, f"/v1/uploads/{_KEY}/url", clients=16, seconds=seconds).rate)
        batch.append(1 / (len(keys) * press(service.url, "/v1/urls", body=body, clients=2, seconds=seconds).rate))
        bare.append(_sign_bare(service.s3, seconds))
    return one, batch, bare


def _sign_bare(s3: Any, seconds: float) -> float:
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        s3.generate_presigned_url("get_object", Params={"Bucket": _BUCKET, "Key": _KEY}, ExpiresIn=600)
        count += 1
    return (time.perf_counter() - began) / count


def measure_uploads(service: Running, samples: int) -> tuple[list[float], list[float]]:
    """Give seconds for an image of 10 MB: through the service, and by boto3 to the same store. They take turns."""
    data = make_png(10_000_000)
    ours: list[float] = []
    theirs: list[float] = []
    with httpx.Client(trust_env=False, timeout=60) as client:
        for number in range(samples + 1):

            def through_service() -> None:
                files = {"file": ("a.png", data)}
                client.post(f"{service.url}v1/uploads", files=files).raise_for_status()

            def by_boto3(number: int = number) -> None:
                service.s3.upload_fileobj(io.BytesIO(data), _BUCKET, f"baseline/{number}")

            ours.append(_time(through_service))
            theirs.append(_time(by_boto3))
    return ours[1:], theirs[1:]  # the first of each has to connect


def _time(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure_crowd(seconds: float = 5.0, clients: int = 64) -> Load:
    """Let many ask for URLs at once."""
    with running() as service:
        return press(service.url, f"/v1/uploads/{_KEY}/url", clients=clients, seconds=seconds)


@dataclass(frozen=True)
class Memory:
    """The most that the service's process took, in MiB, and what the uploads were answered with."""

    uploads: int
    peak_mib: int
    checks_mib: int
    answers: dict[str, int]
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.uploads} uploads of 100 MB at once: the service took {self.peak_mib} MiB at most, the processes "
            f"that look at images {self.checks_mib} MiB together; answers {self.answers} in {self.seconds:.0f} s"
        )


def measure_memory(uploads: int) -> tuple[Memory, Memory]:
    """Send one image of 100 MB, and then many at once; the service is the same process."""
    with running() as service, tempfile.TemporaryDirectory(prefix="keyhole-bench-") as folder:
        form = Path(folder) / "form"
        form.write_bytes(make_form(make_png(100_000_000)))
        _send_all(service, form, 1)
        return _send_all(service, form, 1), _send_all(service, form, uploads)


def _send_all(service: Running, form: Path, uploads: int) -> Memory:
    """Upload the form so many times at once, and watch."""
    answers: Counter[str] = Counter()
    peak, checks, is_over = 0, 0, threading.Event()

    def watch() -> None:
        nonlocal peak, checks
        while not is_over.wait(0.05):
            peak = max(peak, resident_mib(service.pid))
            checks = max(checks, sum(_resident_mib(pid) for pid in _children(service.pid)))

    def send() -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=bench"}
        with form.open("rb") as file, httpx.Client(trust_env=False, timeout=900) as client:
            try:
                answer = client.post(
                    f"{service.url}v1/uploads", content=iter(lambda: file.read(MIB), b""), headers=headers
                )
                answers[str(answer.status_code)] += 1
            except httpx.TransportError as error:
                answers[type(error).__name__] += 1

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    senders = [threading.Thread(target=send) for _ in range(uploads)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    seconds = time.perf_counter() - began
    is_over.set()
    watcher.join()
    return Memory(uploads, peak, checks, dict(answers), seconds)


def _children(pid: int) -> list[int]:
    """Give the processes below this one. Linux only."""
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return found + [below for child in found for below in _children(child)]


def _resident_mib(pid: int) -> int:
    try:
        return resident_mib(pid)
    except (OSError, StopIteration):
        return 0


def make_png(size_bytes: int) -> bytes:
    """Give a PNG of noise of about this size: it cannot be made smaller, and looking at it reads every byte."""
    side = int((size_bytes / 3) ** 0.5)
    row = side * 3
    rows = b"".join(b"\x00" + os.urandom(row) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def make_form(data: bytes) -> bytes:
    """Give the image as a form with the boundary `bench`."""
    disposition = b'Content-Disposition: form-data; name="file"; filename="a.png"'
    return b"--bench\r\n" + disposition + b"\r\n\r\n" + data + b"\r\n--bench--\r\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--uploads", type=int, default=50, help="how many images of 100 MB are sent at once; 0 for none"
    )
    parser.add_argument("--samples", type=int, default=5)
    given = parser.parse_args()
    console = Console(highlight=False)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="keyhole-bench-") as folder:
        os.environ["KEYHOLE_STATE_DIR"] = folder
        for what, samples, baseline, baseline_samples, _ in measure(given.samples):
            ours, base = statistics.median(samples), statistics.median(baseline_samples)
            console.print(f"{what}: {1 / ours:,.1f} a second; {baseline}: {1 / base:,.1f}; {base / ours:.2f} of it")
        console.print(str(measure_crowd()))
        if given.uploads:
            for memory in measure_memory(given.uploads):
                console.print(str(memory))


if __name__ == "__main__":
    main()
