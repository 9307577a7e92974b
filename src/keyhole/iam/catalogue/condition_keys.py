"""The condition keys that any request may carry, whichever the service, and the one way to find any key.

AWS: IAM User Guide, "AWS global condition context keys", where each key's data type and value type stand; SNS Developer
Guide for `aws:SourceOwner`, which is old and still in the policies that SNS gives to new topics.
"""

from __future__ import annotations

from keyhole.iam.catalogue.model import ConditionKey, KeyType, match_key
from keyhole.iam.catalogue.services import find_service, list_services_of_key

_GLOBAL: tuple[tuple[tuple[KeyType, ...], bool, str], ...] = (
    (
        (KeyType.STRING,),
        False,
        "PrincipalAccount PrincipalOrgID PrincipalTag/${TagKey} PrincipalServiceName PrincipalType userid username "
        "FederatedProvider SourceIdentity Ec2InstanceSourceVpc SourceVpc SourceVpce VpceAccount VpceOrgID "
        "ResourceAccount ResourceOrgID ResourceTag/${TagKey} RequestTag/${TagKey} RequestedRegion CalledViaFirst "
        "CalledViaLast CalledViaAWSMCP referer SourceAccount SourceOrgID SourceOwner UserAgent",
    ),
    (
        (KeyType.STRING,),
        True,
        "CalledVia PrincipalOrgPaths PrincipalServiceNamesList ResourceOrgPaths SourceOrgPaths TagKeys VpceOrgPaths",
    ),
    ((KeyType.ARN,), False, "PrincipalArn SourceArn SourceVpcArn ChatbotSourceArn SignInSessionArn"),
    (
        (KeyType.BOOL,),
        False,
        "AssumedRoot IsMcpServiceAction MultiFactorAuthPresent PrincipalIsAWSService SecureTransport ViaAWSMCPService "
        "ViaAWSService",
    ),
    ((KeyType.NUMERIC,), False, "MultiFactorAuthAge"),
    ((KeyType.DATE,), False, "CurrentTime TokenIssueTime"),
    ((KeyType.DATE, KeyType.NUMERIC), False, "EpochTime"),
    ((KeyType.IP_ADDRESS,), False, "SourceIp VpcSourceIp Ec2InstanceSourcePrivateIPv4"),
)

_CROSS_SERVICE: tuple[ConditionKey, ...] = (
    ConditionKey("codebuild:BuildArn", (KeyType.ARN,)),
    ConditionKey("codebuild:ProjectArn", (KeyType.ARN,)),
    ConditionKey("ec2:RoleDelivery", (KeyType.NUMERIC,)),
    ConditionKey("ec2:SourceInstanceArn", (KeyType.ARN,)),
    ConditionKey("glue:CredentialIssuingService", (KeyType.STRING,)),
    ConditionKey("glue:RoleAssumedBy", (KeyType.STRING,)),
    ConditionKey("identitystore:UserId", (KeyType.STRING,)),
    ConditionKey("lambda:SourceFunctionArn", (KeyType.ARN,)),
    ConditionKey("ssm:SourceInstanceArn", (KeyType.ARN,)),
)
"""Keys with a service's prefix that come from the caller's role session, so that any service's request carries them."""

GLOBAL_KEYS: dict[str, ConditionKey] = {
    key.name.lower(): key
    for types, is_multivalued, names in _GLOBAL
    for key in (ConditionKey(f"aws:{name}", types, is_multivalued) for name in names.split())
}
"""The global keys by their names in lower case."""

_CROSS_SERVICE_KEYS = {key.name.lower(): key for key in _CROSS_SERVICE}
_FORMATS = tuple(key for key in GLOBAL_KEYS.values() if "${" in key.name)


def find_condition_key(key: str) -> ConditionKey | None:
    """The key as a policy writes it, whatever its case, or None where neither the table nor its service knows it.

    A key that begins with no service's prefix is one of an identity provider, which the reference lists under STS.
    """
    wanted = key.lower()
    prefix, colon, _ = wanted.partition(":")
    if not colon:
        return None
    if prefix == "aws":
        return GLOBAL_KEYS.get(wanted) or next((form for form in _FORMATS if match_key(form.name, wanted)), None)
    if wanted in _CROSS_SERVICE_KEYS:
        return _CROSS_SERVICE_KEYS[wanted]
    owners = (prefix,) if find_service(prefix) else list_services_of_key(prefix)
    services = (find_service(owner) for owner in owners)
    found = (service.find_condition_key(wanted) for service in services if service)
    return next((key for key in found if key), None)


def is_cross_service_key(key: str) -> bool:
    """Hold iff the requests of any service may carry the key."""
    wanted = key.lower()
    return wanted.startswith("aws:") or wanted in _CROSS_SERVICE_KEYS
