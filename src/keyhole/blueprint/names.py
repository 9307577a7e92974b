"""Names that only show their mistakes once they are complete: too long, or the same in two places."""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.blueprint.workloads import Names, workload_names
from keyhole.errors import Mistake
from keyhole.spec import Spec
from keyhole.spec.fields import bucket_name_mistake
from keyhole.spec.model import AccessKeyWorkload

MAX_ROLE_NAME = 64  # AWS: IAM User Guide, "IAM and AWS STS quotas"


def name_mistakes(spec: Spec, account: str) -> Iterator[Mistake]:
    """Give every mistake in the finished names of the app in this account."""
    yield from _buckets(spec, account)
    seen: dict[tuple[str, str], str] = {}
    for key, workload in spec.app.workloads.items():
        names = workload_names(spec.app, key, account)
        where = spec.places.where(("workloads", key, "role_name"))
        if len(names.role) > MAX_ROLE_NAME and not isinstance(workload, AccessKeyWorkload):
            yield Mistake(
                where,
                f"role name `{names.role}` has {len(names.role)} characters: IAM takes {MAX_ROLE_NAME} at most",
                "set a shorter `role_name`",
            )
        for field in Names.__slots__:
            name = getattr(names, field)
            if field == "profile" and name == names.role:
                continue  # named after its role, whose mistake it is
            other = seen.setdefault((field, name.lower()), key)
            if other != key:
                place = spec.places.where(("workloads", key, f"{field}_name"))
                yield Mistake(place, f"workloads `{other}` and `{key}` both have the {field} `{name}`", "rename one")


def _buckets(spec: Spec, account: str) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for key in spec.app.buckets:
        name = spec.app.bucket_name(key, account)
        where = spec.places.where(("buckets", key, "name"))
        if mistake := bucket_name_mistake(name):
            problem, _, hint = mistake.partition("|")
            yield Mistake(where, f"bucket name `{name}` {problem}", hint)
        if seen.setdefault(name, key) != key:
            yield Mistake(where, f"buckets `{seen[name]}` and `{key}` are both named `{name}`", "rename one")
