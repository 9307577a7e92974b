"""A workload of the file as role or user, policy and what carries them, and the claims about what it can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from keyhole.blueprint.buckets import OUTSIDE
from keyhole.blueprint.claims import Claim, Expected, Target
from keyhole.blueprint.encryption import key_claims, key_statements
from keyhole.blueprint.github import PROVIDER_ADDRESS, github_claims, github_trust
from keyhole.blueprint.passing import passing_claims, passing_policy
from keyhole.blueprint.policies import OBJECT_ACTIONS, SECURE_TRANSPORT, account_trust, grant_policy, service_trust
from keyhole.blueprint.policy_files import file_statements
from keyhole.blueprint.terraform import lock_statements
from keyhole.blueprint.uploads import caller_resources, upload_claims, upload_statements
from keyhole.naming import Scope
from keyhole.resources import Wanted
from keyhole.resources.inline_policy import InlinePolicy
from keyhole.resources.instance_attachment import InstanceAttachment
from keyhole.resources.instance_profile import InstanceProfile
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.role import Role
from keyhole.resources.user import User
from keyhole.spec import App, Places, Spec
from keyhole.spec.model import AccessKeyWorkload, Ec2Workload, EcsWorkload, GithubActionsWorkload, Grant, RoleWorkload

ECS_TASKS = "ecs-tasks.amazonaws.com"
RoleBased = Ec2Workload | EcsWorkload | GithubActionsWorkload | RoleWorkload


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a workload's resources: from the file, or from app, environment and its key.

    A name is empty where the workload has no such resource. `passing` is the policy of those who launch it.
    """

    role: str
    user: str
    policy: str
    profile: str
    passing: str = ""


def workload_names(app: App, key: str, account: str) -> Names:
    """Give the names, placeholders filled in."""
    workload = app.workloads[key]
    base = f"{app.base_name}-{key}"
    role = user = profile = ""
    policy = (workload.policy_name or base) if _has_policy(app, key) else ""
    if isinstance(workload, AccessKeyWorkload):
        user = workload.user_name or base
    else:
        role = workload.role_name or base
    if isinstance(workload, Ec2Workload):
        profile = workload.instance_profile_name or role
    passing = getattr(workload, "pass_role_policy", None) or ""
    return Names(*(app.fill(template, account) for template in (role, user, policy, profile, passing)))


def _has_policy(app: App, key: str) -> bool:
    locks = app.terraform_state is not None and key in app.terraform_state.workloads
    return bool(app.workloads[key].grants) or app.workloads[key].policy_file is not None or locks


def holder_arn(app: App, key: str, scope: Scope) -> str:
    """Give the ARN of the workload's role, or of its user."""
    names = workload_names(app, key, scope.account)
    kind, name = ("user", names.user) if names.user else ("role", names.role)
    holder = f"{kind}{scope.path_of(kind, name)}{name}"
    return f"arn:{scope.partition}:iam::{scope.account}:{holder}"


