"""The blueprint: what the file means, as resources and claims. Pure: no I/O, every ARN known."""

from __future__ import annotations

from dataclasses import dataclass

from keyhole.blueprint.buckets import bucket_resource, stranger_claims
from keyhole.blueprint.claims import Claim
from keyhole.blueprint.names import name_mistakes
from keyhole.blueprint.workloads import workload_claims, workload_resources
from keyhole.errors import SpecError
from keyhole.naming import Scope
from keyhole.resources import Wanted
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
    claims = [claim for key in app.workloads for claim in workload_claims(app, key, scope, places)]
    claims += [claim for key in app.buckets for claim in stranger_claims(app, key, scope, places)]
    return Blueprint(app, scope, (*buckets, *workloads), tuple(claims))
