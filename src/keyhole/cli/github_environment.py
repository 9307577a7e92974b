"""What a step of a GitHub Actions job has in its environment, by the issuer of a local AWS.

GitHub Docs, "OpenID Connect reference", methods for requesting the token; AWS SDKs and Tools Reference Guide, "Assume
role credential provider", web identity.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from keyhole.errors import KeyholeError
from keyhole.local.github_job import GithubJob, request_job
from keyhole.local.state import LocalState
from keyhole.verify.github_tokens import WantedToken

# Half the time that a token is good for, and less: a program that reads the file gets one that lasts.
_RENEW_AFTER_S = 120.0


def begin_job(state: LocalState, token: WantedToken) -> GithubJob:
    """Begin the job that such a token is of. Raises: KeyholeError."""
    return request_job(
        state,
        token.repository,
        branch=token.ref,
        environment=token.environment,
        is_pull_request=token.is_pull_request,
        use_immutable_subject=bool(token.owner_id and token.repository_id),
        owner_id=token.owner_id,
        repository_id=token.repository_id,
    )


def fetch_job_token(job: GithubJob, audience: str) -> str:
    """Give an identity token of the job for this audience, as its steps ask for one. Raises: KeyholeError."""
    request = urllib.request.Request(  # noqa: S310 - the local AWS's own address
        f"{job.request_url}&audience={quote(audience, safe='')}",
        headers={"Authorization": f"Bearer {job.request_token}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return str(json.load(answer)["value"])
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise KeyholeError("the local AWS gives no token to the job", hint="is it the one that you started?") from error


@contextmanager
def job_environment(state: LocalState, token: WantedToken, role_arn: str) -> Iterator[Mapping[str, str]]:
    """Give the variables of a job that assumes the role; its token's file is renewed until the end of the block.

    Raises: KeyholeError.
    """
    job = begin_job(state, token)
    with tempfile.TemporaryDirectory(prefix="keyhole-run-") as folder:
        file = Path(folder, "token")
        write_private(file, fetch_job_token(job, token.audience))
        ended = threading.Event()
        thread = threading.Thread(target=_renew, args=(job, token.audience, file, ended), name="job-token", daemon=True)
        thread.start()
        try:
            yield {
                **job.environment(),
                "AWS_ROLE_ARN": role_arn,
                "AWS_ROLE_SESSION_NAME": "GitHubActions",
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
            }
        finally:
            ended.set()
            thread.join()


def _renew(job: GithubJob, audience: str, file: Path, ended: threading.Event) -> None:
    # Signals are for the command that runs meanwhile: see `run_command`.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while not ended.wait(_RENEW_AFTER_S):
        # The local AWS may have ended: the program finds out by itself.
        with suppress(KeyholeError, OSError):
            write_private(file, fetch_job_token(job, audience))


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, whole or not at all. Raises: OSError."""
    # mkstemp creates with mode 0600.
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
