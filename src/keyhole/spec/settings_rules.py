"""Settings of one table that do not go together, though each alone is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keyhole.spec.positions import Path

Found = tuple[Path, str, str]
Tables = Mapping[str, dict[str, Any]]


def bucket_mistakes(buckets: Tables, region: object) -> Iterator[Found]:
    """Give what S3 refuses of a bucket's encryption and access logs."""
    for key, bucket in buckets.items():
        yield from _encryption(key, bucket, region)
        if isinstance(bucket.get("access_logs"), str):
            yield from _access_logs(key, bucket["access_logs"], buckets)


def policy_mistakes(workloads: Tables) -> Iterator[Found]:
    """Give what hinders a workload's policy from being what it is said to be."""
    for name, workload in workloads.items():
        has_own = bool(workload.get("grants")) or "policy_file" in workload
        if workload.get("boundary") is True and not has_own:
            at: Path = ("workloads", name, "boundary")
            yield at, f"workload `{name}` has a boundary and no grants", "give it grants: they are what it is held to"
        if workload.get("boundary") is True and workload.get("inline") is True:
            # AWS: IAM User Guide, "Permissions boundaries for IAM entities": a managed policy sets them.
            yield (
                ("workloads", name, "inline"),
                f"workload `{name}` has its policy inline, and a boundary can only be a managed one",
                "leave `inline` out, or `boundary`",
            )
        managed = workload.get("managed_policies")
        seen: set[str] = set()
        for index, policy in enumerate(managed if isinstance(managed, list) else []):
            if isinstance(policy, str) and policy in seen:
                yield ("workloads", name, "managed_policies", index), f"`{policy}` is there twice", "remove one"
            seen.add(str(policy))


def _encryption(key: str, bucket: Mapping[str, Any], region: object) -> Iterator[Found]:
    if bucket.get("encryption") == "aws:kms" and bucket.get("public_read"):
        # AWS: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)": requests
        # are signed.
        yield (
            ("buckets", key, "public_read"),
            f"bucket `{key}` is encrypted by KMS, and strangers cannot read what KMS decrypts",
            "leave `encryption` out, or `public_read`",
        )
    kms_key = bucket.get("kms_key")
    if kms_key is None:
        return
    where: Path = ("buckets", key, "kms_key")
    if bucket.get("encryption") != "aws:kms":
        yield (
            where,
            f"bucket `{key}` has a KMS key, and its encryption does not use it",
            'add `encryption = "aws:kms"`, or remove `kms_key`',
        )
    parts = str(kms_key).split(":")
    if len(parts) > 3 and isinstance(region, str) and parts[3] != region:
        # AWS: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)".
        yield (
            where,
            f"the key of bucket `{key}` is in `{parts[3]}`, and the bucket in `{region}`",
            "S3 takes only keys of the bucket's own region: name one",
        )


def _access_logs(key: str, target: str, buckets: Tables) -> Iterator[Found]:
    """AWS: Amazon S3 User Guide, "Enabling Amazon S3 server access logging"."""
    where: Path = ("buckets", key, "access_logs")
    if target not in buckets:
        known = ", ".join(f"`{name}`" for name in buckets)
        yield where, f"the access logs of `{key}` go to `{target}`, which is no bucket here", f"the file has {known}"
        return
    if target == key or "access_logs" in buckets[target]:
        yield (
            where,
            f"the access logs of `{key}` go to a bucket whose own requests are logged: each log makes another",
            "send them to a bucket without `access_logs`",
        )
    if buckets[target].get("encryption") == "aws:kms":
        yield (
            where,
            f"the access logs of `{key}` go to `{target}`, which is encrypted by KMS: S3 delivers none there",
            f"leave `encryption` out of `[buckets.{target}]`",
        )
