"""Whose token opens the role of a GitHub Actions workload, tried with tokens of the local AWS's issuer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import GITHUB_JOB, Blueprint, Claim, Expected
from keyhole.cli.local_door import open_door
from keyhole.errors import KeyholeError
from keyhole.local.server import LocalAws
from keyhole.resources.role import Role
from keyhole.verify.github_tokens import WantedToken, own_token, read_claim
from keyhole.verify.identities import LocalDoor, open_identities
from keyhole.verify.probe import Probe, Verdict, probe_claims
from keyhole.verify.rehearse import rehearse
from local_story import AccountFactory, blueprint_of, up

HOST = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{HOST}"
HEAD = '[app]\nname = "ci"\nregion = "eu-west-1"\n[workloads.ci]\nkind = "github-actions"\n'
BRANCH = 'repository = "acme/site"\nbranch = "main"\n'
NUMBERED = 'repository = "acme/site"\nenvironment = "eu: prod"\nowner_id = 12\nrepository_id = 34\n'
# The longest names that GitHub takes, and one that is not ASCII: the others that are kept out must be names, too.
LONG = f'repository = "{"o" * 39}/{"n" * 100}"\nbranch = "grün/{"b" * 235}"\n'


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


def blueprint(folder: Path, workload: str) -> Blueprint:
    file = folder / "keyhole.toml"
    file.write_text(HEAD + workload, "utf-8")
    return blueprint_of(file)


def applied(aws: BotocoreAws, folder: Path, workload: str = BRANCH) -> Blueprint:
    made = blueprint(folder, workload)
    assert up(aws, made).is_complete
    return made


def probe(aws: BotocoreAws, made: Blueprint, door: LocalDoor | None) -> dict[str, Probe]:
    """The probes of GitHub's jobs, by the last word of the claim's id."""
    with open_identities(aws, made, door) as identities:
        probes = probe_claims(aws, made, identities)
    return {probe.claim.id.rpartition(".")[2]: probe for probe in probes if probe.claim.who == GITHUB_JOB}


@pytest.mark.parametrize("workload", [BRANCH, NUMBERED, LONG, 'repository = "acme/site"\n'])
def test_every_claim_about_jobs_is_tried_and_holds(
    aws: BotocoreAws, local_aws: LocalAws, tmp_path: Path, workload: str
) -> None:
    """The right job gets the role, and no other does, each with AWS's answer: none is left to the paper."""
    made = applied(aws, tmp_path, workload)
    probes = probe(aws, made, open_door(local_aws.port))
    assert len(probes) == sum(claim.who == GITHUB_JOB for claim in made.claims) >= 5
    assert {found.verdict for found in probes.values()} == {Verdict.HOLDS}
    assert probes["own-jobs"].reason == "arn:aws:sts::123456789012:assumed-role/ci-ci/keyhole-verify"
    refused = {found.reason for slug, found in probes.items() if slug not in {"own-jobs", "no-other-audience"}}
    assert refused == {"Not authorized to perform sts:AssumeRoleWithWebIdentity"}
    # The provider turns it away: it knows AWS's audience alone.
    assert (probes["no-other-audience"].got, probes["no-other-audience"].reason) == (
        "denied",
        "Incorrect token audience",
    )


AUD = {f"{HOST}:aud": "sts.amazonaws.com"}
WIDER: list[dict[str, Any]] = [
    {"StringEquals": {f"{HOST}:sub": "repo:acme/site:ref:refs/heads/main"}},
    {"StringEquals": AUD, "StringLike": {f"{HOST}:sub": "repo:acme/site:*"}},
    {"StringEquals": AUD, "StringLike": {f"{HOST}:sub": "repo:acme/site*"}},
    {"StringEquals": AUD, "StringLike": {f"{HOST}:sub": "repo:*/site:ref:refs/heads/main"}},
    {"StringLike": {f"{HOST}:sub": "repo:*"}},
    {"StringEquals": AUD | {f"{HOST}:sub": "repo:acme/site:ref:refs/heads/dev"}},
]


