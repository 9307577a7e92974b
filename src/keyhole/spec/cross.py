"""Mistakes that no single key shows: names that nothing defines, rules that no grant covers.

They are looked for in the raw file, so that they are found together with the mistakes of single keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keyhole.spec.handover_rules import handover_mistakes
from keyhole.spec.positions import Path
from keyhole.spec.settings_rules import bucket_mistakes, policy_mistakes
from keyhole.spec.upload_rules import endpoint_mistakes, upload_mistakes

Found = tuple[Path, str, str]


def cross_mistakes(raw: Mapping[str, Any], environment: str) -> Iterator[Found]:
    """Give path, message and hint of every mistake between tables; parts of the wrong type are passed over."""
    buckets = _tables(raw, "buckets")
    workloads = _tables(raw, "workloads")
    yield from _grants(workloads, buckets)
    callers = _tables(raw, "callers")
    yield from upload_mistakes(_tables(raw, "uploads"), workloads, buckets, callers)
    yield from endpoint_mistakes(raw.get("app"), buckets)
    yield from _same_names(buckets)
    yield from _operations(raw, workloads, buckets)
    yield from _github_jobs(workloads)
    yield from bucket_mistakes(buckets, _app_region(raw))
    yield from policy_mistakes(workloads)
    yield from handover_mistakes(workloads, buckets)
    if "anonymous" in workloads:
        path = ("workloads", "anonymous")
        yield path, "a workload cannot be called `anonymous`: that is whoever has no credentials", "choose another name"
    if "environment" in raw:
        yield ("environment",), "`environment` is not set in the file", f"choose one by `-e {environment}`"


def _tables(raw: Mapping[str, Any], key: str) -> dict[str, dict[str, Any]]:
    tables = raw.get(key)
    if not isinstance(tables, dict):
        return {}
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def _app_region(raw: Mapping[str, Any]) -> object:
    app = raw.get("app")
    return app.get("region") if isinstance(app, dict) else None


def _operations(
    raw: Mapping[str, Any], workloads: Mapping[str, dict[str, Any]], buckets: Mapping[str, dict[str, Any]]
) -> Iterator[Found]:
    """What the tables around the buckets name, and what Terraform needs of its bucket."""
    for table, key, names, what in (
        ("monitoring", "buckets", buckets, "bucket"),
        ("audit", "bucket", buckets, "bucket"),
        ("terraform_state", "bucket", buckets, "bucket"),
        ("terraform_state", "workloads", workloads, "workload"),
    ):
        found = raw[table].get(key) if isinstance(raw.get(table), dict) else None
        for index, name in enumerate(found if isinstance(found, list) else [found]):
            if isinstance(name, str) and name not in names:
                path: Path = (table, key, index) if isinstance(found, list) else (table, key)
                yield path, f"`{table}` names `{name}`, which is no {what} here", _known(names, f"{what}s")
    state = raw.get("terraform_state")
    bucket = state.get("bucket") if isinstance(state, dict) else None
    if isinstance(bucket, str) and bucket in buckets and buckets[bucket].get("versioning") is not True:
        yield (
            ("terraform_state", "bucket"),
            f"bucket `{bucket}` keeps no old versions, and Terraform's state is lost with one broken write",
            f"add `versioning = true` to `[buckets.{bucket}]`",
        )
    if isinstance(state, dict) and state.get("workloads") and "table_name" not in state:
        yield (
            ("terraform_state", "workloads"),
            "`terraform_state` names workloads that lock, and no table to lock with",
            "add `table_name`, or leave `workloads` out: Terraform's lockfile needs no more than the grants",
        )


def _known(names: Mapping[str, Any], table: str) -> str:
    if not names:
        return f"the file has no `[{table}.…]` yet: add one"
    return f"the file has {', '.join(f'`{name}`' for name in names)}"


def _grants(workloads: Mapping[str, dict[str, Any]], buckets: Mapping[str, Any]) -> Iterator[Found]:
    for name, workload in workloads.items():
        grants = workload.get("grants")
        for index, grant in enumerate(grants if isinstance(grants, list) else []):
            bucket = grant.get("bucket") if isinstance(grant, dict) else None
            if isinstance(bucket, str) and bucket not in buckets:
                path = ("workloads", name, "grants", index, "bucket")
                yield (
                    path,
                    f"workload `{name}` has a grant on `{bucket}`, which is no bucket here",
                    _known(buckets, "buckets"),
                )


def _github_jobs(workloads: Mapping[str, dict[str, Any]]) -> Iterator[Found]:
    """GitHub names a job in its token by the branch or by the environment, never by both.

    GitHub: "OpenID Connect reference", example subject claims.
    """
    for name, workload in workloads.items():
        if workload.get("kind") != "github-actions":
            continue
        if "branch" in workload and "environment" in workload:
            yield (
                ("workloads", name, "branch"),
                f"workload `{name}` has both `branch` and `environment`, and GitHub's token names only one of them",
                "keep `environment`, and limit it to the branch on GitHub (Settings, Environments, deployment "
                "branches); or keep `branch` alone",
            )
        if ("owner_id" in workload) != ("repository_id" in workload):
            there, lacking = ("owner_id", "repository_id") if "owner_id" in workload else ("repository_id", "owner_id")
            yield (
                ("workloads", name, there),
                f"workload `{name}` has `{there}` without `{lacking}`, and GitHub's token names both or neither",
                f"add `{lacking}`, or leave both out for a repository whose tokens have names alone",
            )


def _same_names(buckets: Mapping[str, dict[str, Any]]) -> Iterator[Found]:
    seen: dict[str, str] = {}
    for key, bucket in buckets.items():
        name = bucket.get("name")
        if isinstance(name, str) and seen.setdefault(name, key) != key:
            yield (
                ("buckets", key, "name"),
                f"buckets `{seen[name]}` and `{key}` have the same name `{name}`",
                "a bucket is described once: give one of them another name, or join the two",
            )
