"""What only the owner of a local AWS may ask of it: opened with the secret in its state file."""

from __future__ import annotations

from keyhole.cli.github_environment import begin_job, fetch_job_token
from keyhole.cli.local_aws import require_running
from keyhole.local.state import admin_token
from keyhole.verify.identities import LocalDoor


def open_door(port: int) -> LocalDoor:
    """Give the door of the local AWS on this port. Raises: KeyholeError if none runs there."""
    state = require_running(port)
    return LocalDoor(admin_token(state.master), lambda token: fetch_job_token(begin_job(state, token), token.audience))
