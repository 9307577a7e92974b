"""GitHub Actions: whose token opens the role, as its trust policy and as claims about other jobs' tokens.

GitHub: "OpenID Connect reference" (subject claims, also those with the numbers of owner and repository); AWS: IAM User
Guide, "Create a role for OpenID Connect federation", and "Available keys for AWS OIDC federation".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.blueprint.claims import GITHUB_JOB, Claim, Expected
from keyhole.blueprint.policies import VERSION
from keyhole.naming import Scope
from keyhole.resources.oidc_provider import GITHUB_AUDIENCE, GITHUB_HOST, OidcProvider, provider_arn
from keyhole.spec.model import GithubActionsWorkload

PROVIDER_ADDRESS = "oidc-provider.github"
AUDIENCE_KEY = f"{GITHUB_HOST}:aud"
SUBJECT_KEY = f"{GITHUB_HOST}:sub"
ASSUME = "sts:AssumeRoleWithWebIdentity"
# The others that are kept out have names that GitHub takes, so that it can be tried: as long as these at most.
_OWNER_MAX, _NAME_MAX, _BRANCH_MAX, _ENVIRONMENT_MAX = 39, 100, 240, 255
_PROBE = "keyhole-probe"


def github_provider(scope: Scope) -> OidcProvider:
    """Give GitHub's provider as it shall be."""
    return OidcProvider(PROVIDER_ADDRESS, provider_arn(scope), GITHUB_HOST, GITHUB_AUDIENCE, scope.tags)


def github_trust(workload: GithubActionsWorkload, scope: Scope) -> dict[str, Any]:
    """Give the trust policy of a role for the jobs of one repository, branch or environment."""
    conditions: dict[str, dict[str, str]] = {"StringEquals": {AUDIENCE_KEY: GITHUB_AUDIENCE}}
    if job := _job(workload):
        conditions["StringEquals"][SUBJECT_KEY] = f"{_repository(workload)}:{job}"
    else:
        conditions["StringLike"] = {SUBJECT_KEY: f"{_repository(workload)}:*"}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn(scope)},
        "Action": ASSUME,
        "Condition": conditions,
    }
    return {"Version": VERSION, "Statement": [statement]}


def github_claims(key: str, workload: GithubActionsWorkload, role_arn: str, place: str) -> Iterator[Claim]:
    """Give which jobs get the role, and which do not, token by token."""
    repository, job = _repository(workload), _job(workload)
    owner, _, name = workload.repository.partition("/")
    some_branch = "ref:refs/heads/main"
    some_job = job or some_branch

    def claim(slug: str, subject: str, why: str, *, audience: str = GITHUB_AUDIENCE, can: bool = False) -> Claim:
        context = {AUDIENCE_KEY: audience, SUBJECT_KEY: subject}
        expected = Expected.CAN if can else Expected.CANNOT
        return Claim(
            f"workload.{key}.trust.{slug}", GITHUB_JOB, ASSUME, role_arn, expected, why, place, context=context
        )

    own = f"{repository}:{some_job}"
    yield claim("own-jobs", own, f"the file gives workload {key} to these jobs", can=True)
    why = f"the file names the repository {workload.repository} alone"
    others = {
        "no-other-repository": _repository(workload, name=f"{_PROBE}-{name}"[:_NAME_MAX]),
        "no-longer-repository": _repository(workload, name=_longer(name, _NAME_MAX)),
        "no-other-owner": _repository(workload, owner=f"{_PROBE}-{owner}"[:_OWNER_MAX].rstrip("-")),
    }
    if workload.repository_id:
        others["no-other-number"] = _repository(workload, number=1)
        # Whoever gets hold of the names may have a repository that is older than the numbers.
        others["no-names-alone"] = f"repo:{workload.repository}"
    for slug, other in others.items():
        yield claim(slug, f"{other}:{some_job}", why)
    audience = f"https://github.com/{owner}"
    yield claim("no-other-audience", own, "the token must be meant for AWS", audience=audience)
    if not job:
        return
    limit = f"branch {workload.branch}" if workload.branch else f"environment {workload.environment}"
    why = f"the file names the {limit} alone"
    other_branch = f"ref:refs/heads/{_longer(workload.branch, _BRANCH_MAX)}" if workload.branch else some_branch
    yield claim("no-other-branch", f"{repository}:{other_branch}", why)
    yield claim("no-pull-request", f"{repository}:pull_request", why)
    other_environment = workload.branch or _longer(workload.environment or "", _ENVIRONMENT_MAX)
    yield claim("no-other-environment", f"{repository}:{_environment(other_environment)}", why)


def _repository(workload: GithubActionsWorkload, *, owner: str = "", name: str = "", number: int = 0) -> str:
    """Give what the subject says of the repository, or of another one.

    The numbers keep out whoever gets hold of the names later.
    """
    own_owner, _, own_name = workload.repository.partition("/")
    owner, name = owner or own_owner, name or own_name
    if workload.owner_id and workload.repository_id:
        return f"repo:{owner}@{workload.owner_id}/{name}@{workload.repository_id + number}"
    return f"repo:{owner}/{name}"


def _job(workload: GithubActionsWorkload) -> str:
    """Give what the subject says of the job; "" where any job of the repository is meant."""
    if workload.environment:
        return _environment(workload.environment)
    return f"ref:refs/heads/{workload.branch}" if workload.branch else ""


def _environment(name: str) -> str:
    # GitHub writes a colon in a name as %3A, so that it cannot pass for the end of one part.
    return f"environment:{name.replace(':', '%3A')}"


def _longer(name: str, most: int) -> str:
    """Give another name that begins as this one does: all of it, where there is room for more."""
    return f"{name[: most - len(_PROBE) - 1]}-{_PROBE}"
