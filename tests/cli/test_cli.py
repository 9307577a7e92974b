"""The command line as a person meets it: what it prints, and its exit codes."""

import json
import os
import re
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keyhole.cli.main import app
from keyhole.local.server import LocalAws
from local_story import AccountFactory, inventory, run_instance

EXAMPLE = Path(__file__).parents[2] / "examples" / "ai-image-community" / "keyhole.toml"


def keyhole(*words: str, answer: str | None = None) -> Result:
    """Run one command in this process; its error output is beside its output."""
    return CliRunner().invoke(app, words, input=answer, catch_exceptions=False)


@pytest.fixture
def local(local_aws: LocalAws, account: AccountFactory) -> tuple[str, ...]:
    """The options that lead a command to the example in the local AWS, where its instance runs."""
    run_instance(account())
    return ("-f", str(EXAMPLE), "--local", "--local-port", str(local_aws.port))


@pytest.mark.parametrize(
    "command",
    [
        "",
        "init",
        "plan",
        "up",
        "verify",
        "run",
        "serve",
        "rotate",
        "down",
        "learn",
        "local",
        "local start",
        "local env",
        "local events",
        "local reset",
    ],
)
def test_help_of_every_command_has_an_example(command: str) -> None:
    """`--help` works everywhere and shows how the command is typed."""
    result = keyhole(*command.split(), "--help")
    assert result.exit_code == 0
    if command not in {"", "local"}:
        assert re.search(rf"Example: .*keyhole {command}", re.sub(r"\s+", " ", result.output))


