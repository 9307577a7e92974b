"""Credentials that an AWS service fetches for a workload: the role must trust it, and they are renewed in time.

AWS: EC2 User Guide, "Retrieve security credentials from instance metadata"; ECS Developer Guide, "Amazon ECS task IAM
role"; IAM User Guide, "The confused deputy problem".
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from keyhole.errors import PolicyError
from keyhole.iam import decide, parse_policy
from keyhole.iam.model import Context, PolicyKind, PolicySet, Principal, PrincipalKind, Request
from keyhole.local.backend import Role
from keyhole.local.sessions import Session, SessionStore, assumed_role_principal

_LIFETIME_S = 6 * 3600

# AWS promises five minutes at least. SDKs begin to ask for new credentials up to twenty minutes before the end, and
# stretch those that they have when they get the old ones again.
_RENEW_BEFORE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Assumer:
    """The service that assumes a role, for whom and where: `Assumer("ec2.amazonaws.com", "us-east-1", "i-0abc…")`.

    `session_name` is the workload's, `context` has the condition keys that only this service sets. `session_context`
    are those that the requests made with the credentials have.
    """

    service: str
    region: str
    session_name: str
    context: Mapping[str, str] = field(default_factory=dict)
    session_context: Mapping[str, str] = field(default_factory=dict)


class ServiceCredentials:
    """The credentials that one workload is given, for the role that it is asked about; thread-safe."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._current: Session | None = None

    def provide(self, role: Role, assumer: Assumer) -> Session | None:
        """Give the session to use now, renewed half an hour before its end; None where the role trusts no such service.

        Judged anew each time, so that a trust policy that was repaired (or broken) shows at once.
        """
        moment = self._sessions.clock()
        if not may_assume(assumer, role, moment):
            return None
        with self._lock:
            session = self._current
            if session is None or session.role_id != role.role_id or session.expires_at - moment < _RENEW_BEFORE:
                session = self._current = self._sessions.issue(
                    assumed_role_principal(role.arn, assumer.session_name),
                    duration_s=_LIFETIME_S,
                    role_id=role.role_id,
                    session_name=assumer.session_name,
                    context=assumer.session_context,
                )
            return session


def may_assume(assumer: Assumer, role: Role, moment: datetime) -> bool:
    """Hold iff the role's trust policy lets the service assume it; a trust policy that does not parse lets nobody."""
    try:
        trust = parse_policy(role.trust, kind=PolicyKind.TRUST, name=role.arn)
    except PolicyError:
        return False
    context = Context(
        {
            "aws:CurrentTime": render_time(moment),
            "aws:EpochTime": str(int(moment.timestamp())),
            "aws:PrincipalIsAWSService": "true",
            "aws:PrincipalServiceName": assumer.service,
            "aws:PrincipalServiceNamesList": (assumer.service,),
            "aws:RequestedRegion": assumer.region,
            "aws:SecureTransport": "true",
            "sts:RoleSessionName": assumer.session_name,
            **assumer.context,
        }
    )
    principal = Principal(PrincipalKind.SERVICE, arn=assumer.service)
    request = Request(principal, "sts:AssumeRole", role.arn, context, resource_account=role.account)
    return decide(request, PolicySet(trust=trust)).is_allowed


def render_time(moment: datetime) -> str:
    """Give a time as AWS writes it: UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
