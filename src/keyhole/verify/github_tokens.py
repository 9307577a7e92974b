"""The token of GitHub Actions that a claim speaks of: of which job it is and for whom; and an attempt with it.

What a job's token says is written down once, in the claims: on paper they are decided as they stand, and here they are
read back into the job that has such a token.
GitHub: "OpenID Connect reference", example subject claims and immutable subject claims.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws
from keyhole.blueprint import GITHUB_JOB, Blueprint, Claim, Expected
from keyhole.blueprint.github import ASSUME, AUDIENCE_KEY, SUBJECT_KEY
from keyhole.errors import AwsError, KeyholeError
from keyhole.verify.attempts import DENIED, Answer

_SUBJECT = re.compile(
    r"repo:(?P<owner>[^/@:]+)(@(?P<owner_id>[0-9]+))?/(?P<name>[^/@:]+)(@(?P<repository_id>[0-9]+))?:"
    r"(?:(?P<pull_request>pull_request)|environment:(?P<environment>.+)|ref:(?P<ref>.+))"
)
# AWS: IAM User Guide, "Troubleshoot OIDC federation": the provider itself turns away a token that is for others. The
# code alone says no more than that something is wrong with the token, or that there is no provider.
_NOT_FOR_AWS = ("InvalidIdentityToken", "Incorrect token audience")


@dataclass(frozen=True, slots=True)
class WantedToken:
    """A token as a claim describes it: one of `ref`, `environment` and `is_pull_request` says which job's it is.

    The numbers are 0 where the subject has names alone.
    """

    repository: str
    audience: str
    ref: str = ""
    environment: str = ""
    is_pull_request: bool = False
    owner_id: int = 0
    repository_id: int = 0


def read_claim(claim: Claim) -> WantedToken:
    """Give the token that the claim speaks of. Raises: KeyholeError where GitHub gives none with such a subject."""
    subject = claim.context[SUBJECT_KEY]
    found = _SUBJECT.fullmatch(subject)
    if found is None:
        raise KeyholeError(f"no job of GitHub has the subject `{subject}`")
    return WantedToken(
        repository=f"{found['owner']}/{found['name']}",
        audience=claim.context[AUDIENCE_KEY],
        ref=found["ref"] or "",
        # GitHub writes a colon in the name as %3A.
        environment=(found["environment"] or "").replace("%3A", ":"),
        is_pull_request=bool(found["pull_request"]),
        owner_id=int(found["owner_id"] or 0),
        repository_id=int(found["repository_id"] or 0),
    )


def own_token(blueprint: Blueprint, role_arn: str) -> WantedToken:
    """Give the token of the jobs that the role is for: that of the one claim that says who can have it."""
    of_jobs = (claim for claim in blueprint.claims if claim.who == GITHUB_JOB and claim.resource == role_arn)
    return read_claim(next(claim for claim in of_jobs if claim.expected is Expected.CAN))


def assume_as_job(aws: Aws, claim: Claim, token: str, session_name: str) -> Answer:
    """Try to get the claim's role with the token; the credentials are thrown away. `aws` needs none of its own.

    Raises: KeyholeError where the token is not the one that the claim speaks of, AwsError if AWS's answer says neither
    "allowed" nor "denied".
    """
    _check_same(claim, token)
    params = {"RoleArn": claim.resource, "RoleSessionName": session_name, "WebIdentityToken": token}
    try:
        answer = aws.call("sts", ASSUME.partition(":")[2], **params)
    except AwsError as error:
        if error.code in DENIED or (error.code, error.message) == _NOT_FOR_AWS:
            return Answer(False, error.message)
        raise
    return Answer(True, str(answer["AssumedRoleUser"]["Arn"]))


def _check_same(claim: Claim, token: str) -> None:
    """Return if subject and audience are the claim's: else the answer would be to another question."""
    says = _payload(token)
    for key, name in ((SUBJECT_KEY, "sub"), (AUDIENCE_KEY, "aud")):
        if says.get(name) != claim.context[key]:
            raise KeyholeError(f"the issuer gave a token with the `{name}` {says.get(name)}, not {claim.context[key]}")


def _payload(token: str) -> dict[str, Any]:
    """Give what the token says. Its signature is AWS's to verify."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        payload = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise KeyholeError("the issuer gave something that is no token")
    return payload
