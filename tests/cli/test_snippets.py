"""`keyhole snippets`: what Terraform, GitHub and the AWS tools are told, and the secret set by `gh`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keyhole.cli.main import app
from keyhole.local.server import LocalAws
from keyhole.naming import Scope
from keyhole.snippets import backend_block, job_secrets, role_profiles, workflow
from keyhole.spec import App, load_spec

ACCOUNT = "123456789012"
KMS_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd"
SPEC = """\
[app]
name = "llmops"
region = "us-east-1"

[buckets.state]
versioning = true

[workloads.admin]
kind = "role"

[workloads.deploy]
kind = "github-actions"
repository = "acme/llmops"
branch = "release/2"

[terraform_state]
bucket = "state"
"""
ROLE = f"arn:aws:iam::{ACCOUNT}:role/keyhole/llmops/default/llmops-deploy"


def load(folder: Path, text: str = SPEC, environment: str = "") -> App:
    file = folder / "keyhole.toml"
    file.write_text(text, "utf-8")
    return load_spec(file, environment).app


def scope(app: App) -> Scope:
    return Scope(app.name, app.environment, ACCOUNT, app.region)


def test_the_backend_block_is_terraform_s(tmp_path: Path) -> None:
    """The bucket, a key of the app's own, encryption, and Terraform's lockfile."""
    assert (
        backend_block(load(tmp_path), ACCOUNT)
        == """\
terraform {
  backend "s3" {
    bucket       = "llmops-state-123456789012"
    key          = "llmops/terraform.tfstate"
    region       = "us-east-1"
    encrypt      = true
    use_lockfile = true
  }
}
"""
    )


@pytest.mark.parametrize(
    ("before", "after", "line", "not_there"),
    [
        ('bucket = "state"', 'bucket = "state"\ntable_name = "locks"', 'dynamodb_table = "locks"', "use_lockfile"),
        ('bucket = "state"', 'bucket = "state"\nkey = "{app}/x.tfstate"', 'key          = "llmops/x.tfstate"', "{app}"),
        ("versioning", f'encryption = "aws:kms"\nkms_key = "{KMS_KEY}"\nversioning', f'= "{KMS_KEY}"', "AES256"),
        ("versioning", 'encryption = "aws:kms"\nversioning', "use_lockfile = true", "encrypt "),
        (
            "[terraform_state]",
            "[environments.dev]\n[terraform_state]",
            '"llmops/dev/terraform.tfstate"',
            '"llmops/terr',
        ),
    ],
    ids=["table", "key", "kms-key", "kms", "environment"],
)
def test_the_backend_block_follows_the_file(tmp_path: Path, before: str, after: str, line: str, not_there: str) -> None:
    """Lock table, key, KMS key and environment: encryption by the account's own key is left to the bucket."""
    block = backend_block(load(tmp_path, SPEC.replace(before, after)), ACCOUNT)
    assert line in block
    assert not_there not in block


def test_the_workflow_takes_the_role_of_the_secret(tmp_path: Path) -> None:
    """It runs on the branch of the file, may ask for a token, and names the secret and no ARN."""
    made = load(tmp_path)
    (secret,) = job_secrets(made, scope(made))
    assert (secret.name, secret.value, secret.where) == ("AWS_ROLE_TO_ASSUME", ROLE, "acme/llmops")
    text = workflow(made, secret)
    assert 'branches: ["release/2"]' in text
    assert "  id-token: write" in text
    assert "role-to-assume: ${{ secrets.AWS_ROLE_TO_ASSUME }}" in text
    assert "environment:" not in text
    assert ACCOUNT not in text


def test_secrets_of_one_repository_have_names_of_their_own(tmp_path: Path) -> None:
    """A second workload of the repository does not overwrite the first; one of an environment is apart anyway."""
    more = "".join(
        f'[workloads.{key}]\nkind = "github-actions"\nrepository = "Acme/llmops"\n{place}\n'
        for key, place in (("check-all", 'branch = "main"'), ("ship", 'environment = "prod: eu"'))
    )
    made = load(tmp_path, SPEC + more)
    secrets = job_secrets(made, scope(made))
    assert [secret.name for secret in secrets] == [
        "AWS_ROLE_TO_ASSUME",
        "AWS_ROLE_TO_ASSUME_CHECK_ALL",
        "AWS_ROLE_TO_ASSUME",
    ]
    assert secrets[2].command[-2:] == ("--env", "prod: eu")
    assert '    environment: "prod: eu"\n' in workflow(made, secrets[2])


