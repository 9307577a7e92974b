"""A workload of the file as role, policy and what carries them, and the claims about what it can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyhole.blueprint.buckets import OUTSIDE
from keyhole.blueprint.claims import Claim, Expected, Target
from keyhole.blueprint.policies import (
    OBJECT_ACTIONS,
    account_trust,
    grant_policy,
    service_trust,
)
from keyhole.errors import KeyholeError
from keyhole.naming import Scope
from keyhole.resources import Wanted
from keyhole.resources.instance_attachment import InstanceAttachment
from keyhole.resources.instance_profile import InstanceProfile
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.role import Role
from keyhole.spec import App, Places
from keyhole.spec.model import AccessKeyWorkload, Ec2Workload, EcsWorkload, GithubActionsWorkload, Grant, RoleWorkload

AnyWorkload = Ec2Workload | EcsWorkload | GithubActionsWorkload | AccessKeyWorkload | RoleWorkload


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a workload's resources: from the file, or from app, environment and its key."""

    role: str
    policy: str
    profile: str


def workload_names(app: App, key: str, account: str) -> Names:
    """Give the names, placeholders filled in."""
    workload = app.workloads[key]
    base = "{app}-" + ("" if app.environment == "default" else "{environment}-") + key
    role = getattr(workload, "role_name", None) or base
    profile = getattr(workload, "instance_profile_name", None) or role
    return Names(*(app.fill(template, account) for template in (role, workload.policy_name or base, profile)))


def workload_resources(app: App, key: str, scope: Scope, places: Places) -> Iterator[Wanted]:
    """Give the resources of one workload.

    Raises: KeyholeError for a kind that cannot be provisioned yet.
    """
    workload = app.workloads[key]
    trust = _trust(workload, scope, places.where(("workloads", key, "kind")))
    names = workload_names(app, key, scope.account)
    iam = f"arn:{scope.partition}:iam::{scope.account}"
    policy_arn = f"{iam}:policy{scope.iam_path}{names.policy}"
    policy_arns: tuple[str, ...] = ()
    if workload.grants:
        document = grant_policy(grants_with_arns(app, workload.grants, scope))
        policy = ManagedPolicy(f"policy.{key}", policy_arn, scope.iam_path, document, scope.tags)
        policy_arns = (policy_arn,)
        yield policy
    yield Role(
        address=f"role.{key}",
        name=names.role,
        path=scope.iam_path,
        trust=trust,
        policy_arns=policy_arns,
        tags=scope.tags,
        description=f"{key} of {app.name}, made by Keyhole",
        depends_on=(f"policy.{key}",) if policy_arns else (),
    )
    if isinstance(workload, Ec2Workload):
        profile_address = f"instance-profile.{key}"
        yield InstanceProfile(
            profile_address, names.profile, scope.iam_path, names.role, scope.tags, depends_on=(f"role.{key}",)
        )
        if workload.instance:
            profile_arn = f"{iam}:instance-profile{scope.iam_path}{names.profile}"
            address = f"instance-attachment.{key}"
            yield InstanceAttachment(
                address, workload.instance, profile_arn, scope.region, depends_on=(profile_address,)
            )


def grants_with_arns(app: App, grants: list[Grant], scope: Scope) -> list[tuple[str, Grant]]:
    """Give each grant with the ARN of its bucket."""
    return [(f"arn:{scope.partition}:s3:::{app.bucket_name(grant.bucket, scope.account)}", grant) for grant in grants]


def _trust(workload: AnyWorkload, scope: Scope, place: str) -> dict[str, Any]:
    suffix = ".cn" if scope.partition == "aws-cn" else ""
    match workload:
        case Ec2Workload():
            return service_trust(f"ec2.amazonaws.com{suffix}")
        case EcsWorkload():
            return service_trust("ecs-tasks.amazonaws.com", scope.account)
        case RoleWorkload():
            return account_trust(scope.partition, scope.account, workload.trusted)
        case GithubActionsWorkload() | AccessKeyWorkload():
            raise KeyholeError(
                f"workloads of kind `{workload.kind}` are not provisioned yet",
                hint="the kinds that are: `ec2`, `ecs`, `role`",
                where=place,
            )


def workload_claims(app: App, key: str, scope: Scope, places: Places) -> Iterator[Claim]:
    """Give what the workload can do, grant by grant, and what it cannot."""
    workload = app.workloads[key]
    if not isinstance(workload, AccessKeyWorkload):
        role = workload_names(app, key, scope.account).role
        why = f"it runs with temporary credentials of role {role}"
        place = places.where(("workloads", key, "kind"))
        yield Claim(f"workload.{key}.identity", key, "sts:GetCallerIdentity", "*", Expected.CAN, why, place)
    for index, grant in enumerate(workload.grants):
        yield from _grant_claims(app, key, grant, scope, places.where(("workloads", key, "grants", index)))
    yield from _limits(app, key, scope, places.where(("workloads", key)))


