"""The blueprint: what the file means, as resources and claims. Pure: no I/O, every ARN known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from keyhole.blueprint.access_keys import access_key_resources
from keyhole.blueprint.access_logs import log_claims
from keyhole.blueprint.audit import trail, trail_claims
from keyhole.blueprint.buckets import bucket_resource, stranger_claims
from keyhole.blueprint.claims import Claim
from keyhole.blueprint.environments import environment_claims
from keyhole.blueprint.github import github_provider
from keyhole.blueprint.monitoring import monitoring_resources
from keyhole.blueprint.names import name_mistakes
from keyhole.blueprint.policy_files import file_mistakes
from keyhole.blueprint.terraform import lock_claims, lock_table
from keyhole.blueprint.workloads import workload_claims, workload_resources
from keyhole.errors import Mistake, SpecError
from keyhole.iam import QUOTAS, PolicyKind, check_quota
from keyhole.iam.quotas import INLINE_ROLE, INLINE_USER
from keyhole.iam.text import write_document
from keyhole.naming import Scope
from keyhole.resources import Wanted
from keyhole.resources.bucket import Bucket
from keyhole.resources.inline_policy import InlinePolicy
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.spec import App, Spec
from keyhole.spec.model import GithubActionsWorkload


@dataclass(frozen=True, slots=True)
class Blueprint:
    """An app in one account: what shall exist, and what must then hold."""

    app: App
    scope: Scope
    resources: tuple[Wanted, ...]
    claims: tuple[Claim, ...]


def build_blueprint(spec: Spec, account: str, elsewhere: tuple[tuple[str, str, str], ...] = ()) -> Blueprint:
    """Give the blueprint of the app in this account; `elsewhere`: what of it stands at another IAM path there.

    Raises: SpecError for what only shows when names are complete.
    """
    app, places = spec.app, spec.places
    scope = Scope(app.name, app.environment, account, app.region, elsewhere)
    if mistakes := (*name_mistakes(spec, account), *file_mistakes(spec, scope)):
        raise SpecError(mistakes)
    resources: list[Wanted] = [bucket_resource(app, key, scope) for key in app.buckets]
    if any(isinstance(workload, GithubActionsWorkload) for workload in app.workloads.values()):
        resources.append(github_provider(scope))
    resources += [found for found in (lock_table(app, scope), trail(app, scope)) if found is not None]
    resources += monitoring_resources(app, scope)
    resources += [resource for key in app.workloads for resource in workload_resources(spec, key, scope)]
    resources += [resource for key in app.workloads for resource in access_key_resources(spec, key, scope)]
    if mistakes := tuple(_too_long(spec, resources)):
        raise SpecError(mistakes)
    claims = [claim for key in app.workloads for claim in workload_claims(app, key, scope, places)]
    claims += [claim for key in app.workloads for claim in environment_claims(spec, key, scope)]
    claims += [claim for key in app.buckets for claim in stranger_claims(app, key, scope, places)]
    claims += [claim for key in app.buckets for claim in log_claims(app, key, scope, places)]
    claims += [*lock_claims(app, scope, places), *trail_claims(app, scope, places)]
    return Blueprint(app, scope, tuple(resources), tuple(claims))


def _too_long(spec: Spec, resources: Iterable[Wanted]) -> Iterator[Mistake]:
    """Policies that AWS would not take for their length: too many grants, or too many public prefixes."""
    for resource in resources:
        kind, _, key = resource.address.partition(".")
        path: tuple[str, ...]
        match resource:
            case ManagedPolicy():
                error = check_quota(write_document(resource.document), QUOTAS[PolicyKind.IDENTITY])
                path, hint = ("workloads", key), "join grants under a common prefix, or split the workload"
            case InlinePolicy():
                quota = INLINE_USER if resource.holder_kind == "user" else INLINE_ROLE
                error = check_quota(write_document(resource.document), quota)
                path, hint = ("workloads", key, "inline"), "leave `inline` out: a managed policy may have 6,144"
                if quota is INLINE_ROLE:
                    hint = "join grants under a common prefix, or split the workload"
            case Bucket() if resource.settings.policy is not None:
                error = check_quota(write_document(resource.settings.policy), QUOTAS[PolicyKind.RESOURCE])
                path, hint = ("buckets", key, "public_read"), "join prefixes under a common one"
            case _:
                continue
        if error:
            yield Mistake(spec.places.where(path), f"{kind} `{key}`: {error.message}", hint)