@pytest.mark.parametrize("conditions", WIDER)
def test_a_role_that_trusts_others_is_found_as_on_paper(
    aws: BotocoreAws, local_aws: LocalAws, tmp_path: Path, conditions: dict[str, Any]
) -> None:
    """With the trust policy changed in the account, those claims fail that are broken by the same policy on paper."""
    made = applied(aws, tmp_path)
    changed = replace(made, resources=tuple(with_conditions(resource, conditions) for resource in made.resources))
    [document] = [resource.trust for resource in changed.resources if isinstance(resource, Role)]
    aws.call("iam", "UpdateAssumeRolePolicy", RoleName="ci-ci", PolicyDocument=json.dumps(document))
    # The trust policy alone shall decide about the audience.
    others = {"OpenIDConnectProviderArn": PROVIDER, "ClientID": "https://github.com/acme"}
    aws.call("iam", "AddClientIDToOpenIDConnectProvider", **others)
    found = probe(aws, made, open_door(local_aws.port))
    broken = {rehearsal.claim.id.rpartition(".")[2] for rehearsal in rehearse(changed) if not rehearsal.holds}
    assert {slug for slug, item in found.items() if item.verdict is not Verdict.HOLDS} == broken != set()
    assert {found[slug].verdict for slug in broken} == {Verdict.FAILS}


def with_conditions(resource: Any, conditions: dict[str, Any]) -> Any:
    if not isinstance(resource, Role):
        return resource
    [statement] = resource.trust["Statement"]
    return replace(resource, trust={**resource.trust, "Statement": [{**statement, "Condition": conditions}]})


def test_names_alone_do_not_open_a_numbered_role_nor_numbers_one_of_names(
    aws: BotocoreAws, local_aws: LocalAws, tmp_path: Path
) -> None:
    """A repository's token has the numbers or not: a role is for the form that the file says, and rehearsal agrees."""
    door = open_door(local_aws.port)
    made = applied(aws, tmp_path, NUMBERED)
    assert probe(aws, made, door)["no-names-alone"].got == "denied"
    made = applied(aws, tmp_path, 'repository = "acme/site"\nenvironment = "eu: prod"\n')
    numbered = "repo:acme@12/site@34:environment:eu%3A prod"
    claims = tuple(
        replace(claim, context={**claim.context, f"{HOST}:sub": numbered}) if claim.id.endswith("own-jobs") else claim
        for claim in made.claims
    )
    own = next(claim for claim in claims if claim.id.endswith("own-jobs"))
    assert probe(aws, replace(made, claims=claims), door)["own-jobs"].verdict is Verdict.FAILS
    assert [item.holds for item in rehearse(replace(made, claims=(own,)))] == [False]


def test_a_numbered_role_that_takes_names_alone_too_is_found(tmp_path: Path) -> None:
    """A trust policy with both forms of the subject breaks that claim, before anything is applied."""
    made = blueprint(tmp_path, NUMBERED)
    both = [f"repo:{repository}:environment:eu%3A prod" for repository in ("acme@12/site@34", "acme/site")]
    wider = {"StringEquals": AUD | {f"{HOST}:sub": both}}
    changed = replace(made, resources=tuple(with_conditions(resource, wider) for resource in made.resources))
    broken = [item.claim.id for item in rehearse(changed) if not item.holds]
    assert broken == ["workload.ci.trust.no-names-alone"]


