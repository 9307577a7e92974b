"""STS: operation → actions. Roles are assumed by their trust policies, which are asked in `role_trust`.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for AWS Security Token Service"; IAM User
Guide, "Permissions for GetFederationToken".
"""

from __future__ import annotations

from keyhole.local.actions.row import Need, Place, Row, every
from keyhole.local.call import ApiCall


def _federated_user(call: ApiCall, place: Place) -> tuple[str, ...]:
    return (f"arn:aws:sts::{place.account}:federated-user/{call.params.get('Name', '')}",)


ROWS: dict[str, Row] = {
    # Who may assume a role depends on its trust policy; who may ask for a session token or for its own identity on
    # nothing but being somebody.
    "AssumeRole": (),
    "AssumeRoleWithWebIdentity": (),
    "GetCallerIdentity": (),
    "GetSessionToken": (),
    "GetFederationToken": (
        Need("sts:GetFederationToken", _federated_user),
        Need("sts:TagSession", _federated_user, when=("Tags",)),
    ),
    "DecodeAuthorizationMessage": every("sts:DecodeAuthorizationMessage"),
    "GetAccessKeyInfo": every("sts:GetAccessKeyInfo"),
}
