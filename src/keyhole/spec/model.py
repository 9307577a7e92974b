"""What the user wrote: the model of keyhole.toml.

The same model gives the JSON schema that editors complete from, so every field says what it means.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from keyhole.spec.fields import (
    AccountId,
    AwsManagedPolicy,
    Branch,
    BucketName,
    GithubEnvironment,
    InstanceProfileName,
    KmsKeyArn,
    Label,
    Origin,
    PolicyName,
    Prefix,
    PrincipalArn,
    Region,
    Repository,
    RoleName,
    UserName,
)
from keyhole.spec.handover import Handover
from keyhole.spec.operations import Audit, Monitoring, TerraformState
from keyhole.spec.table import Table
from keyhole.spec.uploads import AnyCallers, Upload, WebAddress

Verb = Literal["read", "write", "delete", "list"]


class AppTable(Table):
    """Which app this is, and where it runs."""

    name: Label = Field(description="The app's name: part of every name and tag that Keyhole makes.")
    region: Region = Field(description="The AWS region of its buckets and instances.")
    account: AccountId | None = Field(
        None, description="The AWS account it belongs in; a run with credentials of another account is refused."
    )
    endpoint: WebAddress | None = Field(
        None,
        description="A store that speaks S3's protocol instead of S3: the file is then for `keyhole serve` alone, with "
        "path-style addresses and credentials from the environment.",
    )


# From each S3 moves objects only to those behind it, and to Standard from none.
_WATERFALL = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
_MOST_DAYS = 2**31 - 1


class StorageTransition(Table):
    """Move objects to a cheaper storage class after some days."""

    days: int = Field(ge=0, le=_MOST_DAYS, description="Days after the object was written.")
    storage_class: Literal["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]

    @model_validator(mode="after")
    def _infrequent_access_needs_30_days(self) -> StorageTransition:
        # AWS: Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle", constraints.
        if self.storage_class in {"STANDARD_IA", "ONEZONE_IA"} and self.days < 30:
            raise ValueError(
                f"S3 moves objects to {self.storage_class} after 30 days at the earliest|write `days = 30`"
            )
        return self


class LifecycleRule(Table):
    """What happens to objects as they grow old."""

    prefix: Prefix = Field("", description="Only objects under this prefix.")
    transitions: list[StorageTransition] = Field([], description="Storage classes, by age.")
    expire_days: int | None = Field(
        None, gt=0, le=_MOST_DAYS, description="Delete objects this many days after they were written."
    )
    abort_multipart_days: int | None = Field(
        None, gt=0, le=_MOST_DAYS, description="Throw away unfinished uploads this many days after they were begun."
    )

    @model_validator(mode="after")
    def _does_something(self) -> LifecycleRule:
        if not self.transitions and self.expire_days is None and self.abort_multipart_days is None:
            raise ValueError(
                "this lifecycle rule does nothing|give it `transitions`, `expire_days` or `abort_multipart_days`"
            )
        days = [step.days for step in self.transitions]
        if days != sorted(set(days)):
            raise ValueError(
                "the transitions are not in the order of their days|sort them, each later than the one before"
            )
        # AWS: Amazon S3 User Guide, "Transitioning objects using Amazon S3 Lifecycle", supported transitions and
        # constraints.
        for one, other in pairwise(self.transitions):
            if _WATERFALL.index(other.storage_class) <= _WATERFALL.index(one.storage_class):
                raise ValueError(
                    f"S3 moves no objects from {one.storage_class} to {other.storage_class}|leave one of the two out"
                )
            if one.storage_class in {"STANDARD_IA", "ONEZONE_IA"} and other.days < one.days + 30:
                raise ValueError(
                    f"objects stay in {one.storage_class} for 30 days at least, and {other.storage_class} is to follow "
                    f"after {other.days - one.days}|write `days = {one.days + 30}` or more for {other.storage_class}"
                )
        if self.expire_days is not None and days and self.expire_days <= days[-1]:
            raise ValueError("objects would expire before their last transition|make `expire_days` larger")
        return self


class CorsRule(Table):
    """Which web pages may call the bucket from a browser."""

    origins: list[Origin] = Field(min_length=1, examples=[["https://app.example.com"]])
    methods: list[Literal["GET", "PUT", "POST", "DELETE", "HEAD"]] = Field(min_length=1)
    headers: list[str] = Field(["*"], description="Request headers that a page may send.")
    expose: list[str] = Field(["ETag"], description="Response headers that a page may read.")
    max_age_s: int = Field(3000, ge=0, description="Seconds for which a browser may remember the answer.")


class Bucket(Table):
    """One S3 bucket: private, encrypted and without ACLs unless it says otherwise."""

    name: BucketName | None = Field(
        None,
        description="The bucket's name; `{app}`, `{environment}`, `{account}` and `{region}` are filled in. "
        "Default: app, environment, the bucket's key and the account, with hyphens.",
    )
    public_read: list[Prefix] = Field(
        [], description='Prefixes that everyone on the web may read object by object; `[""]` is the whole bucket.'
    )
    encryption: Literal["AES256", "aws:kms"] = Field(
        "AES256", description="How S3 encrypts new objects: with its own keys, or with a key in AWS KMS."
    )
    kms_key: KmsKeyArn | None = Field(
        None, description="The ARN of the KMS key; left out: the account's own key for S3, `aws/s3`."
    )
    access_logs: str | None = Field(
        None, description="The key of another bucket in this file that S3 writes a log of every request to."
    )
    tls_only: bool = Field(True, description="Refuse every request that comes over plain HTTP, whoever sends it.")
    versioning: bool = Field(False, description="Keep old versions of overwritten and deleted objects.")
    lifecycle: list[LifecycleRule] = Field([], description="What happens to objects as they grow old.")
    cors: list[CorsRule] = Field([], description="Which web pages may call the bucket from a browser.")
    tags: dict[str, str] = Field({}, description="Further tags of the bucket.")


class Grant(Table):
    """What one workload may do under one prefix of one bucket."""

    bucket: str = Field(description="The bucket's key in this file: `images` for `[buckets.images]`.")
    prefix: Prefix = Field("", description="Only objects under this prefix; the whole bucket if it is empty.")
    verbs: list[Verb] = Field(min_length=1, description="`read`, `write`, `delete`, `list`.")


class Workload(Table):
    """Something that runs and touches buckets."""

    grants: list[Grant] = Field([], description="What it may do, and nothing else.")
    policy_name: PolicyName | None = Field(None, description="The name of its policy.")
    policy_file: str | None = Field(
        None,
        min_length=1,
        description="A JSON file with an IAM policy, relative to this file: it gets its statements beside its grants.",
    )
    inline: bool = Field(
        False,
        description="Put its policy into its role or user itself, instead of making a managed policy: nobody can "
        "attach it elsewhere, and it goes with the role or user.",
    )
    boundary: bool = Field(
        False,
        description="Make its policy its permissions boundary too: whatever policy someone attaches to it, it never "
        "gets more than its grants.",
    )


class RoleBased(Workload):
    role_name: RoleName | None = Field(None, description="The name of its role.")
    managed_policies: list[AwsManagedPolicy] = Field(
        [], description="Policies that AWS keeps, by name: `service-role/AmazonECSTaskExecutionRolePolicy`."
    )


class Ec2Workload(RoleBased):
    """An app on an EC2 instance: it gets its credentials from instance metadata."""

    kind: Literal["ec2"]
    instance: str | None = Field(
        None,
        min_length=1,
        description="The running instance to attach the role to: its id, or the value of its Name tag.",
    )
    instance_profile_name: InstanceProfileName | None = Field(None, description="Default: the role's name.")
    pass_role_policy: PolicyName | None = Field(
        None, description="Make a policy of this name for the people who launch the instances: they may pass this role."
    )


class EcsWorkload(RoleBased):
    """A task on ECS: it gets its credentials from the container agent."""

    kind: Literal["ecs"]
    pass_role_policy: PolicyName | None = Field(
        None, description="Make a policy of this name for the people who start the tasks: they may pass this role."
    )


class GithubActionsWorkload(RoleBased):
    """A job of GitHub Actions: it trades its OIDC token for credentials."""

    kind: Literal["github-actions"]
    repository: Repository = Field(description="The repository on GitHub whose jobs get the role.")
    branch: Branch | None = Field(None, description="Only jobs on this branch.")
    environment: GithubEnvironment | None = Field(None, description="Only jobs of this GitHub environment.")
    owner_id: int | None = Field(
        None,
        gt=0,
        description="The owner's number on GitHub. Repositories made, renamed or moved after 15 July 2026 have it in "
        "their tokens: `gh api repos/OWNER/REPOSITORY --jq '.owner.id, .id'` tells both numbers.",
    )
    repository_id: int | None = Field(None, gt=0, description="The repository's number on GitHub; with `owner_id`.")


class AccessKeyWorkload(Workload):
    """A server outside AWS: it cannot have a role, so it gets an IAM user with an access key."""

    kind: Literal["access-key"]
    user_name: UserName | None = Field(None, description="The name of its IAM user.")
    handover: Handover | None = Field(
        None, description="Where its access key goes; left out: no key is made, and those of others are left alone."
    )
    rotate_days: int | None = Field(
        None, gt=0, le=3650, description="After how many days `status` says that the key is to be rotated."
    )


class RoleWorkload(RoleBased):
    """A role that people or programs of this account assume."""

    kind: Literal["role"]
    trusted: list[PrincipalArn] = Field(
        [], description="ARNs of users and roles that may assume it; empty: the whole account."
    )


WORKLOAD_KINDS = ("ec2", "ecs", "github-actions", "access-key", "role")
AnyWorkload = Annotated[
    Ec2Workload | EcsWorkload | GithubActionsWorkload | AccessKeyWorkload | RoleWorkload, Field(discriminator="kind")
]


class App(Table):
    """One app in one environment, as keyhole.toml describes it."""

    app: AppTable
    environment: Label = "default"
    buckets: dict[Label, Bucket] = Field({})
    workloads: dict[Label, AnyWorkload] = Field({})
    uploads: dict[Label, Upload] = Field({})
    callers: dict[Label, AnyCallers] = Field({})
    monitoring: Monitoring | None = None
    audit: Audit | None = None
    terraform_state: TerraformState | None = None

    @property
    def name(self) -> str:
        return self.app.name

    @property
    def region(self) -> str:
        return self.app.region

    @property
    def base_name(self) -> str:
        """What the names of the app's things begin with, as a template; the default environment goes without saying."""
        return "{app}" if self.environment == "default" else "{app}-{environment}"

    def bucket_name(self, key: str, account: str) -> str:
        """Give the name on S3 of the bucket with this key in the file; `account` has 12 digits."""
        template = self.buckets[key].name
        if template is None:
            template = f"{self.base_name}-{key}-" + "{account}"
        return self.fill(template, account)

    def fill(self, template: str, account: str) -> str:
        """Fill the placeholders of a name: `{app}`, `{environment}`, `{account}`, `{region}`."""
        values = {"app": self.name, "environment": self.environment, "account": account, "region": self.region}
        for placeholder, value in values.items():
            template = template.replace("{" + placeholder + "}", value)
        return template
