"""IAM, the rest: identity providers, MFA devices, certificates and keys of users, linked roles, account settings.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management".
"""

from __future__ import annotations

from collections.abc import Mapping

from keyhole.local.actions.iam import user
from keyhole.local.actions.row import Need, Place, ResourcesOf, Row, every
from keyhole.local.call import ApiCall
from keyhole.local.linked_roles import linked_role_name


def _at(kind: str, member: str) -> ResourcesOf:
    """What the call names or creates, under the path that it may give."""

    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        name = str(call.params.get(member) or "")
        path = str(call.params.get("Path") or "/")
        return (name if name.startswith("arn:") else f"arn:aws:iam::{place.account}:{kind}{path}{name}",)

    return resources


def _by_arn(member: str) -> ResourcesOf:
    return lambda call, _place: (str(call.params.get(member) or ""),)


def _new_oidc_provider(call: ApiCall, place: Place) -> tuple[str, ...]:
    """An OIDC provider is named after its URL, without the scheme."""
    host = str(call.params.get("Url") or "").partition("://")[2]
    return (f"arn:aws:iam::{place.account}:oidc-provider/{host}",)


def _mfa_device(call: ApiCall, place: Place) -> tuple[str, ...]:
    """Deleting takes the device's serial number, which is an ARN."""
    name = str(call.params.get("SerialNumber") or "")
    return (name if name.startswith("arn:") else f"arn:aws:iam::{place.account}:mfa/{name}",)


def _linked_role(call: ApiCall, place: Place) -> tuple[str, ...]:
    service = str(call.params.get("AWSServiceName") or "")
    name = linked_role_name(service, str(call.params.get("CustomSuffix") or ""))
    return (f"arn:aws:iam::{place.account}:role/aws-service-role/{service}/{name}",)


def _linked_service(call: ApiCall, _place: Place) -> Mapping[str, str]:
    return {"iam:AWSServiceName": str(call.params.get("AWSServiceName") or "")}


def _existing_role(call: ApiCall, place: Place) -> tuple[str, ...]:
    name = str(call.params.get("RoleName") or "")
    found = place.backend.find_role(place.account, name)
    return (found.arn if found else f"arn:aws:iam::{place.account}:role/{name}",)


def _deletion_task(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The task's id is `task/aws-service-role/SERVICE/ROLE/UUID`."""
    parts = str(call.params.get("DeletionTaskId") or "").split("/")
    path = "/".join(parts[1:-1]) if len(parts) > 2 else "*"
    return (f"arn:aws:iam::{place.account}:role/{path}",)


def _service_credential(call: ApiCall, _place: Place) -> Mapping[str, str]:
    name = call.params.get("ServiceName")
    return {"iam:ServiceSpecificCredentialServiceName": str(name)} if name else {}


def _rows(resource: ResourcesOf, *operations: str) -> dict[str, Row]:
    return {name: (Need(f"iam:{name}", resource),) for name in operations}


def _create(operation: str, resource: ResourcesOf, tag_action: str) -> dict[str, Row]:
    """Tags given at creation need the permission to tag."""
    return {operation: (Need(f"iam:{operation}", resource), Need(tag_action, resource, ("Tags",)))}


_OIDC = _by_arn("OpenIDConnectProviderArn")
_SAML = _by_arn("SAMLProviderArn")
_CERTIFICATE = _at("server-certificate", "ServerCertificateName")

ROWS: dict[str, Row] = {
    **_create("CreateOpenIDConnectProvider", _new_oidc_provider, "iam:TagOpenIDConnectProvider"),
    **_rows(
        _OIDC,
        *("GetOpenIDConnectProvider", "DeleteOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint"),
        *("AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider"),
        *("TagOpenIDConnectProvider", "UntagOpenIDConnectProvider", "ListOpenIDConnectProviderTags"),
    ),
    **_create("CreateSAMLProvider", _at("saml-provider", "Name"), "iam:TagSAMLProvider"),
    **_rows(
        _SAML,
        *("GetSAMLProvider", "DeleteSAMLProvider", "UpdateSAMLProvider"),
        *("TagSAMLProvider", "UntagSAMLProvider", "ListSAMLProviderTags"),
    ),
    **_create("CreateVirtualMFADevice", _at("mfa", "VirtualMFADeviceName"), "iam:TagMFADevice"),
    **_rows(_mfa_device, "DeleteVirtualMFADevice", "TagMFADevice", "UntagMFADevice", "ListMFADeviceTags"),
    **_create("UploadServerCertificate", _CERTIFICATE, "iam:TagServerCertificate"),
    **_rows(
        _CERTIFICATE,
        *("GetServerCertificate", "DeleteServerCertificate", "UpdateServerCertificate", "TagServerCertificate"),
        *("UntagServerCertificate", "ListServerCertificateTags"),
    ),
    **_rows(
        user,
        *("ChangePassword", "EnableMFADevice", "DeactivateMFADevice", "ResyncMFADevice", "GetMFADevice"),
        *("UploadSSHPublicKey", "GetSSHPublicKey", "UpdateSSHPublicKey", "DeleteSSHPublicKey"),
        *("UploadSigningCertificate", "UpdateSigningCertificate", "DeleteSigningCertificate"),
        *("ResetServiceSpecificCredential", "UpdateServiceSpecificCredential", "DeleteServiceSpecificCredential"),
    ),
    "CreateServiceSpecificCredential": every("iam:CreateServiceSpecificCredential", user, context=_service_credential),
    "CreateServiceLinkedRole": every("iam:CreateServiceLinkedRole", _linked_role, context=_linked_service),
    **_rows(_existing_role, "DeleteServiceLinkedRole"),
    **_rows(_deletion_task, "GetServiceLinkedRoleDeletionStatus"),
    **_rows(_by_arn("PolicySourceArn"), "SimulatePrincipalPolicy", "GetContextKeysForPrincipalPolicy"),
    **_rows(_by_arn("Arn"), "GenerateServiceLastAccessedDetails", "ListPoliciesGrantingServiceAccess"),
    **{
        name: every(f"iam:{name}")
        for name in (
            *("ListOpenIDConnectProviders", "ListSAMLProviders", "ListVirtualMFADevices", "ListServerCertificates"),
            *("SimulateCustomPolicy", "GetContextKeysForCustomPolicy", "CreateAccountAlias", "DeleteAccountAlias"),
            *("GetAccountPasswordPolicy", "UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"),
            *("GenerateCredentialReport", "GetCredentialReport", "GetServiceLastAccessedDetails"),
            *("GetServiceLastAccessedDetailsWithEntities", "SetSecurityTokenServicePreferences"),
        )
    },
}
