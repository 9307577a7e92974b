"""What other programs are told so that they use what Keyhole made: text to put into their files."""

from keyhole.snippets.backend import backend_block
from keyhole.snippets.github import JobSecret, job_secrets, workflow
from keyhole.snippets.profile import role_profiles

__all__ = ["JobSecret", "backend_block", "job_secrets", "role_profiles", "workflow"]
