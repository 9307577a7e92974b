"""`keyhole learn`: what a program really needs, told from what everybody else does at the same time."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from keyhole.local.mode import Mode
from keyhole.local.server import LocalAws
from local_story import AccountFactory, blueprint_of, up

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]
[buckets.masks]

[workloads.web]
kind = "ec2"

[[workloads.web.grants]]
bucket = "images"
prefix = "uploads/"
verbs = ["read", "write", "delete"]

[[workloads.web.grants]]
bucket = "masks"
verbs = ["list"]

[workloads.job]
kind = "role"
"""
IMAGES = "shop-images-123456789012"
PYTHON = sys.executable
PROGRAM = f"""\
import boto3, sys
from botocore.exceptions import ClientError
print("the program speaks")
s3 = boto3.client("s3")
for day in ("2026-01-30", "2026-01-31"):
    s3.put_object(Bucket="{IMAGES}", Key=f"uploads/{{day}}/a.png", Body=b"1")
    s3.get_object(Bucket="{IMAGES}", Key=f"uploads/{{day}}/a.png")["Body"].read()
boto3.client("sts").get_caller_identity()
if "denied" in sys.argv:
    for call in (
        lambda: s3.put_object(Bucket="{IMAGES}", Key="thumbs/a.png", Body=b"1"),
        lambda: s3.put_object_acl(Bucket="{IMAGES}", Key="uploads/2026-01-31/a.png", ACL="private"),
        lambda: s3.head_object(Bucket="{IMAGES}", Key="uploads/none"),
    ):
        try:
            call()
        except ClientError:
            pass
"""
Learn = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file and a program in it."""
    (tmp_path / "keyhole.toml").write_text(SPEC, "utf-8")
    (tmp_path / "app.py").write_text(PROGRAM, "utf-8")
    return tmp_path


@pytest.fixture
def learn(local_aws: LocalAws, account: AccountFactory, folder: Path) -> Learn:
    """Runs `keyhole learn` in the folder, where what the file says is up."""
    assert up(account("eu-west-1"), blueprint_of(folder / "keyhole.toml")).is_complete
    return lambda *words, **more: run(local_aws.port, folder, *words, **more)


def run(port: int, folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    line = [PYTHON, "-m", "keyhole.cli.main", "learn", "--local-port", str(port), *words]
    kept = {**os.environ, **environment}
    return subprocess.run(line, cwd=folder, env=kept, capture_output=True, text=True, check=False, timeout=60)


def test_the_smallest_grants_are_what_one_pastes(learn: Learn) -> None:
    """Exactly what was used, and where the file grants more; what the program says is not in between."""
    done = learn("--as", "web", "--", PYTHON, "app.py")
    assert done.stdout == (
        "the smallest grants that suffice:\n"
        "\n"
        "[[workloads.web.grants]]\n"
        'bucket = "images"\n'
        'prefix = "uploads/"\n'
        'verbs = ["read", "write"]\n'
        "\n"
        "granted in the file and not used:\n"
        "  keyhole.toml:11  `delete` under uploads/ of images\n"
        "  keyhole.toml:16  `list` in masks\n"
    )
    assert "the program speaks" in done.stderr
    assert "ended with 0: 5 calls\n" in done.stderr
    assert done.returncode == 1


def test_what_was_learned_is_settled_when_the_file_says_it(learn: Learn, folder: Path) -> None:
    """The lines take the place of the file's grants: then there is nothing more to learn."""
    lines = learn("--as", "web", "--json", "--", PYTHON, "app.py")
    found = json.loads(lines.stdout)["principals"][0]
    assert found["proved"] is True
    before, _, rest = SPEC.partition("[[workloads.web.grants]]")
    text = f"{before}{found['spec']}\n{rest[rest.index('[workloads.job]') :]}"
    (folder / "keyhole.toml").write_text(text, "utf-8")
    assert tomllib.loads(text)["workloads"]["web"]["grants"] == [
        {"bucket": "images", "prefix": "uploads/", "verbs": ["read", "write"]}
    ]
    settled = learn("--as", "web", "--", PYTHON, "app.py")
    assert settled.returncode == 0, settled.stdout


