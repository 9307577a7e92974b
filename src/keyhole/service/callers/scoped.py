"""Credentials no wider than the caller: what the service forgets to check, the store refuses.

For an upload with `caller_role` the workload assumes a role anew for each caller, with a session policy that reaches
this caller's objects alone. AWS: IAM User Guide, "Policies and permissions in IAM", session policies: what a session
may do is the intersection of the role's policies and the session's.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from typing import Any

from keyhole.aws.assumed import AssumedAws
from keyhole.aws.client import BotocoreAws
from keyhole.service.callers.caller import Caller
from keyhole.service.settings import Settings

# A caller's clients take about a megabyte; one who is let go is let in again by one call of STS.
_MOST_KEPT = 64
# AWS: STS API Reference, AssumeRole, RoleSessionName.
_LONGEST_SESSION_NAME = 64


class ScopedAws:
    """The AWS of each caller: the workload's own, or for uploads with a role that of the caller's session."""

    def __init__(self, workload: BotocoreAws, *, max_kept: int = _MOST_KEPT) -> None:
        self._workload = workload
        self._max_kept = max_kept
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], BotocoreAws] = OrderedDict()

    def choose(self, settings: Settings, caller: Caller) -> BotocoreAws:
        """Give what all calls and signatures for this caller are made with. Thread-safe; nothing is asked yet."""
        if not settings.role_arn:
            return self._workload
        place = (settings.name, caller.folder)
        with self._lock:
            aws = self._kept.get(place)
            if aws is None:
                policy = json.dumps(make_session_policy(settings, caller), separators=(",", ":"))
                aws = AssumedAws(self._workload, settings.role_arn, name_session(caller), policy=policy, max_attempts=2)
                self._kept[place] = aws
                if len(self._kept) > self._max_kept:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(place)
            return aws


def make_session_policy(settings: Settings, caller: Caller) -> dict[str, Any]:
    """Give the session policy that reaches what is the caller's in this upload, and nothing else."""
    if not caller.folder:
        raise ValueError("a caller without a folder has nothing of its own")
    partition = settings.role_arn.split(":")[1]
    bucket = f"arn:{partition}:s3:::{settings.bucket}"
    prefixes = [settings.caller_prefix(caller)]
    if settings.signed_uploads:
        prefixes.append(settings.caller_quarantine(caller))
    patterns = [f"{_literal(prefix)}*" for prefix in prefixes]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "s3:GetObject",
                    "s3:PutObject",
                    "s3:DeleteObject",
                    "s3:AbortMultipartUpload",
                    "s3:ListMultipartUploadParts",
                ],
                "Resource": [f"{bucket}/{pattern}" for pattern in patterns],
            },
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": bucket,
                "Condition": {"StringLike": {"s3:prefix": patterns}},
            },
        ],
    }


def name_session(caller: Caller) -> str:
    """Give the session's name, by which CloudTrail tells callers apart."""
    folder = caller.folder
    if len(folder) <= _LONGEST_SESSION_NAME:
        return folder
    return hashlib.sha256(folder.encode()).hexdigest()[:_LONGEST_SESSION_NAME]


def _literal(prefix: str) -> str:
    """Give the prefix as a pattern that matches nothing else.

    AWS: IAM User Guide, "IAM policy elements: Variables and tags", special characters.
    """
    return "".join(f"${{{character}}}" if character in "*?$" else character for character in prefix)
