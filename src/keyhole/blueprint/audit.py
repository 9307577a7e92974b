"""The trail of the account's calls, and how its bucket lets CloudTrail in, and no other account's trail.

AWS: AWS CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.blueprint.claims import Claim, Expected, Target
from keyhole.naming import Scope
from keyhole.resources.trail import Trail
from keyhole.spec import App, Places

CLOUDTRAIL = "cloudtrail.amazonaws.com"
_ACL_KEY, _SOURCE_KEY = "s3:x-amz-acl", "aws:SourceArn"


def trail(app: App, scope: Scope) -> Trail | None:
    """Give the trail as it shall be, None where the file wants none."""
    if app.audit is None:
        return None
    bucket = app.bucket_name(app.audit.bucket, scope.account)
    return Trail("trail.audit", _trail_arn(app, scope), bucket, scope.tags, (f"bucket.{app.audit.bucket}",))


def trail_statements(app: App, key: str, scope: Scope) -> list[dict[str, Any]]:
    """Give what the policy of the bucket with this key has to say for CloudTrail; nothing, if it is another one."""
    if app.audit is None or app.audit.bucket != key:
        return []
    bucket_arn = f"arn:{scope.partition}:s3:::{app.bucket_name(key, scope.account)}"
    source = {_SOURCE_KEY: _trail_arn(app, scope)}
    principal = {"Service": CLOUDTRAIL}
    return [
        {
            "Sid": "CloudTrailLooks",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "s3:GetBucketAcl",
            "Resource": bucket_arn,
            "Condition": {"StringEquals": source},
        },
        {
            "Sid": "CloudTrailWrites",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn}/AWSLogs/{scope.account}/*",
            "Condition": {"StringEquals": {_ACL_KEY: "bucket-owner-full-control", **source}},
        },
    ]


def trail_claims(app: App, scope: Scope, places: Places) -> Iterator[Claim]:
    """Give that this trail writes its log files, and that a trail of someone else cannot plant any."""
    if app.audit is None:
        return
    name = app.bucket_name(app.audit.bucket, scope.account)
    prefix = f"AWSLogs/{scope.account}/"
    target = Target(name, prefix, is_object=True)
    place = places.where(("audit", "bucket"))
    resource = f"arn:{scope.partition}:s3:::{name}/{prefix}*"
    own, other = _trail_arn(app, scope), _trail_arn(app, scope).replace(scope.account, "0" * 12)
    for slug, source, expected, why in (
        ("writes", own, Expected.CAN, "the trail writes its log files there"),
        ("no-other-trail", other, Expected.CANNOT, "another account's trail plants nothing there"),
    ):
        context = {_SOURCE_KEY: source, _ACL_KEY: "bucket-owner-full-control"}
        yield Claim(
            f"audit.{slug}", CLOUDTRAIL, "s3:PutObject", resource, expected, why, place, target, context, on_paper=True
        )


def _trail_arn(app: App, scope: Scope) -> str:
    template = (app.audit.trail_name if app.audit else None) or f"{app.base_name}-trail"
    name = app.fill(template, scope.account)
    return f"arn:{scope.partition}:cloudtrail:{scope.region}:{scope.account}:trail/{name}"
