"""Names that only show their mistakes once they are complete: too long, or the same in two places."""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.blueprint.workloads import Names, workload_names
from keyhole.errors import Mistake
from keyhole.spec import Spec
from keyhole.spec.fields import bucket_name_mistake

# AWS: IAM User Guide, "IAM and AWS STS quotas".
MAX_LENGTH = {"role": 64, "user": 64, "policy": 128, "profile": 128}


def name_mistakes(spec: Spec, account: str) -> Iterator[Mistake]:
    """Give every mistake in the finished names of the app in this account."""
    yield from _buckets(spec, account)
    seen: dict[tuple[str, str], str] = {}
    for key in spec.app.workloads:
        names = workload_names(spec.app, key, account)
        for field in Names.__slots__:
            name = getattr(names, field)
            if not name or (field == "profile" and name == names.role):
                continue  # a profile that is named after its role: whose mistake it is
            setting = "instance_profile_name" if field == "profile" else f"{field}_name"
            place = spec.places.where(("workloads", key, setting))
            if len(name) > MAX_LENGTH[field]:
                yield Mistake(
                    place,
                    f"{field} name `{name}` has {len(name)} characters: IAM takes {MAX_LENGTH[field]} at most",
                    f"set a shorter `{setting}`",
                )
            other = seen.setdefault((field, name.lower()), key)
            if other != key:
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
