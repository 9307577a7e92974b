from pathlib import Path
from typing import Any

import pytest

from keyhole.blueprint import GITHUB_JOB, Blueprint, Expected, build_blueprint
from keyhole.resources.oidc_provider import OidcProvider
from keyhole.resources.role import Role
from keyhole.spec import load_spec

ACCOUNT = "111122223333"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
HOST = "token.actions.githubusercontent.com"
HEAD = '[app]\nname = "shop"\nregion = "eu-west-1"\n'
JOB = '[workloads.ci]\nkind = "github-actions"\nrepository = "acme/infra"\n'


def blueprint(folder: Path, text: str) -> Blueprint:
    file = folder / "keyhole.toml"
    file.write_text(HEAD + text, "utf-8")
    return build_blueprint(load_spec(file), ACCOUNT)


def trust(made: Blueprint) -> dict[str, Any]:
    role = next(resource for resource in made.resources if isinstance(resource, Role))
    statements: list[dict[str, Any]] = role.trust["Statement"]
    return statements[0]


def subjects(made: Blueprint, expected: Expected) -> set[str]:
    return {c.context[f"{HOST}:sub"] for c in made.claims if c.who == GITHUB_JOB and c.expected is expected}


@pytest.mark.parametrize(
    ("limit", "operator", "subject"),
    [
        ("", "StringLike", "repo:acme/infra:*"),
        ('branch = "main"', "StringEquals", "repo:acme/infra:ref:refs/heads/main"),
        ('environment = "prod"', "StringEquals", "repo:acme/infra:environment:prod"),
        ('environment = "eu: prod"', "StringEquals", "repo:acme/infra:environment:eu%3A prod"),
        (
            'branch = "main"\nowner_id = 12\nrepository_id = 34',
            "StringEquals",
            "repo:acme@12/infra@34:ref:refs/heads/main",
        ),
        ("owner_id = 12\nrepository_id = 34", "StringLike", "repo:acme@12/infra@34:*"),
    ],
)
def test_the_role_trusts_the_jobs_of_the_file_and_no_others(
    tmp_path: Path, limit: str, operator: str, subject: str
) -> None:
    """The subject is GitHub's, to the letter; the audience is always held to AWS's."""
    statement = trust(blueprint(tmp_path, f"{JOB}{limit}\n"))
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"] == {"Federated": PROVIDER}
    assert statement["Condition"]["StringEquals"][f"{HOST}:aud"] == "sts.amazonaws.com"
    assert statement["Condition"][operator][f"{HOST}:sub"] == subject
    assert set(statement["Condition"]) == {"StringEquals", operator}


def test_claims_say_which_tokens_open_the_role_and_which_do_not(tmp_path: Path) -> None:
    """For a branch: its own jobs, and not another repository, branch, environment, pull request or audience."""
    made = blueprint(tmp_path, f'{JOB}branch = "main"\n')
    assert subjects(made, Expected.CAN) == {"repo:acme/infra:ref:refs/heads/main"}
    assert subjects(made, Expected.CANNOT) == {
        "repo:acme/keyhole-probe-infra:ref:refs/heads/main",
        "repo:acme/infra-keyhole-probe:ref:refs/heads/main",
        "repo:keyhole-probe-acme/infra:ref:refs/heads/main",
        "repo:acme/infra:ref:refs/heads/main-keyhole-probe",
        "repo:acme/infra:environment:main",
        "repo:acme/infra:pull_request",
        "repo:acme/infra:ref:refs/heads/main",  # with another audience
    }


def test_a_repository_of_the_same_name_with_another_number_is_kept_out(tmp_path: Path) -> None:
    """Numbers in the file give the claim that a name made anew by someone else does not open the role."""
    made = blueprint(tmp_path, f'{JOB}environment = "prod"\nowner_id = 12\nrepository_id = 34\n')
    assert "repo:acme@12/infra@35:environment:prod" in subjects(made, Expected.CANNOT)


def test_the_provider_is_there_once_and_before_the_roles(tmp_path: Path) -> None:
    """Two workloads of GitHub share the account's one provider; without any there is none."""
    made = blueprint(tmp_path, JOB + JOB.replace("ci", "cd"))
    assert [resource.address for resource in made.resources if isinstance(resource, OidcProvider)] == [
        "oidc-provider.github"
    ]
    roles = [resource for resource in made.resources if isinstance(resource, Role)]
    assert [role.depends_on for role in roles] == [("oidc-provider.github",)] * 2
    none = blueprint(tmp_path, '[workloads.ci]\nkind = "role"\n')
    assert not [resource for resource in none.resources if isinstance(resource, OidcProvider)]
