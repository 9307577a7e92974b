"""The whole story of this example against a local AWS: from nothing, to a working upload app, to nothing.

Every stage runs the same commands that a person would type. `--check` also uses the app, tries what is forbidden,
takes everything down again, and exits with 0 only if all of that held.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

sys.path.insert(0, str(Path(__file__).parent))
from checks import Checks

HERE = Path(__file__).parent
SPEC = HERE / "keyhole.toml"
INSTANCE = "ai-image-community-api"
REGION = "ap-northeast-2"
console = Console(highlight=False, soft_wrap=True)


class Stage:
    """Numbers the stages and says what each is for."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._number = 0

    def __call__(self, title: str, meaning: str) -> None:
        self._number += 1
        console.print()
        console.print(Rule(f"[bold]{self._number}/{self._total} {title}[/]", align="left", style="cyan"))
        console.print(f"[dim]{meaning}[/]\n")


class Keyhole:
    """Runs `keyhole` commands against the demo's own local AWS, and shows them as one would type them."""

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self.port = port
        self.environment = environment

    def run(self, *words: str, expect: int = 0, quiet: bool = False) -> str:
        """Run one command; leave the demo if it ends otherwise than expected."""
        command = self._command(words)
        if not quiet:
            console.print(f"[bold cyan]$[/] [bold]{self._shown(words)}[/]")
        done = subprocess.run(
            command, env=self.environment, check=False, text=True, stdout=subprocess.PIPE if quiet else None
        )
        if done.returncode != expect:
            sys.exit(f"`{self._shown(words)}` ended with {done.returncode}, not {expect}")
        return done.stdout or ""

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command that stays; its own process group, so that Ctrl-C reaches only the demo."""
        console.print(f"[bold cyan]$[/] [bold]{self._shown(words)}[/]")
        return subprocess.Popen(self._command(words), env=self.environment, text=True, start_new_session=True)

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "keyhole.cli.main", *words]

    def _shown(self, words: tuple[str, ...]) -> str:
        text = shlex.join(("keyhole", *words)).replace(str(SPEC), "keyhole.toml")
        return text.replace(f" --port {self.port}", "").replace(f" --local-port {self.port}", "")


def main() -> None:
    """Tell the story."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="check everything, take it down again, and exit")
    check = parser.parse_args().check
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    console.print("[bold]Keyhole[/]: the smallest opening an app needs into S3, and proof that there is no other.")
    keyhole = Keyhole(free_port(4566), clean_environment())
    tell(keyhole, check=check)
    if check:
        console.print(f"\n[bold green]demo passed[/] in {time.monotonic() - started:.1f} s")


def tell(keyhole: Keyhole, *, check: bool) -> None:
    """Go through the stages: up, used, and (with `check`) down again."""
    at = ("-f", str(SPEC), "--local", "--local-port", str(keyhole.port))
    stage = Stage(9 if check else 6)
    stage("a local AWS", "Stands in for your AWS account. IAM is really enforced in it: what AWS denies, it denies.")
    with process(keyhole.start("local", "start", "--port", str(keyhole.port))) as local:
        wait_for(f"http://127.0.0.1:{keyhole.port}/_keyhole/status", local)
        stage("an EC2 instance", "The server that the app runs on. It is there already and has no role yet.")
        keyhole.run("local", "instance", INSTANCE, "--region", REGION, "--port", str(keyhole.port))
        stage("plan", "keyhole.toml says what the app may do; the plan says what that takes. Nothing changes yet.")
        keyhole.run("plan", *at)
        stage("up", "The policies are decided on paper first; then the calls are made, side by side where they can be.")
        keyhole.run("up", *at, "--yes")
        stage("verify", "Every claim is tried for real: with the credentials that the instance gets, and with none.")
        keyhole.run("verify", *at)
        stage("serve", "The upload app: it has no access key; instance metadata gives it its role's credentials.")
        port = free_port(8080)
        service = keyhole.start(
            "serve", "-f", str(SPEC), "--local", "--local-port", str(keyhole.port), "--port", str(port)
        )
        with process(service):
            page = f"http://127.0.0.1:{port}"
            wait_for(f"{page}/healthz", service)
            if not check:
                stay_up(page, keyhole)
                return
            use(keyhole, page, stage)
        take_down(keyhole, at, stage)


def use(keyhole: Keyhole, page: str, stage: Stage) -> None:
    """Upload an image, read it as a stranger, and try three things that nobody may do."""
    checks = Checks(console, root_environment(keyhole), REGION)
    stage(
        "use it", "An image goes in through the API and comes out at its public URL; three forbidden things are tried."
    )
    checks.look_at_page(page)
    checks.upload_and_read(page)
    checks.try_forbidden(INSTANCE)
    if checks.failed:
        sys.exit(f"{checks.failed} checks failed")


def take_down(keyhole: Keyhole, at: tuple[str, ...], stage: Stage) -> None:
    """Remove everything, and show that nothing is left."""
    stage("down", "The bucket holds an image now: without --empty it is not deleted, and nothing else is either.")
    keyhole.run("down", *at, "--yes", expect=2)
    console.print()
    keyhole.run("down", *at, "--yes", "--empty")
    stage("nothing is left", "Asked of the account itself, not of Keyhole.")
    checks = Checks(console, root_environment(keyhole), REGION)
    checks.nothing_left(INSTANCE)
    if checks.failed:
        sys.exit(f"{checks.failed} checks failed")


def stay_up(page: str, keyhole: Keyhole) -> None:
    """Say where the page is, and wait for Ctrl-C."""
    console.print(f"\n[bold green]The upload page is at {page}[/]  (Ctrl-C ends the demo; nothing of it stays)")
    console.print(f"[dim]The local AWS is at http://127.0.0.1:{keyhole.port}.[/]")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("\nended")


def root_environment(keyhole: Keyhole) -> dict[str, str]:
    """Give the variables by which any AWS tool reaches the local AWS as the account's root."""
    lines = keyhole.run("local", "env", "--port", str(keyhole.port), quiet=True).splitlines()
    exports = (line.removeprefix("export ").partition("=") for line in lines if line.startswith("export "))
    return {name: shlex.split(value)[0] for name, _, value in exports}


def clean_environment() -> dict[str, str]:
    """Give this process's environment without anything that leads to a real AWS account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def free_port(preferred: int) -> int:
    """Give the preferred port if it is free, else any other."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
            if port == 0:
                console.print(f"[dim]port {preferred} is taken: this demo uses {found}[/]")
            return found
    sys.exit("there is no free port")


@contextmanager
def process(running: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """End the process with the block, gently first."""
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(timeout=10)
        except subprocess.TimeoutExpired:
            running.kill()


def wait_for(url: str, running: subprocess.Popen[str]) -> None:
    """Wait until the URL answers."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if running.poll() is not None:
            sys.exit(f"it ended at once, with {running.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{url} did not answer within 30 s")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
