"""`keyhole run`: programs that know nothing of Keyhole find a workload's credentials, and are left as they are."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.local.server import LocalAws
from keyhole.resources.instance_attachment import find_instances
from local_story import blueprint_of, inventory, run_instance, up

SPEC = """
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]

[workloads.web]
kind = "ec2"
instance = "shop-web"
grants = [{ bucket = "images", prefix = "up/", verbs = ["read", "write"] }]

[workloads.loose]
kind = "ec2"

[workloads.worker]
kind = "ecs"

[workloads.report]
kind = "role"

[workloads.server]
kind = "access-key"

[workloads.deploy]
kind = "github-actions"
repository = "acme/shop"
branch = "main"

[workloads.numbered]
kind = "github-actions"
repository = "acme/infra"
environment = "prod"
owner_id = 11
repository_id = 22
"""
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
PYTHON = sys.executable


@pytest.fixture(scope="module")
def aws(running_local_aws: LocalAws) -> BotocoreAws:
    """The account's root, in a local AWS that this module begins anew."""
    running_local_aws.reset()
    root = running_local_aws.root_credentials()
    credentials = Credentials(root.access_key_id, root.secret_access_key)
    return BotocoreAws("eu-west-1", credentials=credentials, endpoint_url=running_local_aws.url, max_attempts=1)


