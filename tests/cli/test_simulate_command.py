"""`keyhole simulate` as a person and as a program meets it."""

import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keyhole.cli.main import app
from keyhole.local.server import LocalAws
from local_story import AccountFactory

PAGE = Path(__file__).parents[2] / "docs" / "simulate.md"
USER = "arn:aws:iam::111122223333:user/alice"
OBJECT = "arn:aws:s3:::masks/a.png"
ASK = ("--principal", USER, "--action", "s3:GetObject", "--resource", OBJECT)
LINE = json.dumps({"principal": USER, "action": "s3:GetObject", "resource": OBJECT})


def simulate(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, ["simulate", *words], input=given, catch_exceptions=False)


def write(file: Path, effect: str = "Allow", action: str = "s3:*", **more: object) -> str:
    """A policy of one statement in a file, and the file's path."""
    statement = {"Effect": effect, "Action": action, "Resource": "*", **more}
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}), "utf-8")
    return str(file)


def start() -> subprocess.Popen[bytes]:
    """A batch in a process of its own."""
    command = [sys.executable, "-m", "keyhole.cli.main", "simulate", "--batch"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


def test_help_has_examples() -> None:
    """`--help` shows how one request and how many are asked."""
    shown = re.sub(r"\s+", " ", simulate("--help").output)
    assert re.search(r"Example: keyhole simulate --principal .* --batch", shown)


def test_allowed_is_0_and_denied_is_1(tmp_path: Path) -> None:
    """The outcome, the layers, the reason and AWS's sentence."""
    policy = write(tmp_path / "p.json")
    granted = simulate(*ASK, "--identity", policy)
    assert (granted.exit_code, granted.stdout) == (
        0,
        f"allowed: statement 0 of identity-based policy `{policy}` allows it\n",
    )
    denied = simulate(*ASK, "--identity", policy, "--boundary", write(tmp_path / "b.json", action="s3:Put*"))
    assert denied.exit_code == 1
    assert denied.stdout.startswith("implicitDeny: no permissions boundary allows the `s3:GetObject` action\n")
    assert "  blocked by: boundary\n" in denied.stdout
    assert f"  AWS says: User: {USER} is not authorized to perform: s3:GetObject on resource" in denied.stdout


def test_what_is_shown_is_what_was_asked() -> None:
    """Nothing in an ARN is taken for markup or for an emoji."""
    queue = "arn:aws:sqs:eu-west-1:111122223333:key:[bold]"
    shown = simulate("--principal", USER, "--action", "sqs:SendMessage", "--resource", queue, "-v").stdout
    assert shown.count(queue) == 2


def test_verbose_shows_every_statement(tmp_path: Path) -> None:
    """With the values that were compared."""
    shown = simulate(*ASK, "--identity", write(tmp_path / "p.json", action="s3:Put*"), "-v").stdout
    assert "Allow does not apply" in shown
    assert "- Action: `s3:GetObject` matches none of `s3:Put*`" in shown


def test_json_is_one_answer_line(tmp_path: Path) -> None:
    """The same as a batch answers, and the same exit code."""
    policy = write(tmp_path / "p.json", "Deny", Sid="No")
    result = simulate(*ASK, "--identity", policy, "--json")
    assert (result.exit_code, result.stdout.count("\n")) == (1, 1)
    answer = json.loads(result.stdout)
    assert answer["decision"] == "explicitDeny"
    assert answer["matched"] == [{"policy": policy, "statement": "No"}]


def test_each_option_reaches_its_layer(tmp_path: Path) -> None:
    """A policy that does not allow blocks as the layer that it was given for."""
    wide, narrow = write(tmp_path / "wide.json"), write(tmp_path / "narrow.json", action="iam:*")
    open_wide = write(tmp_path / "open.json", Principal="*")
    closed = write(tmp_path / "closed.json", action="iam:*", Principal="*")
    shut = write(tmp_path / "shut.json", "Deny", Principal="*")
    for option, file, layer in (
        ("--identity", narrow, "identity"),
        ("--boundary", narrow, "boundary"),
        ("--session", narrow, "session"),
        ("--scp", narrow, "scp"),
        ("--rcp", shut, "rcp"),
        ("--endpoint", closed, "endpoint"),
        ("--resource-policy", shut, "resource"),
    ):
        identity = () if option == "--identity" else ("--identity", wide)
        assert json.loads(simulate(*ASK, *identity, option, file, "--json").stdout)["blocked_by"] == [layer], option
    assert simulate(*ASK, "--resource-policy", open_wide).exit_code == 0
    assert simulate(*ASK, "--identity", wide, "--scp", f"{wide},{narrow}").exit_code == 0
    assert simulate(*ASK, "--identity", wide, "--scp", wide, "--scp", narrow).exit_code == 1
    assert simulate("--principal", "anonymous", *ASK[2:], "--resource-policy", open_wide).exit_code == 0
    assert simulate(*ASK, "--identity", wide, "--resource-account", "444455556666").exit_code == 1


def test_trust_and_its_context(tmp_path: Path) -> None:
    """A role that is assumed, on a condition; a key that is given twice has two values."""
    trust = tmp_path / "trust.json"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": USER},
        "Action": "sts:AssumeRole",
        "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
    }
    trust.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    role = "arn:aws:iam::111122223333:role/web"
    ask = ("--principal", USER, "--action", "sts:AssumeRole", "--resource", role)
    for option in ("--trust", "--resource-policy"):
        words = (*ask, option, str(trust), "--context", "aws:TagKeys=a", "--context")
        assert simulate(*words, "AWS:tagkeys=b").exit_code == 0
        assert simulate(*words, "aws:TagKeys=c=d").exit_code == 1
    assert json.loads(simulate(*ask, "--json").stdout)["blocked_by"] == ["trust"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "`--principal` is missing"),
        (ASK[:4], "`--resource` is missing"),
        (("--principal", "alice", *ASK[2:]), "`alice` is no principal"),
        ((*ASK, "--identity", "nowhere.json"), "`nowhere.json` cannot be read: no such file"),
        ((*ASK, "--identity", "."), "`.` cannot be read: is a directory"),
        ((*ASK, "--identity", __file__), "the policy is not JSON"),
        ((*ASK, "--context", "x"), "`x` is no condition key with its value"),
        ((*ASK[:4], "--resource", "arn:aws:s3:::\udcff"), "`arn:aws:s3:::\\udcff` is not UTF-8 text"),
        ((*ASK, "--context", "=x"), "`=x` is no condition key with its value"),
        ((*ASK, "--resource-policy", "a", "--trust", "b"), "`--trust` and `--resource-policy` exclude each other"),
        ((*ASK, "--batch"), "`--batch` takes requests and policies from standard input only"),
        (("--batch", "--from-account"), "`--batch` takes requests and policies from standard input only"),
        ((*ASK, "--local"), "`--local` names an account, and none is asked"),
        ((*ASK, "--profile", "p"), "`--profile` names an account, and none is asked"),
        ((*ASK, "--from-account", "--local", "--profile", "p"), "exclude each other"),
    ],
)
def test_wrong_usage_is_2_and_says_what_to_write(words: tuple[str, ...], message: str) -> None:
    """Nothing on stdout, the error and its fix on stderr."""
    result = simulate(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_from_account_needs_only_the_request(local_aws: LocalAws, account: AccountFactory) -> None:
    """The user's policy comes from the local AWS, of the account that the principal is in."""
    aws = account(number="111122223333")
    aws.call("s3", "CreateBucket", Bucket="masks", CreateBucketConfiguration={"LocationConstraint": aws.region})
    aws.call("iam", "CreateUser", UserName="alice")
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}
    aws.call("iam", "PutUserPolicy", UserName="alice", PolicyName="own", PolicyDocument=json.dumps(document))
    where = ("--from-account", "--local", "--local-port", str(local_aws.port))
    granted = simulate(*ASK, *where)
    assert (granted.exit_code, "`user alice: own` allows it" in granted.stdout) == (0, True)
    assert "SCPs and RCPs" in granted.stderr
    denied = simulate("--principal", USER, "--action", "s3:PutObject", "--resource", OBJECT, *where)
    assert denied.exit_code == 1