def test_a_profile_for_each_role(tmp_path: Path) -> None:
    """Tools assume the role by a profile of this name."""
    made = load(tmp_path)
    assert role_profiles(made, scope(made)).splitlines()[:2] == [
        "[profile llmops-admin]",
        f"role_arn = arn:aws:iam::{ACCOUNT}:role/keyhole/llmops/default/llmops-admin",
    ]


Snippets = Callable[..., Result]


@pytest.fixture
def snippets(local_aws: LocalAws, tmp_path: Path) -> Snippets:
    """Runs `keyhole snippets` on the file, for the local AWS."""
    load(tmp_path)
    where = ("-f", str(tmp_path / "keyhole.toml"), "--local", "--local-port", str(local_aws.port))
    return lambda *words: CliRunner().invoke(app, ("snippets", *words, *where))


def test_all_at_once_one_alone_and_for_machines(snippets: Snippets, tmp_path: Path) -> None:
    """Everything has a title; one alone is the text of a file; what the file has no use for is said."""
    everything = snippets()
    assert everything.exit_code == 0, everything.output
    for part in (
        "# backend.tf",
        "use_path_style = true",
        "# .github/workflows/deploy.yml",
        f"AWS_ROLE_TO_ASSUME = {ROLE}",
    ):
        assert part in everything.stdout
    assert snippets("backend").stdout.startswith("terraform {")
    found = json.loads(snippets("--json").stdout)
    assert set(found) == {"backend", "workflow", "profile", "secrets"}
    assert found["secrets"] == [{"name": "AWS_ROLE_TO_ASSUME", "value": ROLE, "where": "acme/llmops"}]
    load(tmp_path, SPEC.partition("[terraform_state]")[0])
    nothing = snippets("backend")
    assert (nothing.exit_code, "there is no backend to print" in nothing.output) == (2, True)


GH = """\
#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
if [ "$1" = auth ]; then exit "$(cat "$(dirname "$0")/signed-out" 2>/dev/null || echo 0)"; fi
cat > "$(dirname "$0")/value"
if [ -e "$(dirname "$0")/refuses" ]; then echo "HTTP 404: Not Found" >&2; exit 1; fi
"""


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `gh` that keeps what it is given, in the folder that is returned."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gh").write_text(GH, "utf-8")
    (folder / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_the_secret_is_set_by_gh_and_its_value_is_in_no_command_line(snippets: Snippets, gh: Path) -> None:
    """The value goes by standard input, after `gh` said that somebody is signed in."""
    done = snippets("--set-secret", "--yes")
    assert done.exit_code == 0, done.output
    calls = (gh / "calls").read_text().splitlines()
    assert calls == ["auth status", "secret set AWS_ROLE_TO_ASSUME --repo acme/llmops"]
    assert (gh / "value").read_text() == ROLE


def test_nothing_is_set_without_asking(snippets: Snippets, gh: Path) -> None:
    """Without a terminal and without `--yes` it ends before the secret is set."""
    done = snippets("--set-secret")
    assert (done.exit_code, "add `--yes` to go ahead" in done.output) == (2, True)
    assert not (gh / "value").exists()


def test_who_is_not_signed_in_is_told(snippets: Snippets, gh: Path) -> None:
    """Nothing is set, and the command that signs in is named."""
    (gh / "signed-out").write_text("1")
    done = snippets("--set-secret", "--yes")
    assert (done.exit_code, "`gh auth login` does it" in done.output) == (2, True)
    assert not (gh / "value").exists()


def test_a_refusal_of_github_is_told_in_its_words(snippets: Snippets, gh: Path) -> None:
    """What `gh` said last, and what may be wrong."""
    (gh / "refuses").touch()
    done = snippets("--set-secret", "--yes")
    assert (done.exit_code, "HTTP 404: Not Found" in done.output) == (2, True)


def test_without_gh_it_is_said_where_to_set_it(
    snippets: Snippets, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The secret can be set by hand too."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = snippets("--set-secret", "--yes")
    assert (done.exit_code, "`gh` is not installed here" in done.output) == (2, True)
