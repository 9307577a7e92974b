"""The constrained strings of the spec: bucket names, prefixes, IAM names, each with the rule it comes from."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

LABEL = re.compile(r"[a-z][a-z0-9-]*\Z")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d\Z")
IAM_NAME = re.compile(r"[\w+=,.@-]+\Z", re.ASCII)
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PLACEHOLDERS = ("account", "app", "environment", "region")


def _check_label(value: str) -> str:
    if not LABEL.match(value) or len(value) > 32:
        raise ValueError(
            f"`{value}` is not a name Keyhole can build on|use lower-case letters, digits and hyphens, starting with a "
            "letter, 32 characters at most"
        )
    return value


def _check_region(value: str) -> str:
    if not REGION.match(value):
        raise ValueError(f"`{value}` is not an AWS region|write it like `us-east-1`")
    return value


def _check_account(value: str) -> str:
    if not re.fullmatch(r"\d{12}", value):
        raise ValueError(
            f'`{value}` is not an AWS account id|write its 12 digits in quotes: `account = "123456789012"`'
        )
    return value


def _check_prefix(value: str) -> str:
    """Hold iff `<prefix>*` covers exactly what a person reads in it.

    A prefix without its slash (`uploads/im`) would also open `uploads/important/`.
    """
    if value == "":
        return value
    if value.startswith("/"):
        raise ValueError(f"prefix `{value}` starts with a slash: S3 keys do not|write `{value.strip('/')}/`")
    if "${" in value:
        raise ValueError(
            f"prefix `{value}` has a policy variable in it: it would be another for each caller"
            "|write one prefix, the same for everyone who runs as the workload"
        )
    if re.search(r"[*?]", value):
        raise ValueError(f"prefix `{value}` has a wildcard in it|write the prefix alone: everything below it is meant")
    if re.search(r"[{}]", value):
        raise ValueError(f"prefix `{value}` has a placeholder in it: names alone have those|write a plain path")
    if any(part in {".", ".."} for part in value.split("/")) or "//" in value:
        raise ValueError(
            f"prefix `{value}` has an empty, `.` or `..` part: S3 does not resolve those|write a plain path"
        )
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("the prefix has a control character in it|write a plain path")
    if not value.endswith("/"):
        raise ValueError(
            f"prefix `{value}` has no slash at its end: it would cover `{value}-other` as well|write `{value}/`"
        )
    return value


def _check_placeholders(what: str, value: str) -> None:
    for name in PLACEHOLDER.findall(value):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"`{{{known}}}`" for known in PLACEHOLDERS)
            raise ValueError(f"{what} has an unknown placeholder `{{{name}}}`|the known ones are {known}")


def _check_iam_name(limit: int) -> AfterValidator:
    def check(value: str) -> str:
        _check_placeholders(f"name `{value}`", value)
        bare = PLACEHOLDER.sub("", value)
        if bare and not IAM_NAME.match(bare):
            raise ValueError(f"`{value}` is not a name that IAM takes|use letters, digits and `+ = , . @ _ -`")
        if len(value) > limit:
            raise ValueError(f"`{value}` has {len(value)} characters: IAM takes {limit} at most|shorten it")
        return value

    return AfterValidator(check)


def _check_bucket_name(value: str) -> str:
    """Hold iff the template uses known placeholders; the finished name is checked by `bucket_name_mistake`."""
    _check_placeholders(f"bucket name `{value}`", value)
    sample = PLACEHOLDER.sub("0", value)
    mistake = bucket_name_mistake(sample) if len(sample) >= 3 or "{" not in value else ""
    if mistake:
        raise ValueError(f"bucket name `{value}` {mistake}")
    return value


def bucket_name_mistake(name: str) -> str:
    """What S3 refuses in a bucket name, as "problem|fix"; "" if nothing.

    AWS: Amazon S3 User Guide, "General purpose bucket naming rules".
    """
    if not 3 <= len(name) <= 63:
        return f"has {len(name)} characters: S3 takes 3 to 63|choose another name"
    if not BUCKET_NAME.match(name):
        return (
            "is not a name that S3 takes|use lower-case letters, digits, hyphens; begin and end with a letter or digit"
        )
    if ".." in name or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name):
        return "looks like an IP address or has two dots in a row: S3 refuses it|choose another name"
    reserved = ("xn--", "sthree-", "amzn-s3-demo-")
    if name.startswith(reserved) or name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")):
        return "has a prefix or suffix that S3 keeps for itself|choose another name"
    return ""


def _check_origin(value: str) -> str:
    """AWS: Amazon S3 User Guide, "Elements of a CORS configuration": scheme, host, one `*` at most."""
    if value != "*" and (not re.fullmatch(r"https?://[^/\s]+", value) or value.count("*") > 1):
        raise ValueError(f"`{value}` is not a web origin|write it like `https://app.example.com`, without a path")
    return value


def _check_principal_arn(value: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)", value, re.ASCII):
        raise ValueError(
            f"`{value}` is not the ARN of a user or role|write it like `arn:aws:iam::123456789012:role/NAME`"
        )
    return value


def _check_repository(value: str) -> str:
    """Hold iff it names one repository: a pattern would let repositories in that nobody has looked at."""
    if re.search(r"[*?]|\$\{", value):
        raise ValueError(
            f"repository `{value}` has a wildcard in it: whoever can make a repository of such a name on GitHub would "
            "get in|name one repository: `acme/infra`"
        )
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]+", value):
        raise ValueError(f"`{value}` is not a repository on GitHub|write owner, slash, repository: `acme/infra`")
    return value


def _check_branch(value: str) -> str:
    """Hold iff git takes it as the name of one branch. Git: git-check-ref-format."""
    if re.search(r"[*?\[]", value):
        raise ValueError(
            f"branch `{value}` has a wildcard in it: whoever may push a branch of such a name would get in"
            "|name one branch, or use a GitHub `environment` with deployment branches"
        )
    if value.startswith("refs/"):
        raise ValueError(f"`{value}` is a whole ref|write the branch alone: `{value.removeprefix('refs/heads/')}`")
    refused = r"[\x00-\x20\x7f~^:\\$]|\.\.|@\{|//|/\.|^\.|^/|/$|\.$|\.lock(/|$)"
    if not value or re.search(refused, value):
        raise ValueError(f"`{value}` is not a name of a branch that git takes|write it like `main` or `release/2.1`")
    return value


def _check_github_environment(value: str) -> str:
    if re.search(r"[*?]|\$\{", value):
        raise ValueError(f"GitHub environment `{value}` has a wildcard in it|name one environment: `production`")
    if not value.strip() or len(value) > 255 or re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError(
            f"`{value[:60]}` is not a name of an environment that GitHub takes|write it like `production`, 255 "
            "characters at most"
        )
    return value


def _check_mail(value: str) -> str:
    """Hold iff mail can be sent to it as it stands: one address, without a name."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", value):
        raise ValueError(f"`{value}` is not a mail address|write it like `ops@example.com`")
    return value