def workload_resources(spec: Spec, key: str, scope: Scope) -> Iterator[Wanted]:
    """Give the resources of one workload."""
    app = spec.app
    workload = app.workloads[key]
    names = workload_names(app, key, scope.account)
    iam = f"arn:{scope.partition}:iam::{scope.account}"
    policy_arns: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    inline = outgoing_arn = ""
    document: dict[str, Any] = {}
    if names.policy:
        policy_path = scope.path_of("policy", names.policy)
        policy_arn = f"{iam}:policy{policy_path}{names.policy}"
        more = (
            *(*lock_statements(app, key, scope), *key_statements(app, key, scope)),
            *(*file_statements(spec, key, scope), *upload_statements(app, key, scope)),
        )
        document = grant_policy(grants_with_arns(app, workload.grants, scope), more)
        if workload.inline:
            inline, outgoing_arn = names.policy, policy_arn
        else:
            yield ManagedPolicy(f"policy.{key}", policy_arn, policy_path, document, scope.tags)
            policy_arns, needs = (policy_arn,), (f"policy.{key}",)
    yield from caller_resources(app, key, holder_arn(app, key, scope), scope)
    boundary_arn = policy_arns[0] if workload.boundary else ""
    if isinstance(workload, AccessKeyWorkload):
        path = scope.path_of("user", names.user)
        yield User(f"user.{key}", names.user, path, policy_arns, scope.tags, boundary_arn, inline, outgoing_arn, needs)
        if inline:
            yield InlinePolicy(f"inline-policy.{key}", "user", names.user, inline, document, (f"user.{key}",))
        return
    if isinstance(workload, GithubActionsWorkload):
        needs += (PROVIDER_ADDRESS,)
    yield Role(
        address=f"role.{key}",
        name=names.role,
        path=scope.path_of("role", names.role),
        trust=trust_policy(workload, scope),
        policy_arns=(*policy_arns, *(managed_policy_arn(scope, name) for name in workload.managed_policies)),
        tags=scope.tags,
        description=f"{key} of {app.name}, made by Keyhole",
        boundary_arn=boundary_arn,
        inline_policy=inline,
        outgoing_arn=outgoing_arn,
        depends_on=needs,
    )
    if inline:
        yield InlinePolicy(f"inline-policy.{key}", "role", names.role, inline, document, (f"role.{key}",))
    passing = passing_policy(app, key, holder_arn(app, key, scope), scope)
    if passing is not None:
        yield passing
    if isinstance(workload, Ec2Workload):
        profile_address, profile_path = f"instance-profile.{key}", scope.path_of("instance-profile", names.profile)
        yield InstanceProfile(
            profile_address, names.profile, profile_path, names.role, scope.tags, depends_on=(f"role.{key}",)
        )
        if workload.instance:
            profile_arn = f"{iam}:instance-profile{profile_path}{names.profile}"
            address = f"instance-attachment.{key}"
            yield InstanceAttachment(
                address, workload.instance, profile_arn, scope.region, depends_on=(profile_address,)
            )


def managed_policy_arn(scope: Scope, name: str) -> str:
    """Give the ARN of a policy that AWS keeps."""
    return f"arn:{scope.partition}:iam::aws:policy/{name}"


def grants_with_arns(app: App, grants: list[Grant], scope: Scope) -> list[tuple[str, Grant]]:
    """Give each grant with the ARN of its bucket."""
    return [(f"arn:{scope.partition}:s3:::{app.bucket_name(grant.bucket, scope.account)}", grant) for grant in grants]


def trust_policy(workload: RoleBased, scope: Scope) -> dict[str, Any]:
    """Give the trust policy of the workload's role: who gets it."""
    suffix = ".cn" if scope.partition == "aws-cn" else ""
    match workload:
        case Ec2Workload():
            return service_trust(f"ec2.amazonaws.com{suffix}")
        case EcsWorkload():
            return service_trust(ECS_TASKS, scope.account)
        case GithubActionsWorkload():
            return github_trust(workload, scope)
        case RoleWorkload():
            return account_trust(scope.partition, scope.account, workload.trusted)


def workload_claims(app: App, key: str, scope: Scope, places: Places) -> Iterator[Claim]:
    """Give what the workload can do, grant by grant, and what it cannot."""
    workload = app.workloads[key]
    names = workload_names(app, key, scope.account)
    why = f"it runs with temporary credentials of role {names.role}"
    if isinstance(workload, AccessKeyWorkload):
        why = f"it runs with an access key of user {names.user}"
    place = places.where(("workloads", key, "kind"))
    yield Claim(f"workload.{key}.identity", key, "sts:GetCallerIdentity", "*", Expected.CAN, why, place)
    if isinstance(workload, GithubActionsWorkload):
        place = places.where(("workloads", key, "repository"))
        yield from github_claims(key, workload, holder_arn(app, key, scope), place)
    for index, grant in enumerate(workload.grants):
        yield from _grant_claims(app, key, grant, scope, places.where(("workloads", key, "grants", index)))
    yield from key_claims(app, key, scope, places)
    if isinstance(workload, EcsWorkload):
        yield from _task_trust_claims(app, key, scope, places.where(("workloads", key, "kind")))
    yield from upload_claims(app, key, scope, places)
    yield from passing_claims(app, key, holder_arn(app, key, scope), scope, places)
    if workload.policy_file is None:
        yield from _limits(app, key, scope, places.where(("workloads", key)))
    else:
        # What else it may do is the file's to say; but never more than the file says.
        yield _no_escalation(app, key, scope, places.where(("workloads", key)))