def test_denials_are_learned_from(learn: Learn) -> None:
    """What was denied is needed as well; a verb that there is not is a statement; a hidden key is no grant."""
    done = learn("--as", "web", "--json", "--", PYTHON, "app.py", "denied")
    result = json.loads(done.stdout)
    (found,) = result["principals"]
    assert found["grants"] == [
        {"bucket": IMAGES, "prefix": "thumbs/", "verbs": ["write"]},
        {"bucket": IMAGES, "prefix": "uploads/", "verbs": ["read", "write"]},
    ]
    assert [use["action"] for use in found["denied"]] == ["s3:PutObject", "s3:PutObjectAcl"]
    assert [use["action"] for use in found["without_verb"]] == ["s3:PutObjectAcl"]
    assert [use["resource"] for use in found["lacking"]] == [f"arn:aws:s3:::{IMAGES}/thumbs/a.png"]
    assert (found["missing_keys_hidden"], found["proved"], found["workload"]) == (1, True, "web")
    assert (result["settled"], result["exit_code"], result["mode"]) == (False, 0, "strict")
    assert re.search(r"`keyhole local start --mode soft --port \d+` lets it go on", done.stderr)
    text = learn("--as", "web", "--", PYTHON, "app.py", "denied").stdout
    assert f"denied:\n  s3:PutObject  {IMAGES}/thumbs/a.png: no identity-based policy allows" in text
    assert "no verb of the file covers:\n  s3:PutObjectAcl" in text
    assert "1 read of keys that are not there: 403 with these grants" in text