def test_a_batch_is_0_unless_a_line_cannot_be_read() -> None:
    """Denied is an answer; an unreadable line is answered by an error, and is 2 in the end."""
    fine = simulate("--batch", given=f"{LINE}\n{LINE}\n")
    assert (fine.exit_code, fine.stdout.count("implicitDeny"), fine.stderr) == (0, 2, "")
    broken = simulate("--batch", given=f"{LINE}\nnonsense\n{LINE}\n")
    assert (broken.exit_code, broken.stdout.count("implicitDeny")) == (2, 2)
    assert json.loads(broken.stdout.splitlines()[1])["error"]["line"] == 2
    assert "1 line could not be read" in broken.stderr


def test_a_program_may_write_a_line_and_wait_for_its_answer() -> None:
    """The answer comes while the input is still open."""
    with start() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(LINE.encode() + b"\n")
            process.stdin.flush()
            assert b"implicitDeny" in process.stdout.readline()
        process.stdin.close()
        assert process.wait() == 0


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    """As `| head -1` does: no traceback, no complaint."""
    with start() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(LINE.encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(f"{LINE}\n".encode() * 3)
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_ctrl_c_ends_it_with_what_was_answered() -> None:
    """130, one word, no traceback."""
    with start() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(LINE.encode() + b"\n")
        process.stdin.flush()
        assert b"implicitDeny" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read().strip() == b"interrupted"
        assert process.wait() == 130


def test_the_page_s_examples_are_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each console block, command by command, in a folder with the files that it shows."""
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    assert len(examples) == 2
    ran = 0
    for example in examples:
        for step in re.split(r"^\$ ", example, flags=re.M)[1:]:
            command, _, expected = step.partition("\n")
            words = shlex.split(command)
            if words[0] == "cat":
                (tmp_path / words[1]).write_text(expected, "utf-8")
                continue
            given = (tmp_path / words[words.index("<") + 1]).read_text("utf-8") if "<" in words else None
            words = words[: words.index("<")] if "<" in words else words
            assert CliRunner().invoke(app, words[1:], input=given).stdout == expected
            ran += 1
    assert ran == 3