def _task_trust_claims(app: App, key: str, scope: Scope, place: str) -> Iterator[Claim]:
    """Tasks of this account get the role, those of another do not. AWS: IAM, "The confused deputy problem"."""
    for slug, account, expected, why in (
        ("own-tasks", scope.account, Expected.CAN, "ECS gives it to tasks of this account"),
        ("no-other-account", "0" * 12, Expected.CANNOT, "ECS gives it to no other account's tasks"),
    ):
        claim_id, context = f"workload.{key}.trust.{slug}", {"aws:SourceAccount": account}
        role_arn = holder_arn(app, key, scope)
        yield Claim(
            claim_id, ECS_TASKS, "sts:AssumeRole", role_arn, expected, why, place, context=context, on_paper=True
        )


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
        elif not any(grant.prefix == "" and "list" in grant.verbs for grant in grants):
            yield claim(f"{bucket}.no-list", "s3:ListBucket", Target(name), "the file does not grant `list` there")
        yield from _missing_verbs(bucket, name, grants, app.buckets[bucket].public_read, claim)
        inside = Target(name, min(prefixes), is_object=True)
        if app.buckets[bucket].tls_only:
            yield replace(
                claim(f"{bucket}.tls-only", _some_action(grants), inside, "the bucket takes requests over TLS alone"),
                context={SECURE_TRANSPORT: "false"},
                on_paper=True,
            )
        yield claim(f"{bucket}.no-acl", "s3:PutObjectAcl", inside, "no verb changes who has access")
        yield claim(f"{bucket}.no-delete-bucket", "s3:DeleteBucket", Target(name), "no verb deletes buckets")
        yield claim(f"{bucket}.no-policy", "s3:PutBucketPolicy", Target(name), "no verb changes who has access")
    other = Target(probe_bucket_name(app, scope), "", is_object=True)
    yield claim("no-other-bucket", "s3:PutObject", other, "no grant names another bucket")
    yield claim("no-list-buckets", "s3:ListAllMyBuckets", Target(), "no verb lists the account's buckets")
    yield _no_escalation(app, key, scope, place)


def _some_action(grants: list[Grant]) -> str:
    """Give an action on objects that the workload has; writing, if it has none."""
    verbs = [verb for grant in grants for verb in grant.verbs if verb != "list"]
    return OBJECT_ACTIONS[verbs[0] if verbs else "write"][0]


def _missing_verbs(bucket: str, name: str, grants: list[Grant], public_read: list[str], claim: Any) -> Iterator[Claim]:
    """The verbs that a prefix was not given, unless a wider or equal grant gives them, or it is open to everyone."""
    for grant in grants:
        covering = {verb for other in grants if grant.prefix.startswith(other.prefix) for verb in other.verbs}
        covering |= {"read" for prefix in public_read if grant.prefix.startswith(prefix)}
        for verb in ("write", "read", "delete"):
            if verb not in covering:
                target = Target(name, grant.prefix, is_object=True)
                why = f"the file does not grant `{verb}` there"
                yield claim(f"{bucket}.{grant.prefix}no-{verb}", OBJECT_ACTIONS[verb][0], target, why)


def _no_escalation(app: App, key: str, scope: Scope, place: str) -> Claim:
    is_user = isinstance(app.workloads[key], AccessKeyWorkload)
    action = "iam:PutUserPolicy" if is_user else "iam:PutRolePolicy"
    why = "a workload never gives itself more"
    slug = f"workload.{key}.no-escalation"
    return Claim(slug, key, action, holder_arn(app, key, scope), Expected.CANNOT, why, place)


def probe_bucket_name(app: App, scope: Scope) -> str:
    """Give the name of the bucket that verification makes and deletes, to try what must not work elsewhere."""
    return f"keyhole-probe-{app.name}-{app.environment}"[:50].rstrip("-") + f"-{scope.account}"
