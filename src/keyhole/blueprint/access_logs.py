"""Server access logs: where S3 writes them, and that it writes there for these buckets alone.

AWS: Amazon S3 User Guide, "Enabling Amazon S3 server access logging", permissions for log delivery.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.blueprint.claims import Claim, Expected, Target
from keyhole.naming import Scope
from keyhole.spec import App, Places

LOGGING = "logging.s3.amazonaws.com"
_ARN_KEY, _ACCOUNT_KEY = "aws:SourceArn", "aws:SourceAccount"


def log_target(app: App, key: str, scope: Scope) -> dict[str, str] | None:
    """Give where the requests of the bucket with this key are logged, None where they are not."""
    target = app.buckets[key].access_logs
    if target is None:
        return None
    return {"TargetBucket": app.bucket_name(target, scope.account), "TargetPrefix": _prefix(key)}


def log_statements(app: App, key: str, scope: Scope) -> list[dict[str, Any]]:
    """Give what the policy of the bucket with this key has to say for the logs that come to it."""
    target_arn = _arn(app, key, scope)
    return [
        {
            "Sid": f"AccessLogs{index}",
            "Effect": "Allow",
            "Principal": {"Service": LOGGING},
            "Action": "s3:PutObject",
            "Resource": f"{target_arn}/{_prefix(source)}*",
            "Condition": {
                "ArnLike": {_ARN_KEY: _arn(app, source, scope)},
                "StringEquals": {_ACCOUNT_KEY: scope.account},
            },
        }
        for index, source in enumerate(_sources(app, key), 1)
    ]


def log_claims(app: App, key: str, scope: Scope, places: Places) -> Iterator[Claim]:
    """Give that S3 writes the logs of these buckets there, and not those of another account's."""
    name = app.bucket_name(key, scope.account)
    for source in _sources(app, key):
        place = places.where(("buckets", source, "access_logs"))
        prefix = _prefix(source)
        target = Target(name, prefix, is_object=True)
        resource = f"{_arn(app, key, scope)}/{prefix}*"
        other = {_ARN_KEY: f"{_arn(app, source, scope)}-other", _ACCOUNT_KEY: "0" * 12}
        own = {_ARN_KEY: _arn(app, source, scope), _ACCOUNT_KEY: scope.account}
        for slug, context, expected, why in (
            ("logs", own, Expected.CAN, f"the access logs of {source} go there"),
            ("no-other-logs", other, Expected.CANNOT, "another account's bucket plants nothing there"),
        ):
            claim_id = f"bucket.{key}.{source}.{slug}"
            yield Claim(
                claim_id, LOGGING, "s3:PutObject", resource, expected, why, place, target, context, on_paper=True
            )


def _sources(app: App, key: str) -> list[str]:
    return [source for source, bucket in app.buckets.items() if bucket.access_logs == key]


def _prefix(key: str) -> str:
    return f"access/{key}/"


def _arn(app: App, key: str, scope: Scope) -> str:
    return f"arn:{scope.partition}:s3:::{app.bucket_name(key, scope.account)}"
