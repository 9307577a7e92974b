"""The credentials of an instance's role: issued on EC2's behalf where the role trusts EC2, and renewed in time.

AWS: EC2 User Guide, "Retrieve security credentials from instance metadata"; IAM User Guide, "Troubleshoot IAM and
Amazon EC2".
"""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta

from keyhole.errors import PolicyError
from keyhole.iam import decide, parse_policy
from keyhole.iam.model import Context, PolicyKind, PolicySet, Principal, PrincipalKind, Request
from keyhole.local.backend import Instance, Role
from keyhole.local.sessions import Session, SessionStore, assumed_role_principal

_SERVICE = "ec2.amazonaws.com"
_LIFETIME_S = 6 * 3600

# AWS promises five minutes at least. SDKs begin to ask for new credentials up to twenty minutes before the end, and
# stretch those that they have when they get the old ones again.
_RENEW_BEFORE = timedelta(minutes=30)

_TROUBLESHOOTING = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc"
)


class RoleCredentials:
    """The credentials that one instance hands out, for the role that it is asked about; thread-safe."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._current: Session | None = None

    def render(self, role: Role, instance: Instance) -> str:
        """Give the document at `iam/security-credentials/ROLE`: credentials, or why there are none."""
        moment = self._sessions.clock()
        if not trusts_ec2(role, instance.region, moment):
            # Judged anew each time, so that a trust policy that was repaired (or broken) shows at once.
            message = f"EC2 cannot assume the role {role.name}. Please see documentation at {_TROUBLESHOOTING}."
            refusal = {"Code": "AssumeRoleUnauthorizedAccess", "Message": message, "LastUpdated": render_time(moment)}
            return render_document(refusal)
        session = self._provide(role, instance, moment)
        return render_document(
            {
                "Code": "Success",
                "LastUpdated": render_time(session.issued_at),
                "Type": "AWS-HMAC",
                "AccessKeyId": session.access_key_id,
                "SecretAccessKey": session.secret_access_key,
                "Token": session.session_token,
                "Expiration": render_time(session.expires_at),
            }
        )

    def _provide(self, role: Role, instance: Instance, moment: datetime) -> Session:
        with self._lock:
            session = self._current
            if session is None or session.role_id != role.role_id or session.expires_at - moment < _RENEW_BEFORE:
                # On EC2 the instance id is the session's name.
                session = self._sessions.issue(
                    assumed_role_principal(role.arn, instance.instance_id),
                    duration_s=_LIFETIME_S,
                    role_id=role.role_id,
                    session_name=instance.instance_id,
                )
                self._current = session
            return session


def trusts_ec2(role: Role, region: str, moment: datetime) -> bool:
    """Hold iff the role's trust policy lets EC2 assume it; a trust policy that does not parse lets nobody."""
    try:
        trust = parse_policy(role.trust, kind=PolicyKind.TRUST, name=role.arn)
    except PolicyError:
        return False
    context = Context(
        {
            "aws:CurrentTime": render_time(moment),
            "aws:EpochTime": str(int(moment.timestamp())),
            "aws:PrincipalIsAWSService": "true",
            "aws:PrincipalServiceName": _SERVICE,
            "aws:PrincipalServiceNamesList": (_SERVICE,),
            "aws:RequestedRegion": region,
            "aws:SecureTransport": "true",
        }
    )
    ec2 = Principal(PrincipalKind.SERVICE, arn=_SERVICE)
    request = Request(ec2, "sts:AssumeRole", role.arn, context, resource_account=role.account)
    return decide(request, PolicySet(trust=trust)).is_allowed


def render_time(moment: datetime) -> str:
    """Give a time as AWS writes it: UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def render_document(document: dict[str, str]) -> str:
    """Give a JSON document as the metadata service lays it out."""
    return json.dumps(document, indent=2, separators=(",", " : "))
