"""The credentials of an instance's role as its metadata service lays them out, or why there are none.

AWS: EC2 User Guide, "Retrieve security credentials from instance metadata"; IAM User Guide, "Troubleshoot IAM and
Amazon EC2".
"""

from __future__ import annotations

import json

from keyhole.local.backend import Instance, Role
from keyhole.local.service_credentials import Assumer, ServiceCredentials, render_time
from keyhole.local.sessions import SessionStore

_SERVICE = "ec2.amazonaws.com"
_TROUBLESHOOTING = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc"
)


class RoleCredentials:
    """The credentials that one instance hands out, for the role that it is asked about; thread-safe.

    `delivery` is the version of the metadata service that they come by, "1.0" or "2.0": they say so for ever.
    """

    def __init__(self, sessions: SessionStore, delivery: str) -> None:
        self._sessions = sessions
        self._delivery = delivery
        self._credentials = ServiceCredentials(sessions)

    def render(self, role: Role, instance: Instance) -> str:
        """Give the document at `iam/security-credentials/ROLE`: credentials, or why there are none."""
        # On EC2 the instance id is the session's name.
        context = _session_context(instance, self._delivery)
        assumer = Assumer(_SERVICE, instance.region, instance.instance_id, session_context=context)
        session = self._credentials.provide(role, assumer)
        if session is None:
            message = f"EC2 cannot assume the role {role.name}. Please see documentation at {_TROUBLESHOOTING}."
            updated = render_time(self._sessions.clock())
            return render_document({"Code": "AssumeRoleUnauthorizedAccess", "Message": message, "LastUpdated": updated})
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


def _session_context(instance: Instance, delivery: str) -> dict[str, str]:
    """Give the condition keys of requests made with an instance's credentials.

    AWS: IAM User Guide, "AWS global condition context keys", aws:Ec2InstanceSourceVpc; EC2 User Guide, "Use the
    Instance Metadata Service to access instance metadata", ec2:RoleDelivery; Service Authorization Reference, EC2.
    """
    values = {
        "ec2:SourceInstanceARN": f"arn:aws:ec2:{instance.region}:{instance.account}:instance/{instance.instance_id}",
        "ec2:RoleDelivery": delivery,
        "aws:Ec2InstanceSourceVpc": instance.vpc_id,
        "aws:Ec2InstanceSourcePrivateIPv4": instance.private_ip,
    }
    return {key: value for key, value in values.items() if value}


def render_document(document: dict[str, str]) -> str:
    """Give a JSON document as the metadata service lays it out."""
    return json.dumps(document, indent=2, separators=(",", " : "))
