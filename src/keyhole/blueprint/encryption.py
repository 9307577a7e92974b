"""How a bucket encrypts, and what a workload must then be allowed at its KMS key.

AWS: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)", permissions; "Reducing the
cost of SSE-KMS with Amazon S3 Bucket Keys".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.blueprint.claims import Claim, Expected
from keyhole.naming import Scope
from keyhole.spec import App, Places, model

_VIA_KEY = "kms:ViaService"
# A multipart upload is put together from parts that S3 decrypts first: who writes reads the key too.
_ACTIONS = {"read": ("kms:Decrypt",), "write": ("kms:GenerateDataKey", "kms:Decrypt")}


def encryption(bucket: model.Bucket) -> dict[str, str]:
    """Give how S3 encrypts the bucket's new objects by default."""
    key = {"KMSMasterKeyID": bucket.kms_key} if bucket.kms_key else {}
    return {"SSEAlgorithm": bucket.encryption, **key}


def key_statements(app: App, key: str, scope: Scope) -> list[dict[str, Any]]:
    """Give what a workload may do with the KMS keys of its buckets, and only by way of S3.

    The account's own key for S3 lets in whoever may use the bucket; a key of the user's lets in nobody by itself.
    """
    statements: list[dict[str, Any]] = []
    for kms_key, actions in _needs(app, key).items():
        statements.append(
            {
                "Sid": f"Key{len(statements) + 1}",
                "Effect": "Allow",
                "Action": actions,
                "Resource": kms_key,
                "Condition": {"StringEquals": {_VIA_KEY: _s3(scope)}},
            }
        )
    return statements


def key_claims(app: App, key: str, scope: Scope, places: Places) -> Iterator[Claim]:
    """Give that a workload reaches the keys through S3 and not beside it."""
    place = places.where(("workloads", key, "grants"))
    for kms_key, actions in _needs(app, key).items():
        slug = f"workload.{key}.key-{kms_key.rpartition('/')[2]}"
        for via, expected, suffix, why in (
            (_s3(scope), Expected.CAN, "", "the bucket's objects are encrypted by this key"),
            (f"ec2.{scope.region}.amazonaws.com", Expected.CANNOT, ".only-by-s3", "the key is for the bucket alone"),
        ):
            context = {_VIA_KEY: via}
            claim_id = f"{slug}.{actions[0].partition(':')[2]}{suffix}"
            yield Claim(claim_id, key, actions[0], kms_key, expected, why, place, context=context, on_paper=True)


def _needs(app: App, key: str) -> dict[str, list[str]]:
    """Give the KMS keys of the workload's buckets, each with the actions that its verbs there take."""
    needs: dict[str, dict[str, None]] = {}
    for grant in app.workloads[key].grants:
        kms_key = app.buckets[grant.bucket].kms_key
        for verb in ("write", "read"):
            if kms_key and verb in grant.verbs:
                needs.setdefault(kms_key, {}).update(dict.fromkeys(_ACTIONS[verb]))
    return {kms_key: list(actions) for kms_key, actions in needs.items()}


def _s3(scope: Scope) -> str:
    return f"s3.{scope.region}.amazonaws.com" + (".cn" if scope.partition == "aws-cn" else "")