def test_without_a_provider_nothing_is_known(aws: BotocoreAws, local_aws: LocalAws, tmp_path: Path) -> None:
    """That no token is taken at all shows nothing about whose token would be: it does not pass for "denied"."""
    made = applied(aws, tmp_path)
    aws.call("iam", "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=PROVIDER)
    found = probe(aws, made, open_door(local_aws.port))
    assert {item.verdict for item in found.values()} == {Verdict.UNKNOWN}
    assert "No OpenIDConnect provider found in your account" in found["no-pull-request"].reason


def test_on_aws_itself_they_stay_unknown(aws: BotocoreAws, tmp_path: Path) -> None:
    """Only GitHub gives tokens for its jobs, and that is said."""
    found = probe(aws, applied(aws, tmp_path), None)
    assert {item.verdict for item in found.values()} == {Verdict.UNKNOWN}
    assert found["own-jobs"].reason.startswith("only GitHub gives out tokens for its jobs")


@pytest.mark.parametrize("wrong", ["another job", "another audience", "nonsense", "a.b.c", "a.W10.c"])
def test_a_token_that_is_not_the_claims_tells_nothing(
    aws: BotocoreAws, local_aws: LocalAws, tmp_path: Path, wrong: str
) -> None:
    """If the issuer gives something else than was asked for, the claim is unknown, and the token is not shown."""
    made, door = applied(aws, tmp_path), open_door(local_aws.port)
    given: list[str] = []

    def give(wanted: WantedToken) -> str:
        given.append(
            door.job_token(replace(wanted, repository="acme/else"))
            if wrong == "another job"
            else door.job_token(replace(wanted, audience="else"))
            if wrong == "another audience"
            else wrong
        )
        return given[-1]

    found = probe(aws, made, LocalDoor(door.admin_token, give))
    assert {item.verdict for item in found.values()} == {Verdict.UNKNOWN}
    assert {item.reason.partition(" gave ")[0] for item in found.values()} == {"the issuer"}
    assert not [token for token in given if any(token in item.reason for item in found.values())]


def claim_of(subject: str) -> Claim:
    context = {f"{HOST}:aud": "sts.amazonaws.com", f"{HOST}:sub": subject}
    return Claim("id", GITHUB_JOB, "sts:AssumeRoleWithWebIdentity", "arn", Expected.CAN, "", "", context=context)


@pytest.mark.parametrize(
    ("subject", "token"),
    [
        ("repo:acme/a.b:ref:refs/heads/x/y", WantedToken("acme/a.b", "sts.amazonaws.com", ref="refs/heads/x/y")),
        ("repo:acme/a:pull_request", WantedToken("acme/a", "sts.amazonaws.com", is_pull_request=True)),
        (
            "repo:acme@1/a@2:environment:x%3Ay@3/z",
            WantedToken("acme/a", "sts.amazonaws.com", environment="x:y@3/z", owner_id=1, repository_id=2),
        ),
    ],
)
def test_a_subject_tells_the_job(subject: str, token: WantedToken) -> None:
    """Each form of GitHub's subject is read back into the job that has it."""
    assert read_claim(claim_of(subject)) == token


@pytest.mark.parametrize("subject", ["", "repo:acme", "repo:acme/a", "repo:acme/a:", "repo:acme@x/a@1:pull_request"])
def test_a_subject_that_github_does_not_give_is_refused(subject: str) -> None:
    """No job is made up for it."""
    with pytest.raises(KeyholeError, match="no job of GitHub has the subject"):
        read_claim(claim_of(subject))


def test_the_token_of_the_roles_own_jobs_is_the_one_of_the_claim(tmp_path: Path) -> None:
    """What `keyhole run` and the probes of the workload itself go by is the claim that says who can have the role."""
    made = blueprint(tmp_path, NUMBERED + '[workloads.cd]\nkind = "github-actions"\nrepository = "acme/other"\n')
    role = "arn:aws:iam::123456789012:role/keyhole/ci/default/ci-"
    assert own_token(made, role + "ci") == WantedToken(
        "acme/site", "sts.amazonaws.com", environment="eu: prod", owner_id=12, repository_id=34
    )
    assert own_token(made, role + "cd") == WantedToken("acme/other", "sts.amazonaws.com", ref="refs/heads/main")