def _check_aws_name(what: str, pattern: str, rule: str) -> AfterValidator:
    def check(value: str) -> str:
        _check_placeholders(f"{what} name `{value}`", value)
        sample = PLACEHOLDER.sub("x1x", value)
        if not re.fullmatch(pattern, sample, re.ASCII):
            raise ValueError(f"`{value}` is not a name that a {what} can have|use {rule}")
        return value

    return AfterValidator(check)


def _check_managed_policy(value: str) -> str:
    """Hold iff it is the name of a policy of AWS, with its path: what follows `policy/` in its ARN."""
    if value.startswith("arn:"):
        raise ValueError(f"`{value}` is an ARN|write what follows `policy/`: `{value.rpartition(':policy/')[2]}`")
    if not re.fullmatch(r"([\w+=,.@-]+/)*[\w+=,.@-]{1,128}", value, re.ASCII):
        raise ValueError(
            f"`{value}` is not a name of a policy|write it like `service-role/AmazonECSTaskExecutionRolePolicy`"
        )
    return value


def _check_state_key(value: str) -> str:
    """Hold iff Terraform takes it: no slash at either end. HashiCorp: Terraform, "Backend Type: s3", `key`."""
    _check_placeholders(f"key `{value}`", value)
    if not value or value.startswith("/") or value.endswith("/") or "//" in value or '"' in value or "\\" in value:
        raise ValueError(f"`{value}` is not a key that Terraform takes|write it like `llmops/terraform.tfstate`")
    return value


def _check_kms_key(value: str) -> str:
    """Hold iff it is one key and no alias: policies name keys, and an alias may point to another one tomorrow."""
    if not re.fullmatch(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-zA-Z0-9-]+", value):
        raise ValueError(
            f"`{value}` is not the ARN of a KMS key|write it like "
            "`arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`"
        )
    return value


AwsManagedPolicy = Annotated[
    str, AfterValidator(_check_managed_policy), Field(examples=["service-role/AmazonECSTaskExecutionRolePolicy"])
]
StateKey = Annotated[str, AfterValidator(_check_state_key)]
KmsKeyArn = Annotated[str, AfterValidator(_check_kms_key)]
Mail = Annotated[str, AfterValidator(_check_mail), Field(examples=["ops@example.com"])]
# AWS: Amazon DynamoDB Developer Guide, "Naming rules"; AWS CloudTrail User Guide, "Naming requirements"; Amazon SNS API
# Reference, CreateTopic.
TableName = Annotated[
    str, _check_aws_name("table", r"[\w.-]{3,255}", "3 to 255 letters, digits, underscores, hyphens and periods")
]
TrailName = Annotated[
    str,
    _check_aws_name(
        "trail",
        r"(?=.{3,128}\Z)[A-Za-z0-9]+([._-][A-Za-z0-9]+)*",
        "3 to 128 letters, digits, and single periods, underscores or hyphens between them",
    ),
]
TopicName = Annotated[
    str, _check_aws_name("topic", r"[\w-]{1,256}", "256 letters, digits, underscores and hyphens at most")
]
Repository = Annotated[
    str,
    AfterValidator(_check_repository),
    Field(examples=["acme/infra"], json_schema_extra={"pattern": "^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$"}),
]
Branch = Annotated[str, AfterValidator(_check_branch), Field(examples=["main"])]
GithubEnvironment = Annotated[str, AfterValidator(_check_github_environment), Field(examples=["production"])]
Origin = Annotated[str, AfterValidator(_check_origin)]
PrincipalArn = Annotated[str, AfterValidator(_check_principal_arn)]
Label = Annotated[str, AfterValidator(_check_label)]
Region = Annotated[str, AfterValidator(_check_region), Field(examples=["us-east-1"])]
AccountId = Annotated[str, AfterValidator(_check_account)]
Prefix = Annotated[str, AfterValidator(_check_prefix), Field(examples=["uploads/images/"])]
BucketName = Annotated[str, AfterValidator(_check_bucket_name)]
RoleName = Annotated[str, _check_iam_name(64)]
UserName = Annotated[str, _check_iam_name(64)]
PolicyName = Annotated[str, _check_iam_name(128)]
InstanceProfileName = Annotated[str, _check_iam_name(128)]
