"""What the upload service needs beyond its grants: a quarantine for what browsers send, and a role for its callers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.blueprint.claims import ANONYMOUS, CALLERS, Claim, Expected, Target
from keyhole.blueprint.policies import VERSION, account_trust, grant_policy
from keyhole.naming import Scope
from keyhole.resources import Wanted
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.role import Role
from keyhole.spec import App, Places
from keyhole.spec.model import Grant
from keyhole.spec.upload_rules import QUARANTINE
from keyhole.spec.uploads import Upload

QUARANTINE_DAYS = 1
_QUARANTINE_ACTIONS = (
    *("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"),
    *("s3:ListMultipartUploadParts", "s3:DeleteObject"),
)
_VERBS = {"write": "s3:PutObject", "read": "s3:GetObject", "delete": "s3:DeleteObject"}


def caller_role_name(app: App, name: str, account: str) -> str:
    """Give the name of the role that an upload's callers are served with."""
    return app.fill(f"{app.base_name}-uploads-{name}", account)


def caller_role_arn(app: App, name: str, scope: Scope) -> str:
    """Give its ARN, "" where the upload has none."""
    if not app.uploads[name].caller_role:
        return ""
    return (
        f"arn:{scope.partition}:iam::{scope.account}:role{scope.iam_path}{caller_role_name(app, name, scope.account)}"
    )


def quarantine_lifecycle(app: App, key: str) -> list[dict[str, Any]]:
    """Give the rules by which S3 itself throws away what nobody completed.

    AWS: Amazon S3 User Guide, "Configuring a bucket lifecycle configuration to delete incomplete multipart uploads".
    """
    rules = []
    for name, upload in app.uploads.items():
        if upload.bucket == key and upload.signed_uploads:
            rule = {
                "ID": f"keyhole-incoming-{name}",
                "Status": "Enabled",
                "Filter": {"Prefix": f"{QUARANTINE}{name}/"},
                "Expiration": {"Days": QUARANTINE_DAYS},
                "NoncurrentVersionExpiration": {"NoncurrentDays": QUARANTINE_DAYS},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": QUARANTINE_DAYS},
            }
            rules.append(rule)
    return rules