def test_the_policy_file_counts_as_granted(local_aws: LocalAws, account: AccountFactory, folder: Path) -> None:
    """What its statements allow takes no grant and is not told as lacking; what they do not is denied as before."""
    (folder / "keyhole.toml").write_text(f'{SPEC}policy_file = "more.json"\n', "utf-8")
    statement = {
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:PutObjectTagging"],
        "Resource": f"arn:aws:s3:::{IMAGES}/jobs/*",
    }
    (folder / "more.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}), "utf-8")
    (folder / "job.py").write_text(
        "import boto3\n"
        's3 = boto3.client("s3")\n'
        f's3.put_object(Bucket="{IMAGES}", Key="jobs/a", Body=b"1", Tagging="a=b")\n',
        "utf-8",
    )
    assert up(account("eu-west-1"), blueprint_of(folder / "keyhole.toml")).is_complete
    done = run(local_aws.port, folder, "--as", "job", "--", PYTHON, "job.py")
    assert done.stdout == "2 requests covered by `more.json`: no grant is needed\n"
    assert done.returncode == 0, done.stderr


def test_the_policy_alone(learn: Learn) -> None:
    """As AWS takes it, and nothing else on stdout."""
    done = learn("--as", "web", "--policy", "--", PYTHON, "app.py")
    assert json.loads(done.stdout) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": f"arn:aws:s3:::{IMAGES}/uploads/*",
            }
        ],
    }


def test_what_others_do_meanwhile_is_theirs(learn: Learn, local_aws: LocalAws) -> None:
    """Calls past the command's own endpoint are nobody's business here, be they by the same credentials."""
    script = (
        "import boto3, sys\n"
        f"boto3.client('s3', endpoint_url='{local_aws.url}').list_buckets()\n"
        "boto3.client('s3').create_bucket(Bucket='another-bucket')\n"
    )
    done = learn("--json", "--", PYTHON, "-c", script)
    result = json.loads(done.stdout)
    (found,) = result["principals"]
    assert (result["calls"], found["principal"]) == (1, "arn:aws:iam::123456789012:root")
    assert found["policy"]["Statement"] == [
        {"Effect": "Allow", "Action": "s3:CreateBucket", "Resource": "arn:aws:s3:::another-bucket"}
    ]
    assert "the program runs as the account's root" in done.stderr
    assert (done.returncode, found["workload"], found["unused"]) == (0, None, None)


def test_without_a_file_the_buckets_are_named(local_aws: LocalAws, account: AccountFactory, tmp_path: Path) -> None:
    """The lines are then a beginning of one."""
    account("us-east-1").call("s3", "CreateBucket", Bucket="loose.bucket")
    script = "import boto3; boto3.client('s3').put_object(Bucket='loose.bucket', Key='a/b', Body=b'1')"
    done = run(local_aws.port, tmp_path, "--", PYTHON, "-c", script)
    assert done.stdout == (
        "the smallest grants that suffice:\n"
        "\n"
        "[buckets.loose-bucket]\n"
        'name = "loose.bucket"\n'
        "\n"
        "[[workloads.NAME.grants]]\n"
        'bucket = "loose-bucket"\n'
        'prefix = "a/"\n'
        'verbs = ["write"]\n'
    )
    assert done.returncode == 0


def test_the_program_s_end_is_not_lost(learn: Learn) -> None:
    """Its exit code is said, and a failure is a finding: what it would have asked for is not known."""
    done = learn("--as", "job", "--json", "--", PYTHON, "-c", "raise SystemExit(7)")
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (1, 7)
    assert "the program failed (7)" in done.stderr
    assert "no call came" in done.stderr
    refused = learn("--", PYTHON, "app.py", AWS_ACCESS_KEY_ID="AKIANOBODYNOBODYNOBO", AWS_SECRET_ACCESS_KEY="x" * 40)
    assert refused.returncode == 1
    assert "1 refused: the caller was not believed" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--", "no-such-command"], "there is no command `no-such-command`"),
        (["--as", "nobody", "--", "true"], "the file has no workload `nobody`"),
        (["--json", "--policy", "--", "true"], "exclude each other"),
        (["-f", "nowhere.toml", "--", "true"], "there is no `nowhere.toml`"),
    ],
)
def test_wrong_usage_is_said(learn: Learn, words: list[str], said: str) -> None:
    """Before anything runs."""
    done = learn(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_it_learns_more_where_denials_are_let_through(folder: Path) -> None:
    """In the mode `soft` a program that would end at its first denial goes on to its end."""
    script = (
        "import boto3\n"
        "s3 = boto3.client('s3')\n"
        f"s3.put_object(Bucket='{IMAGES}', Key='thumbs/a.png', Body=b'1')\n"
        f"s3.delete_object(Bucket='{IMAGES}', Key='thumbs/a.png')\n"
    )
    with LocalAws(port=0, mode=Mode.SOFT) as local:
        root = local.root_credentials()
        keys = {"AWS_ACCESS_KEY_ID": root.access_key_id, "AWS_SECRET_ACCESS_KEY": root.secret_access_key}
        line = [PYTHON, "-m", "keyhole.cli.main", "up", "--local", "--local-port", str(local.port), "--yes"]
        subprocess.run(line, cwd=folder, env={**os.environ, **keys}, check=True, capture_output=True)
        done = run(local.port, folder, "--as", "web", "--json", "--", PYTHON, "-c", script)
    (found,) = json.loads(done.stdout)["principals"]
    assert found["grants"] == [{"bucket": IMAGES, "prefix": "thumbs/", "verbs": ["write", "delete"]}]
    assert [use["operation"] for use in found["denied"]] == ["PutObject", "DeleteObject"]


def test_ctrl_c_is_the_program_s(learn: Learn, local_aws: LocalAws, folder: Path) -> None:
    """The program is interrupted, and what it did until then is reported."""
    script = (
        "import boto3, time\n"
        "boto3.client('s3').list_buckets()\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    raise SystemExit(5)\n"
    )
    line = [PYTHON, "-m", "keyhole.cli.main", "learn", "--local-port", str(local_aws.port), "--json", "--"]
    process = subprocess.Popen(
        [*line, PYTHON, "-c", script],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        start_new_session=True,
    )
    assert process.stderr
    while "ready" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert (json.loads(out)["exit_code"], json.loads(out)["calls"]) == (5, 1)