def test_plan_up_verify_down_and_nothing_is_left(
    local: tuple[str, ...], account: AccountFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The golden path: exit code 0 all along, an empty second plan, and an empty account in the end."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    assert "4 to create, 1 to update" in keyhole("plan", *local).output
    first = keyhole("up", *local, "--yes")
    assert (first.exit_code, "create bucket.images" in first.output) == (0, True)
    assert "nothing to do: AWS agrees with the file" in keyhole("up", *local).output
    verified = keyhole("verify", *local)
    assert verified.exit_code == 0
    assert "all 20 claims hold" in verified.output
    ended = keyhole("down", *local, "--yes")
    assert (ended.exit_code, "nothing tagged as ai-image-community (default)" in ended.output) == (0, True)
    assert not any(inventory(account()).values())
    assert "nothing to do" in keyhole("down", *local, "--yes").output


def test_plan_in_json_is_data(local: tuple[str, ...]) -> None:
    """`--json` prints the whole plan and nothing else on stdout."""
    result = keyhole("plan", *local, "--json")
    plan = json.loads(result.stdout)
    assert [change["verb"] for change in plan["changes"]] == ["create"] * 4 + ["update"]
    assert plan["changes"][0]["calls"][0]["operation"] == "CreateBucket"


def test_verify_in_json_is_data(local: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every claim with what was expected, what came, and why; no secret anywhere."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    keyhole("up", *local, "--yes")
    result = keyhole("verify", *local, "--json")
    found = json.loads(result.stdout)
    assert found["holds"] is True
    assert {claim["verdict"] for claim in found["claims"]} == {"holds"}
    assert "SecretAccessKey" not in result.stdout


def test_up_needs_someone_to_ask(local: tuple[str, ...], account: AccountFactory) -> None:
    """Without a terminal and without `--yes` nothing is changed."""
    result = keyhole("up", *local)
    assert result.exit_code == 2
    assert "add `--yes` to go ahead" in result.output
    assert inventory(account())["buckets"] == []


def test_verify_and_serve_before_up_say_to_go_up_first(local: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is there yet: both say so, and neither starts anything."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    verified = keyhole("verify", *local)
    assert (verified.exit_code, "is not there" in verified.output, "keyhole up" in verified.output) == (1, True, True)
    before = dict(os.environ)
    served = keyhole("serve", *local, "--port", "0")
    assert dict(os.environ) == before
    hint = f"`keyhole up -f {local[1]} --local --local-port {local[-1]}` attaches the role"
    assert (served.exit_code, hint in " ".join(served.output.split())) == (3, True)


def test_answering_no_and_ctrl_c_at_the_question_change_nothing(
    local: tuple[str, ...], account: AccountFactory
) -> None:
    """`n` ends with 1, an end of input with 130; both say that nothing was changed."""
    from keyhole.cli import changing

    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changing, "_has_terminal", Terminal.isatty)
        refused, ended = keyhole("up", *local, answer="n\n"), keyhole("up", *local, answer="")
    assert (refused.exit_code, "nothing was changed" in refused.output) == (1, True)
    assert (ended.exit_code, "nothing was changed" in ended.output) == (130, True)
    assert inventory(account())["buckets"] == []


def test_up_and_down_in_json_tell_what_became_of_the_plan(local: tuple[str, ...]) -> None:
    """One JSON document on stdout: the plan, and what was done."""
    up = json.loads(keyhole("up", *local, "--yes", "--json").stdout)
    assert up["complete"] is True
    assert set(up["done"]) == {change["address"] for change in up["changes"]}
    again = json.loads(keyhole("up", *local, "--yes", "--json").stdout)
    assert (again["empty"], again["done"]) == (True, [])
    assert json.loads(keyhole("down", *local, "--yes", "--json").stdout)["complete"] is True


def test_the_next_step_that_is_proposed_leads_to_the_same_place(local: tuple[str, ...]) -> None:
    """Hints carry the options that were given: typed as they are, they mean the same file and account."""
    assert f"keyhole verify {' '.join(local)}" in keyhole("up", *local, "--yes").output.replace("\n", " ")


@pytest.mark.parametrize(
    ("endpoint", "words"), [("nonsense", "invalid endpoint: nonsense"), ("http://127.0.0.1:{page}", "is no AWS")]
)
def test_an_endpoint_that_is_no_aws_is_told(monkeypatch: pytest.MonkeyPatch, endpoint: str, words: str) -> None:
    """A mistyped AWS_ENDPOINT_URL is one clear line."""
    import http.server
    import threading

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as page:
        page.RequestHandlerClass.do_POST = lambda handler: handler.send_head()  # type: ignore[attr-defined]
        thread = threading.Thread(target=page.serve_forever)
        thread.start()
        try:
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.format(page=page.server_address[1]))
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
            result = keyhole("plan", "-f", str(EXAMPLE))
        finally:
            page.shutdown()
            thread.join()
    assert result.exit_code in {2, 3}
    assert words in result.output


def test_what_nobody_foresaw_is_one_line_and_no_finding(
    local: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug ends with exit code 70 and says how to see more; it never looks like a finding."""

    def break_down(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("something impossible")

    monkeypatch.setattr("keyhole.provision.take_snapshot", break_down)
    result = keyhole("plan", *local)
    assert result.exit_code == 70
    assert "RuntimeError: something impossible" in result.output
    assert "KEYHOLE_DEBUG=1" in result.output


def test_verify_finds_what_is_wrong_with_exit_code_1(
    local: tuple[str, ...], account: AccountFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that fails is a finding, told with AWS's reason."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    keyhole("up", *local, "--yes")
    aws = account()
    aws.call("s3", "DeleteBucketPolicy", Bucket=inventory(aws)["buckets"][0])
    result = keyhole("verify", *local)
    assert result.exit_code == 1
    assert "19 of 20 claims hold" in result.output


def test_a_wrong_spec_shows_all_mistakes_and_exit_code_2(tmp_path: Path) -> None:
    """File, line and fix of each mistake; nothing is called."""
    file = tmp_path / "keyhole.toml"
    file.write_text(
        EXAMPLE.read_text().replace("ap-northeast-2", "Seoul").replace('kind = "ec2"', 'kind = "vm"'), "utf-8"
    )
    result = keyhole("plan", "-f", str(file))
    assert result.exit_code == 2
    assert f"{file}:5: `app.region`: `Seoul` is not an AWS region" in result.output
    assert f"{file}:14: `vm` is no kind of workload" in result.output
    assert "2 mistakes in the spec: nothing was changed" in result.output


def test_no_spec_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder the message names `keyhole init`."""
    monkeypatch.chdir(tmp_path)
    result = keyhole("plan")
    assert result.exit_code == 2
    assert "there is no `keyhole.toml` here" in result.output
    assert "`keyhole init` writes one" in result.output


def test_no_credentials_says_what_to_do() -> None:
    """Without any credentials the message names the ways to get some, and `--local`."""
    result = keyhole("plan", "-f", str(EXAMPLE))
    assert result.exit_code == 3
    assert "there are no AWS credentials here" in result.output
    assert "--local" in result.output


def test_expired_credentials_are_told(
    local_aws: LocalAws, account: AccountFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials that AWS does not know are told with the code and what to do, and the secret is not."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-shown")
    result = keyhole("plan", "-f", str(EXAMPLE))
    assert result.exit_code == 3
    assert "GetCallerIdentity: InvalidClientTokenId" in result.output
    assert "AWS does not know this access key" in result.output
    assert "a-secret-that-must-not-be-shown" not in result.output


def test_an_endpoint_that_is_down_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at AWS_ENDPOINT_URL: exit code 3 and the address."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    result = keyhole("plan", "-f", str(EXAMPLE))
    assert result.exit_code == 3
    assert f"127.0.0.1:{port}" in result.output


def test_the_wrong_account_is_refused(
    local: tuple[str, ...], tmp_path: Path, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file says which account it is for; credentials of another are refused before anything is read."""
    file = tmp_path / "keyhole.toml"
    file.write_text(EXAMPLE.read_text().replace("[buckets.", 'account = "999988887777"\n\n[buckets.', 1), "utf-8")
    root = local_aws.root_credentials()
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", root.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", root.secret_access_key)
    result = keyhole("plan", "-f", str(file))
    assert result.exit_code == 2
    assert "the credentials belong to account `123456789012`, the file says `999988887777`" in result.output


def test_down_says_what_it_would_destroy_and_refuses_objects(local: tuple[str, ...], account: AccountFactory) -> None:
    """A bucket that holds an object: exit code 2, the count, the way out, and nothing deleted."""
    keyhole("up", *local, "--yes")
    aws = account()
    bucket = inventory(aws)["buckets"][0]
    aws.call("s3", "PutObject", Bucket=bucket, Key="uploads/images/a.png", Body=b"x")
    refused = keyhole("down", *local, "--yes")
    assert refused.exit_code == 2
    assert "holds 1 object: it is not deleted" in refused.output
    assert "--empty" in refused.output
    assert inventory(aws)["roles"] != []
    told = keyhole("down", *local, "--yes", "--empty")
    assert (told.exit_code, "delete what it holds: 1 object" in told.output) == (0, True)


def test_local_env_prints_exports_that_work(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exports name the endpoint, the region and the root's keys of the account that was asked for."""
    result = keyhole("local", "env", "--port", str(local_aws.port), "--account", "999988887777")
    exports = dict(line.removeprefix("export ").split("=", 1) for line in result.stdout.splitlines())
    assert exports["AWS_ENDPOINT_URL"] == local_aws.url
    assert exports["AWS_ACCESS_KEY_ID"] == local_aws.root_credentials("999988887777").access_key_id
    default = keyhole("local", "env", "--port", str(local_aws.port)).stdout
    assert "export AWS_ACCESS_KEY_ID=AKIAKEYHOLELOCALROOT\n" in default


@pytest.mark.parametrize("account_id", ["12", "abcdefghijkl"])
def test_local_env_refuses_what_is_no_account(local_aws: LocalAws, account_id: str) -> None:
    """Twelve digits, nothing else."""
    result = keyhole("local", "env", "--port", str(local_aws.port), "--account", account_id)
    assert result.exit_code == 2
    assert "is no account id" in result.output


def test_a_second_local_aws_on_the_port_says_who_holds_it(local_aws: LocalAws) -> None:
    """The port is taken: the message says by whom, and how to take another."""
    result = keyhole("local", "start", "--port", str(local_aws.port))
    assert result.exit_code == 2
    assert str(os.getpid()) in result.output


def test_a_port_that_another_program_holds_is_told() -> None:
    """Something else listens on the port: a clear message, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = keyhole("local", "start", "--port", str(port))
    assert result.exit_code == 2
    assert f"{port}" in result.output
    assert "help" in result.output


def test_local_status_of_nothing_is_a_finding() -> None:
    """No local AWS on the port: exit code 1, and the command that starts one."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    result = keyhole("local", "status", "--port", str(port))
    assert (result.exit_code, f"`keyhole local start --port {port}`" in result.output) == (1, True)


def test_a_region_that_aws_does_not_have_is_refused() -> None:
    """Every signed call for it would be: nothing is started."""
    result = keyhole("local", "start", "--region", "mars")
    assert (result.exit_code, "AWS has no region `mars`" in result.output) == (2, True)


def test_init_writes_a_spec_that_plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_aws: LocalAws) -> None:
    """The starter loads, plans, and names its schema; a second `init` overwrites nothing."""
    folder = tmp_path / "My Shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert keyhole("init").exit_code == 0
    text = (folder / "keyhole.toml").read_text()
    assert text.startswith("#:schema ./keyhole.schema.json\n")
    assert 'name = "my-shop"' in text
    assert json.loads((folder / "keyhole.schema.json").read_text())["title"] == "keyhole.toml"
    at = ("--local", "--local-port", str(local_aws.port))
    refused = keyhole("plan", *at)
    command = f"`keyhole local instance my-shop-web --region us-east-1 --port {local_aws.port}`"
    assert (refused.exit_code, command in refused.output) == (2, True)
    assert keyhole("local", "instance", "my-shop-web", "--port", str(local_aws.port)).exit_code == 0
    assert keyhole("plan", *at).exit_code == 0
    again = keyhole("init")
    assert (again.exit_code, "is there already" in again.output) == (2, True)
    assert (folder / "keyhole.toml").read_text() == text