def origin_rules(app: App, key: str) -> list[dict[str, Any]]:
    """Give the CORS rules by which browsers may send to the bucket, from the pages that the file names.

    Parts are put together by their ETags, so the page has to see them.
    """
    return [
        {
            "ID": f"keyhole-upload-{name}",
            "AllowedOrigins": list(upload.origins),
            "AllowedMethods": ["PUT", "POST"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3000,
        }
        for name, upload in app.uploads.items()
        if upload.bucket == key and upload.origins
    ]


def upload_statements(app: App, key: str, scope: Scope) -> list[dict[str, Any]]:
    """Give what the service may do beyond the grants of the workload that it runs as."""
    statements: list[dict[str, Any]] = []
    mine = [(name, upload) for name, upload in app.uploads.items() if upload.workload == key]
    quarantines = [
        f"{_bucket_arn(app, upload, scope)}/{QUARANTINE}{name}/*" for name, upload in mine if upload.signed_uploads
    ]
    if quarantines:
        statement = {"Effect": "Allow", "Action": list(_QUARANTINE_ACTIONS), "Resource": quarantines}
        statements.append({"Sid": "Quarantine", **statement})
    if roles := [caller_role_arn(app, name, scope) for name, upload in mine if upload.caller_role]:
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
        statements.append({"Sid": "Callers", **statement})
    return statements


def caller_resources(app: App, key: str, holder: str, scope: Scope) -> Iterator[Wanted]:
    """Give the roles that the workload assumes for callers: each reaches one upload's prefixes, and only it is trusted.

    The service narrows each session to one caller's own part of them.
    """
    kind = holder.partition("/")[0].rpartition(":")[2]
    for name, upload in app.uploads.items():
        if upload.workload != key or not upload.caller_role:
            continue
        role = caller_role_name(app, name, scope.account)
        address = f"{name}{CALLERS}"
        policy_path = scope.path_of("policy", role)
        arn = f"arn:{scope.partition}:iam::{scope.account}:policy{policy_path}{role}"
        yield ManagedPolicy(f"policy.{address}", arn, policy_path, _caller_policy(app, name, scope), scope.tags)
        yield Role(
            address=f"role.{address}",
            name=role,
            path=scope.path_of("role", role),
            trust=account_trust(scope.partition, scope.account, [holder]),
            policy_arns=(arn,),
            tags=scope.tags,
            description=f"callers of upload {name} of {app.name}, made by Keyhole",
            depends_on=(f"policy.{address}", f"{kind}.{key}"),
        )


def _caller_policy(app: App, name: str, scope: Scope) -> dict[str, Any]:
    upload = app.uploads[name]
    arn = _bucket_arn(app, upload, scope)
    grants = [(arn, Grant(bucket=upload.bucket, prefix=upload.prefix, verbs=["read", "write", "delete", "list"]))]
    quarantine: list[dict[str, Any]] = []
    if upload.signed_uploads:
        resource = f"{arn}/{QUARANTINE}{name}/*"
        quarantine = [
            {"Sid": "Quarantine", "Effect": "Allow", "Action": list(_QUARANTINE_ACTIONS), "Resource": resource}
        ]
    return {"Version": VERSION, "Statement": grant_policy(grants, quarantine)["Statement"]}


def upload_claims(app: App, key: str, scope: Scope, places: Places) -> Iterator[Claim]:
    """Give what the service and its callers can do, and that nobody else comes to what is unchecked."""
    for name, upload in app.uploads.items():
        if upload.workload != key:
            continue
        if upload.signed_uploads:
            yield from _quarantine_claims(app, name, scope, places.where(("uploads", name, "signed_uploads")))
        if upload.caller_role:
            yield from _caller_claims(app, name, scope, places.where(("uploads", name, "caller_role")))


def _quarantine_claims(app: App, name: str, scope: Scope, place: str) -> Iterator[Claim]:
    upload = app.uploads[name]
    prefix = f"{QUARANTINE}{name}/"
    arn = f"{_bucket_arn(app, upload, scope)}/{prefix}*"
    target = Target(app.bucket_name(upload.bucket, scope.account), prefix, is_object=True)
    why = f"signed uploads of {name} wait there until they are checked"
    for verb, action in _VERBS.items():
        slug = f"uploads.{name}.incoming.{verb}"
        yield Claim(slug, upload.workload, action, arn, Expected.CAN, why, place, target)
    for verb in ("read", "write"):
        slug = f"uploads.{name}.incoming.no-public-{verb}"
        yield Claim(slug, ANONYMOUS, _VERBS[verb], arn, Expected.CANNOT, why, place, target)


def _caller_claims(app: App, name: str, scope: Scope, place: str) -> Iterator[Claim]:
    """On paper: nobody but the service has such credentials, and it has them for callers alone."""
    upload = app.uploads[name]
    role, who = caller_role_arn(app, name, scope), f"{name}{CALLERS}"
    bucket = app.bucket_name(upload.bucket, scope.account)
    arn = _bucket_arn(app, upload, scope)
    why = "the service assumes it for its callers"
    slug = f"uploads.{name}.callers"
    yield Claim(f"{slug}.assume", upload.workload, "sts:AssumeRole", role, Expected.CAN, why, place, on_paper=True)
    yield Claim(f"{slug}.no-anyone", ANONYMOUS, "sts:AssumeRole", role, Expected.CANNOT, why, place, on_paper=True)
    why = f"callers are served from {upload.prefix or 'the whole bucket'} and nowhere else"
    inside = Target(bucket, upload.prefix, is_object=True)
    for verb, action in _VERBS.items():
        resource = f"{arn}/{upload.prefix}*"
        yield Claim(f"{slug}.{verb}", who, action, resource, Expected.CAN, why, place, inside, on_paper=True)
    if upload.prefix:
        outside = Target(bucket, "keyhole-probe/outside/", is_object=True)
        for verb in ("write", "read", "delete"):
            yield Claim(
                f"{slug}.no-{verb}-outside",
                *(who, _VERBS[verb], f"{arn}/{outside.prefix}*", Expected.CANNOT, why, place, outside),
                on_paper=True,
            )
    yield Claim(f"{slug}.no-escalation", who, "iam:PutRolePolicy", role, Expected.CANNOT, why, place, on_paper=True)


def _bucket_arn(app: App, upload: Upload, scope: Scope) -> str:
    return f"arn:{scope.partition}:s3:::{app.bucket_name(upload.bucket, scope.account)}"