@pytest.fixture(scope="module")
def line(running_local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The command line up to the workload."""
    file = tmp_path_factory.mktemp("run") / "keyhole.toml"
    file.write_text(SPEC, "utf-8")
    port = str(running_local_aws.port)
    return (PYTHON, "-m", "keyhole.cli.main", "run", "-f", str(file), "--local-port", port, "--as")


@pytest.fixture(scope="module")
def ready(line: tuple[str, ...], aws: BotocoreAws) -> tuple[str, ...]:
    """The same, where everything of the file was made."""
    run_instance(aws, "shop-web")
    assert up(aws, blueprint_of(Path(line[5]))).is_complete
    return line


def run(line: Sequence[str], *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*line, *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("workload", "arn"),
    [
        ("web", "assumed-role/shop-web/i-"),
        ("loose", "assumed-role/shop-loose/i-"),
        ("worker", "assumed-role/shop-worker/"),
        ("report", "assumed-role/shop-report/report-"),
        ("server", "user/keyhole/shop/default/shop-server"),
        ("deploy", "assumed-role/shop-deploy/GitHubActions"),
        ("numbered", "assumed-role/shop-numbered/GitHubActions"),
    ],
)
def test_a_program_finds_the_workloads_credentials(ready: tuple[str, ...], workload: str, arn: str) -> None:
    """boto3 is who the workload is, though somebody else's keys and profile are in the environment."""
    strangers = {
        "AWS_ACCESS_KEY_ID": "AKIASTRANGER",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_PROFILE": "none",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
        "AWS_REGION": "us-west-2",
        "http_proxy": "http://127.0.0.1:1",
    }
    done = run(ready, workload, "--", PYTHON, "-c", WHO, **strangers)
    assert (done.returncode, done.stderr if workload != "loose" else "") == (0, "")
    assert done.stdout.startswith(("arn:aws:sts::123456789012:", "arn:aws:iam::123456789012:"))
    assert arn in done.stdout


def test_the_workload_can_what_the_file_says_and_no_more(ready: tuple[str, ...]) -> None:
    """An S3 program writes under its prefix, and is denied outside it."""
    script = (
        "import boto3\n"
        "s3 = boto3.client('s3')\n"
        "bucket = 'shop-images-123456789012'\n"
        "s3.put_object(Bucket=bucket, Key='up/a', Body=b'x')\n"
        "try:\n    s3.put_object(Bucket=bucket, Key='a', Body=b'x')\n"
        "except s3.exceptions.ClientError as error:\n    print(error.response['Error']['Code'])\n"
    )
    done = run(ready, "web", "--", PYTHON, "-c", script)
    assert (done.returncode, done.stdout) == (0, "AccessDenied\n"), done.stderr


def test_what_was_made_for_the_run_is_gone_after_it(ready: tuple[str, ...], aws: BotocoreAws) -> None:
    """No user, key or instance stays behind, whatever the command's end."""
    before = (inventory(aws), user_names(aws), access_keys(aws), instances(aws))
    for workload in ("loose", "report", "server"):
        assert run(ready, workload, "--", PYTHON, "-c", "raise SystemExit(3)").returncode == 3
    assert (inventory(aws), user_names(aws), access_keys(aws), instances(aws)) == before


def user_names(aws: BotocoreAws) -> list[str]:
    return [user["UserName"] for user in aws.pages("iam", "ListUsers", "Users")]


def access_keys(aws: BotocoreAws) -> list[str]:
    keys = aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", UserName="shop-server")
    return [key["AccessKeyId"] for key in keys]


def instances(aws: BotocoreAws) -> list[str]:
    found = aws.pages("ec2", "DescribeInstances", "Reservations")
    return sorted(
        instance["InstanceId"]
        for reservation in found
        for instance in reservation["Instances"]
        if instance["State"]["Name"] == "running"
    )


def test_no_secret_is_in_the_command_line_and_no_file_for_others(ready: tuple[str, ...]) -> None:
    """The command is run as it was given; a file that has a key is its owner's alone, in a folder of its own."""
    script = (
        "import os, stat, sys\n"
        "file = os.environ['AWS_CONFIG_FILE']\n"
        "modes = [oct(stat.S_IMODE(os.stat(path).st_mode)) for path in (file, os.path.dirname(file))]\n"
        "print(sys.argv[1:], modes, file)\n"
    )
    done = run(ready, "report", "--", PYTHON, "-c", script, "--as", "a b", "$HOME")
    *shown, file = done.stdout.split()
    assert " ".join(shown) == "['--as', 'a b', '$HOME'] ['0o600', '0o700']"
    assert not Path(file).exists()


def test_input_and_output_are_the_commands(ready: tuple[str, ...]) -> None:
    """Bytes go through as they are, and nothing is added."""
    data = bytes(range(256)) * 64
    done = subprocess.run([*ready, "web", "cat"], input=data, capture_output=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == (data, b"")


def test_a_container_is_one_hop_further(ready: tuple[str, ...], aws: BotocoreAws) -> None:
    """With `--hops 2` there are credentials within the hop limit that `up` sets, and none where it is 1."""
    words = ("web", "--hops", "2", "--", PYTHON, "-c", "import boto3; print(boto3.Session().get_credentials())")
    assert "None" not in run(ready, *words).stdout
    [instance] = find_instances(aws, "shop-web")
    options = {"InstanceId": instance["InstanceId"], "HttpPutResponseHopLimit": 1}
    aws.call("ec2", "ModifyInstanceMetadataOptions", **options)
    try:
        assert run(ready, *words).stdout == "None\n"
    finally:
        aws.call("ec2", "ModifyInstanceMetadataOptions", **{**options, "HttpPutResponseHopLimit": 2})
    assert "`--hops` is for kind `ec2`" in run(ready, "worker", "--hops", "2", "--", "true").stderr


@pytest.mark.parametrize(("script", "status"), [("exit 255", 255), ("kill -KILL $$", 137)])
def test_the_exit_status_is_the_commands(ready: tuple[str, ...], script: str, status: int) -> None:
    """Whatever it ends with is passed on; death by a signal is 128 and its number."""
    assert run(ready, "web", "--", "sh", "-c", script).returncode == status


@pytest.fixture
def waiting(ready: tuple[str, ...]) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a command that says "ready" once it waits."""
    started: list[subprocess.Popen[str]] = []

    def start(workload: str) -> subprocess.Popen[str]:
        script = (
            "import signal, sys\n"
            "def say(number, _frame):\n"
            "    print(signal.Signals(number).name, flush=True)\n"
            "    number == signal.SIGTERM and sys.exit(7)\n"
            "for name in ('SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGWINCH'):\n"
            "    signal.signal(getattr(signal, name), say)\n"
            "print('ready', flush=True)\n"
            "while True:\n    signal.pause()\n"
        )
        words = [*ready, workload, "--", PYTHON, "-c", script]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=10)
        if process.stdout:
            process.stdout.close()


def test_signals_reach_the_command(waiting: Callable[[str], subprocess.Popen[str]]) -> None:
    """What is sent to `keyhole run` the command gets, and its answer to SIGTERM is the exit status."""
    process = waiting("web")
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    for name in ("SIGINT", "SIGHUP", "SIGUSR1", "SIGWINCH", "SIGTERM"):
        process.send_signal(getattr(signal, name))
        assert process.stdout.readline() == f"{name}\n"
    assert process.wait(timeout=30) == 7


def test_a_key_is_deleted_also_after_a_signal(
    waiting: Callable[[str], subprocess.Popen[str]], aws: BotocoreAws
) -> None:
    """The access key lives as long as the command, however that ends."""
    process = waiting("server")
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    assert len(access_keys(aws)) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 7
    assert access_keys(aws) == []


def test_ctrl_c_on_a_terminal_reaches_the_command_once(ready: tuple[str, ...]) -> None:
    """The terminal interrupts the whole foreground: nothing is passed on a second time, and the terminal is its own."""
    script = (
        "import os, signal, sys\n"
        "seen = []\n"
        "signal.signal(signal.SIGINT, lambda *_: seen.append(1))\n"
        "print('ready', os.isatty(0), os.isatty(1), os.tcgetpgrp(0) == os.getpgrp(), flush=True)\n"
        "sys.stdin.readline()\n"
        "print('interrupts', len(seen), flush=True)\n"
        "raise SystemExit(9)\n"
    )
    # A session's leader takes the terminal as its own, as a shell has done.
    own_terminal = (
        "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    )
    master, slave = pty.openpty()
    attributes = termios.tcgetattr(slave)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    words = [PYTHON, "-c", own_terminal, *ready, "web", "--", PYTHON, "-c", script]
    process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    try:
        with os.fdopen(os.dup(master), "r", newline="") as terminal:
            assert terminal.readline() == "ready True True True\r\n"
            os.write(master, b"\x03")
            os.write(master, b"go\n")
            assert terminal.readline() == "interrupts 1\r\n"
            assert process.wait(timeout=30) == 9
    finally:
        process.kill()
        process.wait(timeout=10)
        os.close(master)


def test_a_command_that_is_not_there_is_127(line: tuple[str, ...]) -> None:
    """It is said before anything is made."""
    done = run(line, "web", "--", "no-such-command-of-mine")
    assert done.returncode == 127
    assert "there is no command `no-such-command-of-mine`" in done.stderr


def test_a_command_that_cannot_be_executed_is_126(ready: tuple[str, ...], tmp_path: Path) -> None:
    """A folder, a file without the right to execute it, and one that is no program."""
    done = run(ready, "web", "--", str(tmp_path))
    assert (done.returncode, "is a folder" in done.stderr) == (126, True)
    script = tmp_path / "script"
    script.write_text("exit 0\n")
    done = run(ready, "web", "--", str(script))
    assert (done.returncode, "cannot be executed" in done.stderr) == (126, True)
    script.chmod(0o755)
    done = run(ready, "web", "--", str(script))
    assert (done.returncode, "does not start: exec format error" in done.stderr) == (126, True)


def test_a_script_without_its_interpreter_is_127(ready: tuple[str, ...], tmp_path: Path) -> None:
    """The message speaks of its first line, not of the file that is there."""
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    done = run(ready, "web", "--", str(script))
    assert (done.returncode, "its first line" in done.stderr) == (127, True)


def test_an_unknown_workload_is_wrong_usage(line: tuple[str, ...]) -> None:
    """Exit code 2, with the names that there are."""
    done = run(line, "wbe", "--", "true")
    assert done.returncode == 2
    assert "the file has no workload `wbe`" in done.stderr
    assert "`web`, `loose`, `worker`, `report`, `server`, `deploy`" in done.stderr


@pytest.mark.parametrize(
    ("workload", "reason"),
    [
        ("web", "there is no instance `absent-web` in eu-west-1"),
        ("loose", "Instance Profile"),
        ("worker", "ECS was unable to assume the role"),
        ("report", "absent-report"),
        ("server", "absent-server"),
        ("deploy", "AssumeRoleWithWebIdentity"),
    ],
)
def test_what_was_not_made_yet_is_said(line: tuple[str, ...], tmp_path: Path, workload: str, reason: str) -> None:
    """Before `up` there are no credentials: the command is not run."""
    file = tmp_path / "keyhole.toml"
    file.write_text(SPEC.replace("shop", "absent"), "utf-8")
    done = run((*line[:5], str(file), *line[6:]), workload, "--", "echo", "it ran")
    assert done.returncode in (2, 3)
    assert "it ran" not in done.stdout
    assert reason in done.stderr
    assert "`keyhole local instance" in done.stderr or f"`keyhole up -f {file} --local --local-port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("workload", "lifetime_s"), [("worker", 6 * 3600), ("report", 3600)])
def test_an_sdk_gets_new_credentials_before_the_old_ones_end(
    ready: tuple[str, ...], running_local_aws: LocalAws, workload: str, lifetime_s: int
) -> None:
    """A program that runs on when its credentials are about to end fetches new ones from the same place."""
    script = (
        "import boto3\n"
        "session = boto3.Session()\n"
        "keys = set()\n"
        "for step in ('first', 'second'):\n"
        "    session.client('sts').get_caller_identity()\n"
        "    keys.add(session.get_credentials().get_frozen_credentials().access_key)\n"
        "    print(step, flush=True)\n"
        "    step == 'first' and input()\n"
        "print(len(keys))\n"
    )
    clock = running_local_aws._sessions.clock
    # Credentials that are issued so far back in time end in ten minutes from now.
    running_local_aws._sessions.clock = lambda: clock() - timedelta(seconds=lifetime_s - 600)
    try:
        words = [*ready, workload, "--", PYTHON, "-c", script]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        assert process.stdout.readline() == "first\n"
    finally:
        running_local_aws._sessions.clock = clock
    output, _ = process.communicate("go\n", timeout=60)
    assert output == "second\n2\n"
