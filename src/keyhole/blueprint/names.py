"""Names that only show their mistakes once they are complete: too long, or the same in two places."""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.blueprint.uploads import caller_role_name
from keyhole.blueprint.workloads import Names, workload_names
from keyhole.errors import Mistake
from keyhole.spec import Spec
from keyhole.spec.fields import bucket_name_mistake

# AWS: IAM User Guide, "IAM and AWS STS quotas".
MAX_LENGTH = {"role": 64, "user": 64, "policy": 128, "profile": 128, "passing": 128}
_SETTINGS = {"profile": "instance_profile_name", "passing": "pass_role_policy"}


def name_mistakes(spec: Spec, account: str) -> Iterator[Mistake]:
    """Give every mistake in the finished names of the app in this account."""
    yield from _buckets(spec, account)
    yield from _upload_roles(spec, account)
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for key in spec.app.workloads:
        names = workload_names(spec.app, key, account)
        for field in Names.__slots__:
            name = getattr(names, field)
            if not name or (field == "profile" and name == names.role):
                continue  # a profile that is named after its role: whose mistake it is
            setting = _SETTINGS.get(field, f"{field}_name")
            field_kind = "policy" if field == "passing" else field
            place = spec.places.where(("workloads", key, setting))
            if len(name) > MAX_LENGTH[field]:
                yield Mistake(
                    place,
                    f"{field_kind} name `{name}` has {len(name)} characters: IAM takes {MAX_LENGTH[field]} at most",
                    f"set a shorter `{setting}`",
                )
            other = seen.setdefault((field_kind, name.lower()), (key, field))
            if other != (key, field):
                yield Mistake(
                    place, f"workloads `{other[0]}` and `{key}` both have the {field_kind} `{name}`", "rename one"
                )


def _upload_roles(spec: Spec, account: str) -> Iterator[Mistake]:
    for key, upload in spec.app.uploads.items():
        name = caller_role_name(spec.app, key, account)
        if upload.caller_role and len(name) > MAX_LENGTH["role"]:
            yield Mistake(
                spec.places.where(("uploads", key, "caller_role")),
                f"role name `{name}` has {len(name)} characters: IAM takes {MAX_LENGTH['role']} at most",
                "give the app or the upload a shorter name",
            )


def _buckets(spec: Spec, account: str) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for key in spec.app.buckets:
        name = spec.app.bucket_name(key, account)
        where = spec.places.where(("buckets", key, "name"))
        kms_key = spec.app.buckets[key].kms_key
        if kms_key and kms_key.split(":")[4] != account:
            message = f"the key of bucket `{key}` is of account `{kms_key.split(':')[4]}`, and this is `{account}`"
            at = spec.places.where(("buckets", key, "kms_key"))
            yield Mistake(at, message, "who may use it there is not in this file: name a key of this account")
        if mistake := bucket_name_mistake(name):
            problem, _, hint = mistake.partition("|")
            yield Mistake(where, f"bucket name `{name}` {problem}", hint)
        if seen.setdefault(name, key) != key:
            yield Mistake(where, f"buckets `{seen[name]}` and `{key}` are both named `{name}`", "rename one")