def _grant_claims(app: App, key: str, grant: Grant, scope: Scope, place: str) -> Iterator[Claim]:
    name = app.bucket_name(grant.bucket, scope.account)
    arn = f"arn:{scope.partition}:s3:::{name}"
    under = f"under {grant.prefix} of {grant.bucket}" if grant.prefix else f"in {grant.bucket}"
    for verb in ("write", "read", "list", "delete"):
        if verb not in grant.verbs:
            continue
        why = f"the file grants `{verb}` {under}"
        slug = f"workload.{key}.{grant.bucket}.{grant.prefix}{verb}"
        if verb == "list":
            context = {"s3:prefix": grant.prefix} if grant.prefix else {}
            target = Target(name, grant.prefix)
            yield Claim(slug, key, "s3:ListBucket", arn, Expected.CAN, why, place, target, context)
        else:
            action = OBJECT_ACTIONS[verb][0]
            target = Target(name, grant.prefix, is_object=True)
            yield Claim(slug, key, action, f"{arn}/{grant.prefix}*", Expected.CAN, why, place, target)


def _limits(app: App, key: str, scope: Scope, place: str) -> Iterator[Claim]:
    """What no workload can do, whatever it was granted: leave its prefixes, change the rules, look around."""
    granted: dict[str, list[Grant]] = {}
    for grant in app.workloads[key].grants:
        granted.setdefault(grant.bucket, []).append(grant)

    def claim(slug: str, action: str, target: Target, why: str, context: dict[str, str] | None = None) -> Claim:
        resource = f"arn:{scope.partition}:s3:::{target.bucket or '*'}"
        resource += f"/{target.prefix}*" if target.is_object else ""
        return Claim(
            f"workload.{key}.{slug}", key, action, resource, Expected.CANNOT, why, place, target, dict(context or {})
        )

    for bucket, grants in granted.items():
        name = app.bucket_name(bucket, scope.account)
        prefixes = {grant.prefix for grant in grants}
        if "" not in prefixes:
            why = f"its grants end at {', '.join(sorted(prefixes))}"
            for verb in ("write", "read", "delete"):
                if verb == "read" and "" in app.buckets[bucket].public_read:
                    continue
                target = Target(name, OUTSIDE, is_object=True)
                yield claim(f"{bucket}.no-{verb}-outside", OBJECT_ACTIONS[verb][0], target, why)
            yield claim(f"{bucket}.no-list-outside", "s3:ListBucket", Target(name), why)
        yield from _missing_verbs(bucket, name, grants, claim)
        inside = Target(name, min(prefixes), is_object=True)
        yield claim(f"{bucket}.no-acl", "s3:PutObjectAcl", inside, "no verb changes who has access")
        yield claim(f"{bucket}.no-delete-bucket", "s3:DeleteBucket", Target(name), "no verb deletes buckets")
        yield claim(f"{bucket}.no-policy", "s3:PutBucketPolicy", Target(name), "no verb changes who has access")
    other = Target(probe_bucket_name(app, scope), "", is_object=True)
    yield claim("no-other-bucket", "s3:PutObject", other, "no grant names another bucket")
    yield claim("no-list-buckets", "s3:ListAllMyBuckets", Target(), "no verb lists the account's buckets")
    yield _no_escalation(app, key, scope, place)


def _missing_verbs(bucket: str, name: str, grants: list[Grant], claim: Any) -> Iterator[Claim]:
    """The verbs that a prefix was not given, unless a wider or equal grant gives them."""
    for grant in grants:
        covering = {verb for other in grants if grant.prefix.startswith(other.prefix) for verb in other.verbs}
        for verb in ("write", "read", "delete"):
            if verb not in covering:
                target = Target(name, grant.prefix, is_object=True)
                why = f"the file does not grant `{verb}` there"
                yield claim(f"{bucket}.{grant.prefix}no-{verb}", OBJECT_ACTIONS[verb][0], target, why)


def _no_escalation(app: App, key: str, scope: Scope, place: str) -> Claim:
    role_arn = (
        f"arn:{scope.partition}:iam::{scope.account}:role{scope.iam_path}{workload_names(app, key, scope.account).role}"
    )
    why = "a workload never gives itself more"
    slug = f"workload.{key}.no-escalation"
    return Claim(slug, key, "iam:PutRolePolicy", role_arn, Expected.CANNOT, why, place)


def probe_bucket_name(app: App, scope: Scope) -> str:
    """Give the name of the bucket that verification makes and deletes, to try what must not work elsewhere."""
    return f"keyhole-probe-{app.name}-{app.environment}"[:50].rstrip("-") + f"-{scope.account}"
