"""A GitHub Actions job for whoever has the state of a running local AWS: what its steps' environment needs."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from keyhole.errors import KeyholeError
from keyhole.local.state import LocalState, admin_token

_TIMEOUT_S = 10
_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class GithubJob:
    """Where a job asks for its identity tokens, and with what; it ends six hours after it began."""

    request_url: str
    request_token: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        """Give the variables that GitHub's runner sets for steps with the permission `id-token: write`."""
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": self.request_url,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token,
        }


def request_job(
    state: LocalState,
    repository: str,
    *,
    branch: str = "",
    environment: str = "",
    is_pull_request: bool = False,
    use_immutable_subject: bool = False,
    owner_id: int = 0,
    repository_id: int = 0,
) -> GithubJob:
    """Begin a job of the repository `owner/name`, on `main` if nothing is said.

    Numbers that are 0 are made up from the names.

    Raises: KeyholeError where the local AWS does not answer, or GitHub would run no such job.
    """
    job: dict[str, object] = {"repository": repository, "use_immutable_subject": use_immutable_subject}
    if owner_id:
        job["repository_owner_id"] = str(owner_id)
    if repository_id:
        job["repository_id"] = str(repository_id)
    if branch:
        job["ref"] = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
    if environment:
        job["environment"] = environment
    if is_pull_request:
        job["event_name"] = "pull_request"
    answer = _post(state, "/_keyhole/github/jobs", job)
    return GithubJob(str(answer["request_url"]), str(answer["request_token"]))


def _post(state: LocalState, path: str, document: dict[str, object]) -> dict[str, object]:
    parts = urlsplit(state.url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=_TIMEOUT_S)
    headers = {"Authorization": f"Bearer {admin_token(state.master)}", "Content-Type": "application/json"}
    try:
        connection.request("POST", path, json.dumps(document), headers)
        response = connection.getresponse()
        answer = json.loads(response.read(_MAX_BYTES))
    except (OSError, http.client.HTTPException, ValueError) as error:
        hint = "start it with `keyhole local start`"
        raise KeyholeError(f"the local AWS on port `{state.port}` does not answer", hint=hint) from error
    finally:
        connection.close()
    if response.status != http.client.CREATED:
        raise KeyholeError(f"no such job can be begun: {answer.get('error', response.status)}")
    return dict(answer)
