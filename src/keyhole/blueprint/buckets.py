"""A bucket of the file as a resource, and the claims about what strangers can do with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.blueprint.access_logs import log_statements, log_target
from keyhole.blueprint.audit import trail_statements
from keyhole.blueprint.claims import ANONYMOUS, Claim, Expected, Target
from keyhole.blueprint.encryption import encryption
from keyhole.blueprint.monitoring import watched_buckets
from keyhole.blueprint.policies import SECURE_TRANSPORT, bucket_policy
from keyhole.blueprint.uploads import origin_rules, quarantine_lifecycle
from keyhole.naming import Scope
from keyhole.resources.bucket import Bucket, Settings
from keyhole.spec import App, Places, model

OUTSIDE = "keyhole-probe/outside/"


def bucket_resource(app: App, key: str, scope: Scope) -> Bucket:
    """Give the bucket as it shall be on S3."""
    bucket = app.buckets[key]
    name = app.bucket_name(key, scope.account)
    arn = f"arn:{scope.partition}:s3:::{name}"
    is_public = bool(bucket.public_read)
    services = [*trail_statements(app, key, scope), *log_statements(app, key, scope)]
    settings = Settings(
        public_access_block={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": not is_public,
            "RestrictPublicBuckets": not is_public,
        },
        ownership="BucketOwnerEnforced",
        encryption=encryption(bucket),
        bucket_key=bucket.encryption == "aws:kms",
        versioning=bucket.versioning,
        lifecycle=[*_lifecycle(bucket.lifecycle), *quarantine_lifecycle(app, key)] or None,
        cors=[*(_cors_rule(rule) for rule in bucket.cors), *origin_rules(app, key)] or None,
        policy=bucket_policy(arn, bucket.public_read, tls_only=bucket.tls_only, more=services),
        request_metrics=key in watched_buckets(app),
        access_logs=log_target(app, key, scope),
    )
    tags = {**bucket.tags, **scope.tags}
    needs = (f"bucket.{bucket.access_logs}",) if bucket.access_logs else ()
    return Bucket(f"bucket.{key}", name, scope.account, scope.region, settings, tags, depends_on=needs)


def stranger_claims(app: App, key: str, scope: Scope, places: Places) -> Iterator[Claim]:
    """Give what anyone on the web can and cannot do with the bucket."""
    bucket = app.buckets[key]
    name = app.bucket_name(key, scope.account)
    arn = f"arn:{scope.partition}:s3:::{name}"
    here = places.where(("buckets", key))
    outside = OUTSIDE if "" not in bucket.public_read else None

    def claim(suffix: str, action: str, prefix: str | None, why: str, *, can: str = "") -> Claim:
        resource = arn if prefix is None else f"{arn}/{prefix}*"
        target = Target(name, prefix or "", is_object=prefix is not None)
        expected = Expected.CAN if can else Expected.CANNOT
        return Claim(f"bucket.{key}.{suffix}", ANONYMOUS, action, resource, expected, why, can or here, target)

    for index, prefix in enumerate(bucket.public_read):
        place = places.where(("buckets", key, "public_read", index))
        why = f"`public_read` opens {prefix or 'the whole bucket'} to the web"
        suffix = "public-read" if len(bucket.public_read) == 1 else f"public-read-{index + 1}"
        yield claim(suffix, "s3:GetObject", prefix, why, can=place)
    if bucket.public_read and bucket.tls_only:
        prefix = bucket.public_read[0]
        why, context = "the bucket takes requests over TLS alone", {SECURE_TRANSPORT: "false"}
        target = Target(name, prefix, is_object=True)
        slug, resource = f"bucket.{key}.tls-only", f"{arn}/{prefix}*"
        yield Claim(
            slug, ANONYMOUS, "s3:GetObject", resource, Expected.CANNOT, why, here, target, context, on_paper=True
        )
    if outside is not None:
        where = "outside the public prefixes" if bucket.public_read else "in this bucket"
        yield claim("no-public-read", "s3:GetObject", outside, f"nothing {where} is public")
    inside = bucket.public_read[0] if bucket.public_read else OUTSIDE
    yield claim("no-public-write", "s3:PutObject", inside, "strangers never write")
    yield claim("no-public-delete", "s3:DeleteObject", inside, "strangers never delete")
    yield claim("no-public-list", "s3:ListBucket", None, "strangers never list")


def _lifecycle(rules: list[model.LifecycleRule]) -> list[dict[str, Any]]:
    return [_lifecycle_rule(rule, index) for index, rule in enumerate(rules, 1)]


def _lifecycle_rule(rule: model.LifecycleRule, index: int) -> dict[str, Any]:
    body: dict[str, Any] = {"ID": f"keyhole-{index}", "Status": "Enabled", "Filter": {"Prefix": rule.prefix}}
    if rule.transitions:
        body["Transitions"] = [{"Days": step.days, "StorageClass": step.storage_class} for step in rule.transitions]
    if rule.expire_days is not None:
        body["Expiration"] = {"Days": rule.expire_days}
    if rule.abort_multipart_days is not None:
        body["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule.abort_multipart_days}
    return body


def _cors_rule(rule: model.CorsRule) -> dict[str, Any]:
    return {
        "AllowedOrigins": list(rule.origins),
        "AllowedMethods": list(rule.methods),
        "AllowedHeaders": list(rule.headers),
        "ExposeHeaders": list(rule.expose),
        "MaxAgeSeconds": rule.max_age_s,
    }
