"""Claims about the app's other environments: what runs in one never touches what another one has."""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.blueprint.buckets import OUTSIDE
from keyhole.blueprint.claims import Claim, Expected, Target
from keyhole.blueprint.policies import OBJECT_ACTIONS
from keyhole.blueprint.workloads import holder_arn
from keyhole.naming import Scope
from keyhole.spec import App, Spec
from keyhole.spec.model import AccessKeyWorkload


def environment_claims(spec: Spec, key: str, scope: Scope) -> Iterator[Claim]:
    """Give what a workload cannot do in each other environment: to the buckets that it is granted here, and to itself.

    A bucket of the same key is what a mistake would reach first; that no grant names any other bucket at all is a
    claim of its own.
    """
    for name, app in spec.others.items():
        account = app.app.account or scope.account
        there = Scope(app.name, app.environment, account, app.region)
        place = spec.places.where(("environments", name))
        for bucket in dict.fromkeys(grant.bucket for grant in spec.app.workloads[key].grants):
            if bucket in app.buckets:
                yield from _bucket_claims(app, key, bucket, there, place)
        if key in app.workloads:
            yield _power_claim(app, key, there, place)


def _bucket_claims(app: App, key: str, bucket: str, there: Scope, place: str) -> Iterator[Claim]:
    name = app.bucket_name(bucket, there.account)
    arn = f"arn:{there.partition}:s3:::{name}"
    slug = f"workload.{key}.{there.environment}.{bucket}"
    why = f"`{there.environment}` is another environment"
    for verb in ("read", "write", "delete"):
        if verb == "read" and "" in app.buckets[bucket].public_read:
            continue
        target = Target(name, OUTSIDE, is_object=True)
        action, resource = OBJECT_ACTIONS[verb][0], f"{arn}/{OUTSIDE}*"
        yield Claim(
            f"{slug}.no-{verb}",
            *(key, action, resource, Expected.CANNOT, why, place, target),
            environment=there.environment,
        )
    yield Claim(
        f"{slug}.no-list",
        *(key, "s3:ListBucket", arn, Expected.CANNOT, why, place, Target(name)),
        environment=there.environment,
    )


def _power_claim(app: App, key: str, there: Scope, place: str) -> Claim:
    """A workload does not give its counterpart more either, and so come to it by a detour."""
    is_user = isinstance(app.workloads[key], AccessKeyWorkload)
    action = "iam:PutUserPolicy" if is_user else "iam:PutRolePolicy"
    why = f"`{there.environment}` is another environment"
    slug = f"workload.{key}.{there.environment}.no-escalation"
    holder = holder_arn(app, key, there)
    return Claim(slug, key, action, holder, Expected.CANNOT, why, place, environment=there.environment)
