"""What IAM says to a resource in an identity-based policy that is no ARN, or none that a service can have.

AWS: IAM User Guide, "IAM JSON policy elements: Resource"; AWS General Reference, "Amazon Resource Names (ARNs)".
"""

from __future__ import annotations

_PARTITIONS = frozenset(
    {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc", "*"}
)
_IAM_PATHS = (
    *("user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/"),
    *("sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"),
)
_S3_REGIONAL = ("accesspoint", "job", "storage-lens", "storage-lens-group", "async-request", "access-grants", "*")


def find_resource_defect(resource: str) -> str:
    """Give IAM's sentence on a Resource or NotResource, "" where it takes it."""
    if resource and not resource.strip("*"):
        return ""
    prefix, colon, rest = resource.partition(":")
    if not colon or prefix != "arn":
        return f'Resource {resource} must be in ARN format or "*".'
    fields = rest.split(":", 4)
    partition = fields[0]
    if partition not in _PARTITIONS:
        fields += ["*"] * (5 - len(fields))
        return f'Partition "{partition}" is not valid for resource "arn:{":".join(fields)}".'
    if len(fields) == 1:
        return "Resource vendor must be fully qualified and cannot contain regexes."
    service = fields[1]
    if not service or (len(fields) < 5 and "::" in resource):
        return "The policy failed legacy parsing"
    region, name = (fields[2] if len(fields) > 2 else "*"), (fields[4] if len(fields) > 4 else "*")
    if service == "iam" and region not in ("", "*"):
        return f"IAM resource {resource} cannot contain region information."
    is_regional = name.replace(":", "/").partition("/")[0] in _S3_REGIONAL
    if service == "s3" and region not in ("", "*") and not is_regional:
        return f"Resource {resource} can not contain region information."
    if service == "iam" and not name.startswith(("*", "root", *_IAM_PATHS)) and "*" not in name.partition("/")[0]:
        return f'IAM resource path must either be "*" or start with {", ".join(_IAM_PATHS)}.'
    return ""
