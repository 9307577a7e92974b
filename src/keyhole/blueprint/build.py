"""The blueprint: what the file means, as resources and claims. Pure: no I/O, every ARN known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keyhole.blueprint.buckets import bucket_resource, stranger_claims
from keyhole.blueprint.claims import Claim
from keyhole.blueprint.names import name_mistakes
from keyhole.blueprint.workloads import workload_claims, workload_resources
from keyhole.errors import Mistake, SpecError
from keyhole.iam import QUOTAS, PolicyKind, check_quota
from keyhole.iam.text import write_document
from keyhole.naming import Scope
from keyhole.resources import Wanted
from keyhole.resources.bucket import Bucket
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.spec import App, Spec


@dataclass(frozen=True, slots=True)
class Blueprint:
    """An app in one account: what shall exist, and what must then hold."""

    app: App
    scope: Scope
    resources: tuple[Wanted, ...]
    claims: tuple[Claim, ...]


def build_blueprint(spec: Spec, account: str) -> Blueprint:
    """Give the blueprint of the app in this account.

    Raises: SpecError for what only shows when names are complete.
    """
    app, places = spec.app, spec.places
    scope = Scope(app.name, app.environment, account, app.region)
    if mistakes := tuple(name_mistakes(spec, account)):
        raise SpecError(mistakes)
    buckets = [bucket_resource(app, key, scope) for key in app.buckets]
    workloads = [resource for key in app.workloads for resource in workload_resources(app, key, scope, places)]
    if mistakes := tuple(_too_long(spec, resources=(*buckets, *workloads))):
        raise SpecError(mistakes)
    claims = [claim for key in app.workloads for claim in workload_claims(app, key, scope, places)]
    claims += [claim for key in app.buckets for claim in stranger_claims(app, key, scope, places)]
    return Blueprint(app, scope, (*buckets, *workloads), tuple(claims))


def _too_long(spec: Spec, resources: tuple[Wanted, ...]) -> Iterator[Mistake]:
    """Policies that AWS would not take for their length: too many grants, or too many public prefixes."""
    for resource in resources:
        kind, _, key = resource.address.partition(".")
        path: tuple[str, ...]
        match resource:
            case ManagedPolicy():
                error = check_quota(write_document(resource.document), QUOTAS[PolicyKind.IDENTITY])
                path, hint = ("workloads", key), "join grants under a common prefix, or split the workload"
            case Bucket() if resource.settings.policy is not None:
                error = check_quota(write_document(resource.settings.policy), QUOTAS[PolicyKind.RESOURCE])
                path, hint = ("buckets", key, "public_read"), "join prefixes under a common one"
            case _:
                continue
        if error:
            yield Mistake(spec.places.where(path), f"{kind} `{key}`: {error.message}", hint)
