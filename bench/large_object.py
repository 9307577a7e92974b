"""A large object through the local AWS: how much memory the server takes for putting it in parts and for getting it.

`python bench/large_object.py` uploads and downloads 1 GiB in parts of 16 MiB, by the threads that boto3 uses itself,
and prints the peak of the server's resident memory (VmHWM, which Linux counts) after each step. It takes half a minute,
and as much disk as three objects. `--mib N` is another size.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))
from story import local_aws

from keyhole.local.root_keys import DEFAULT_ACCOUNT, root_credentials
from keyhole.local.state import read_state

MIB = 1024 * 1024
PART = 16 * MIB


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="the size of the object")
    size = parser.parse_args().mib * MIB
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="keyhole-bench-") as folder:
        os.environ["KEYHOLE_STATE_DIR"] = folder
        source = Path(folder) / "source"
        digest = write_source(source, size)
        with local_aws() as port:
            steps = measure(port, source, digest)
    table = Table(title=f"{size // MIB} MiB in parts of {PART // MIB} MiB", title_justify="left")
    for column in ("step", "seconds", "server's peak so far"):
        table.add_column(column, justify="left" if column == "step" else "right", no_wrap=True)
    for step, seconds, peak_mib in steps:
        table.add_row(step, f"{seconds:.1f}", f"{peak_mib} MiB")
    Console(highlight=False).print(table)


def write_source(path: Path, size: int) -> str:
    """Write a file that does not repeat, and give its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size // MIB):
            block = os.urandom(MIB)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def measure(port: int, source: Path, digest: str) -> list[tuple[str, float, int]]:
    """Put the file and get it in three ways; give seconds and the server's peak in MiB after each."""
    s3, pid = connect(port)
    s3.create_bucket(Bucket="bench")
    parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)

    def put_in_parts() -> None:
        s3.upload_file(str(source), "bench", "k", Config=parts)

    def get_whole() -> None:
        found = hashlib.sha256()
        for block in s3.get_object(Bucket="bench", Key="k")["Body"].iter_chunks(MIB):
            found.update(block)
        if found.hexdigest() != digest:
            sys.exit("what came back is not what was sent")

    def get_by_ranges() -> None:
        s3.download_file("bench", "k", str(source.with_name("copy")), Config=parts)

    def put_whole() -> None:
        with source.open("rb") as file:
            s3.put_object(Bucket="bench", Key="whole", Body=file)

    steps: list[tuple[str, float, int]] = [("start", 0.0, peak_mib(pid))]
    works: tuple[tuple[str, Callable[[], None]], ...] = (
        ("put in parts", put_in_parts),
        ("get as one", get_whole),
        ("get by ranges, 10 at once", get_by_ranges),
        ("put as one", put_whole),
    )
    for name, work in works:
        started = time.perf_counter()
        work()
        steps.append((name, time.perf_counter() - started, peak_mib(pid)))
    return steps


def connect(port: int) -> tuple[Any, int]:
    """Give a client of the local AWS's root, and the server's process id."""
    state = read_state(port)
    if state is None:
        sys.exit("the local AWS has left no state")
    keys = root_credentials(state.master, DEFAULT_ACCOUNT)
    client = boto3.client(
        "s3",
        endpoint_url=state.url,
        region_name="us-east-1",
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        config=Config(max_pool_connections=32),
    )
    return client, state.pid


def peak_mib(pid: int) -> int:
    """Give the largest resident memory that the process has had, in MiB. Only Linux tells."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) // 1024


if __name__ == "__main__":
    main()
