"""The AWS SDK for JavaScript v3, unmodified, under Node."""

from __future__ import annotations

import json
from pathlib import Path

from client_programs import environment, node_script, run

from gate_clients import Aws, allow


def test_objects_by_a_user(aws: Aws, tmp_path: Path) -> None:
    """It puts, streams in parts, gets, lists, deletes several, signs URLs and forms, and names denials."""
    bucket = aws.bucket()
    arn = f"arn:aws:s3:::{bucket}"
    keys = aws.user(
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], f"{arn}/in/*"),
        allow("s3:ListBucket", arn),
    )
    told = json.loads(run([*node_script("objects.mjs"), bucket], environment(aws.url, keys), tmp_path))
    assert told == {
        "text": "from node",
        "big": 11 * 1024 * 1024,
        "keys": ["in/a b+ü.txt", "in/big.bin"],
        "presignedPut": 200,
        "presignedGet": "presigned",
        "form": 204,
        "deleted": ["in/a b+ü.txt", "in/big.bin"],
        "notDeleted": ["out/x"],
        "denied": "AccessDenied",
        "missing": "NoSuchKey",
        "remaining": ["in/form.txt", "in/presigned.txt"],
    }
