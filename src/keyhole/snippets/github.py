"""What a GitHub repository needs so that its jobs get their role: a secret with the role's ARN, and a workflow.

GitHub: "Configuring OpenID Connect in Amazon Web Services".
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from keyhole.blueprint.workloads import holder_arn
from keyhole.naming import Scope
from keyhole.spec import App
from keyhole.spec.model import GithubActionsWorkload

SECRET = "AWS_ROLE_TO_ASSUME"


@dataclass(frozen=True, slots=True)
class JobSecret:
    """The secret of a repository, or of one of its environments, that names the role of a workload's jobs."""

    workload: str
    name: str
    value: str
    repository: str
    environment: str = ""

    @property
    def where(self) -> str:
        """Where the secret is, as a person says it."""
        return f"environment {self.environment} of {self.repository}" if self.environment else self.repository

    @property
    def command(self) -> tuple[str, ...]:
        """The command of GitHub's CLI that sets it, from its standard input."""
        place = ("--env", self.environment) if self.environment else ()
        return ("gh", "secret", "set", self.name, "--repo", self.repository, *place)


def job_secrets(app: App, scope: Scope) -> tuple[JobSecret, ...]:
    """Give one secret for each workload of GitHub's jobs; two in one place have different names."""
    secrets: dict[tuple[str, str, str], JobSecret] = {}
    for key, workload in app.workloads.items():
        if not isinstance(workload, GithubActionsWorkload):
            continue
        place = (workload.repository.lower(), workload.environment or "")
        name = SECRET if (*place, SECRET) not in secrets else f"{SECRET}_{key.upper().replace('-', '_')}"
        secret = JobSecret(key, name, holder_arn(app, key, scope), workload.repository, workload.environment or "")
        secrets[(*place, name)] = secret
    return tuple(secrets.values())


def workflow(app: App, secret: JobSecret) -> str:
    """Give a workflow whose job takes the role, and says who it is then."""
    workload = app.workloads[secret.workload]
    branch = (isinstance(workload, GithubActionsWorkload) and workload.branch) or "main"
    environment = [f"    environment: {json.dumps(secret.environment)}"] if secret.environment else []
    lines = (
        f"name: {secret.workload}",
        "on:",
        "  push:",
        f"    branches: [{json.dumps(branch)}]",
        "permissions:",
        "  id-token: write   # the job's OIDC token, which it trades for the role",
        "  contents: read",
        "jobs:",
        f"  {secret.workload}:",
        "    runs-on: ubuntu-latest",
        *environment,
        "    steps:",
        "      - uses: actions/checkout@v4",
        "      - uses: aws-actions/configure-aws-credentials@v4",
        "        with:",
        f"          role-to-assume: ${{{{ secrets.{secret.name} }}}}",
        f"          aws-region: {app.region}",
        "      - run: aws sts get-caller-identity",
    )
    return "\n".join((*lines, ""))
