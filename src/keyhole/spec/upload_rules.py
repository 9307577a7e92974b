"""Mistakes of uploads and callers that no single key shows: what they name, and what they need around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keyhole.spec.positions import Path

VERBS = {"read", "write", "delete", "list"}
QUARANTINE = "incoming/"
"""Where browsers send to, until what arrived has been checked."""
Found = tuple[Path, str, str]
Tables = Mapping[str, dict[str, Any]]


def upload_mistakes(uploads: Tables, workloads: Tables, buckets: Tables, callers: Tables) -> Iterator[Found]:
    """Give what hinders the upload service: unknown names, missing grants, a public quarantine."""
    for name, upload in uploads.items():
        yield from _names(name, upload, workloads, buckets)
        yield from _quarantine(name, upload, buckets)
        yield from _callers(name, upload, callers)
    yield from _shared_prefixes(uploads)
    if callers and not uploads:
        yield ("callers",), "the file has callers and no upload that they could use", "add `[uploads.images]`"


def endpoint_mistakes(app: object, buckets: Tables) -> Iterator[Found]:
    """Give what cannot be known of a store that is not AWS: there is no account to fill into names."""
    if not isinstance(app, dict) or not isinstance(app.get("endpoint"), str) or "account" in app:
        return
    for key, bucket in buckets.items():
        name = bucket.get("name")
        if not isinstance(name, str) or "{account}" in name:
            yield (
                ("buckets", key, "name") if isinstance(name, str) else ("buckets", key),
                f"bucket `{key}` needs its plain name: the store at `endpoint` knows no account",
                'add `name = "…"` as the store has it',
            )


def _names(name: str, upload: Mapping[str, Any], workloads: Tables, buckets: Tables) -> Iterator[Found]:
    bucket, workload = upload.get("bucket"), upload.get("workload")
    if isinstance(bucket, str) and bucket not in buckets:
        path: Path = ("uploads", name, "bucket")
        yield path, f"upload `{name}` goes to `{bucket}`, which is no bucket here", _known(buckets, "buckets")
    if not isinstance(workload, str):
        return
    if workload not in workloads:
        path = ("uploads", name, "workload")
        yield path, f"upload `{name}` runs as `{workload}`, which is no workload here", _known(workloads, "workloads")
    elif bucket in buckets and not _may_upload(workloads[workload], bucket, upload.get("prefix", "")):
        yield (
            ("uploads", name),
            f"the grants of `{workload}` do not cover upload `{name}`",
            f'it needs `verbs = ["read", "write", "delete", "list"]` on `{bucket}` at the upload\'s prefix',
        )


def _quarantine(name: str, upload: Mapping[str, Any], buckets: Tables) -> Iterator[Found]:
    """What has not been checked is never public, and never among what has."""
    bucket, prefix = upload.get("bucket"), upload.get("prefix", "")
    if isinstance(prefix, str) and prefix.startswith(QUARANTINE):
        hint = "choose another prefix"
        yield ("uploads", name, "prefix"), f"`{QUARANTINE}` is where unchecked uploads wait", hint
    if upload.get("signed_uploads") is not True:
        return
    if prefix == "":
        yield (
            ("uploads", name, "signed_uploads"),
            f"upload `{name}` has the whole bucket, and unchecked uploads would lie among the others",
            'give it a prefix: `prefix = "images/"`',
        )
    public = buckets.get(str(bucket), {}).get("public_read")
    for open_prefix in public if isinstance(public, list) else []:
        if isinstance(open_prefix, str) and (QUARANTINE.startswith(open_prefix) or open_prefix.startswith(QUARANTINE)):
            yield (
                ("uploads", name, "signed_uploads"),
                f"bucket `{bucket}` is public at `{open_prefix}`, and everyone could read unchecked uploads "
                f"in `{QUARANTINE}`",
                'make public only what is checked: `public_read = ["images/"]`',
            )


def _callers(name: str, upload: Mapping[str, Any], callers: Tables) -> Iterator[Found]:
    named = upload.get("callers")
    for index, caller in enumerate(named if isinstance(named, list) else []):
        if isinstance(caller, str) and caller not in callers:
            path: Path = ("uploads", name, "callers", index)
            yield path, f"upload `{name}` names `{caller}`, which are no callers here", _known(callers, "callers")
    if upload.get("per_caller") is True and not callers:
        hint = 'add `[callers.app]` with `kind = "token"` or `kind = "oidc"`'
        yield ("uploads", name, "per_caller"), "callers are kept apart, and the file has none", hint


def _shared_prefixes(uploads: Tables) -> Iterator[Found]:
    """Of a key it must be plain which upload it is of."""
    seen: dict[tuple[object, str], str] = {}
    for name, upload in uploads.items():
        bucket, prefix = upload.get("bucket"), upload.get("prefix", "")
        if not isinstance(prefix, str):
            continue
        for (other_bucket, other_prefix), other in seen.items():
            is_within = prefix.startswith(other_prefix) or other_prefix.startswith(prefix)
            if other_bucket == bucket and is_within:
                yield (
                    ("uploads", name, "prefix"),
                    f"uploads `{other}` and `{name}` overlap in bucket `{bucket}`",
                    "give each a prefix of its own, none within the other",
                )
        seen[(bucket, prefix)] = name


def _may_upload(workload: Mapping[str, Any], bucket: object, prefix: object) -> bool:
    """Hold iff the workload's grants cover every verb of the upload service at this prefix."""
    have: set[str] = set()
    grants = workload.get("grants")
    for grant in grants if isinstance(grants, list) else []:
        if not isinstance(grant, dict) or not _has_verbs(grant) or isinstance(grant.get("prefix", ""), int):
            return True  # a mistake of its own: what it was meant to cover cannot be told
        if grant.get("bucket") != bucket:
            continue
        if str(prefix).startswith(str(grant.get("prefix", ""))):
            have.update(grant["verbs"])
    return have >= VERBS


def _has_verbs(grant: Mapping[str, Any]) -> bool:
    verbs = grant.get("verbs")
    return isinstance(verbs, list) and all(isinstance(verb, str) and verb in VERBS for verb in verbs)


def _known(names: Mapping[str, Any], table: str) -> str:
    if not names:
        return f"the file has no `[{table}.…]` yet: add one"
    return f"the file has {', '.join(f'`{name}`' for name in names)}"
