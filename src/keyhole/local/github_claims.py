"""A job of GitHub Actions, and what its identity token says: the claims, and the forms of `sub`.

GitHub Docs, "OpenID Connect reference" (OIDC token claims, Example subject claims, Immutable subject claims).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ISSUER = "https://token.actions.githubusercontent.com"

_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_REF = re.compile(r"refs/(?P<kind>heads|tags|pull)/[^\x00-\x20\x7f]{1,240}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{0,255}")
_ID = re.compile(r"[0-9]{1,19}")


class JobError(ValueError):
    """What is asked for is no job that GitHub could run."""


@dataclass(frozen=True, slots=True)
class WorkflowJob:
    """One job of a workflow run; ids that are not given are made of the names, so that they stay the same.

    `use_immutable_subject`: `sub` has the ids in it, as those of repositories made since July 2026 do.
    """

    repository: str
    ref: str = "refs/heads/main"
    environment: str = ""
    event_name: str = "push"
    workflow: str = "deploy"
    job_workflow_ref: str = ""
    actor: str = "octocat"
    actor_id: str = ""
    repository_id: str = ""
    repository_owner_id: str = ""
    repository_visibility: str = "private"
    runner_environment: str = "github-hosted"
    head_ref: str = ""
    base_ref: str = ""
    sha: str = ""
    run_id: str = ""
    run_number: str = "1"
    run_attempt: str = "1"
    use_immutable_subject: bool = False

    @property
    def owner(self) -> str:
        """Who owns the repository: the first part of its name."""
        return self.repository.partition("/")[0]

    def claims(self) -> dict[str, str]:
        """Give what the token says of the job; the claims of the token itself come on top."""
        owner_id = self.repository_owner_id or _make_id(self.owner)
        repository_id = self.repository_id or _make_id(self.repository)
        workflow_ref = f"{self.repository}/.github/workflows/{self.workflow}.yml@{self.ref}"
        sha = self.sha or hashlib.sha256(f"{self.repository}@{self.ref}".encode()).hexdigest()[:40]
        claims = {
            "sub": self._subject(owner_id, repository_id),
            "ref": self.ref,
            "sha": sha,
            "repository": self.repository,
            "repository_owner": self.owner,
            "repository_owner_id": owner_id,
            "run_id": self.run_id or _make_id(f"{self.repository}@{self.ref}"),
            "run_number": self.run_number,
            "run_attempt": self.run_attempt,
            "repository_visibility": self.repository_visibility,
            "repository_id": repository_id,
            "actor_id": self.actor_id or _make_id(self.actor),
            "actor": self.actor,
            "workflow": self.workflow,
            "head_ref": self.head_ref,
            "base_ref": self.base_ref,
            "event_name": self.event_name,
            "ref_protected": "false",
            "ref_type": "tag" if self.ref.startswith("refs/tags/") else "branch",
            "workflow_ref": workflow_ref,
            "workflow_sha": sha,
            "job_workflow_ref": self.job_workflow_ref or workflow_ref,
            "job_workflow_sha": sha,
            "runner_environment": self.runner_environment,
        }
        return {**claims, "environment": self.environment} if self.environment else claims

    def _subject(self, owner_id: str, repository_id: str) -> str:
        """Give `sub`: by environment where there is one, else as pull request, else by ref."""
        owner, _, name = self.repository.partition("/")
        ids = (f"@{owner_id}", f"@{repository_id}") if self.use_immutable_subject else ("", "")
        who = f"repo:{owner}{ids[0]}/{name}{ids[1]}"
        if self.environment:
            # GitHub escapes what would look like another part of the subject.
            return f"{who}:environment:{self.environment.replace(':', '%3A')}"
        return f"{who}:pull_request" if self.event_name == "pull_request" else f"{who}:ref:{self.ref}"


def read_job(document: Mapping[str, Any]) -> WorkflowJob:
    """Give the job that a JSON object describes, by the names of GitHub's claims. Raises: JobError."""
    known = WorkflowJob.__dataclass_fields__
    for name, value in document.items():
        if name not in known:
            raise JobError(f"`{name}` is no part of a job: it has {', '.join(known)}")
        wanted = bool if name == "use_immutable_subject" else str
        if not isinstance(value, wanted):
            raise JobError(f"`{name}` is no {'truth value' if wanted is bool else 'text'}")
    given = {name: value for name, value in document.items() if value != ""}
    if "repository" not in given:
        raise JobError("`repository` is missing: give `owner/name`")
    if given.get("event_name") == "pull_request":
        given = {"ref": "refs/pull/1/merge", "head_ref": "topic", "base_ref": "main", **given}
    job = WorkflowJob(**given)
    _check(job)
    return job


def _check(job: WorkflowJob) -> None:
    if not _REPOSITORY.fullmatch(job.repository):
        raise JobError("`repository` is not `owner/name`")
    if not _REF.fullmatch(job.ref):
        raise JobError("`ref` does not begin with `refs/heads/`, `refs/tags/` or `refs/pull/`")
    checks: tuple[tuple[tuple[str, ...], Callable[[str], object]], ...] = (
        (("actor_id", "repository_id", "repository_owner_id", "run_id"), lambda text: not text or _ID.fullmatch(text)),
        (tuple(name for name in WorkflowJob.__dataclass_fields__ if name != "use_immutable_subject"), _TEXT.fullmatch),
    )
    for names, is_right in checks:
        for name in names:
            if not is_right(getattr(job, name)):
                raise JobError(f"`{name}` cannot be that")


def _make_id(name: str) -> str:
    return str(int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:4]) % 900_000_000 + 100_000_000)
