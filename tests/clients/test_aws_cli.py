"""The AWS CLI, unmodified."""

from __future__ import annotations

import json
from pathlib import Path

from client_programs import beside_python, environment, run

from gate_clients import Aws, allow


def test_copies_lists_moves_and_removes_files(aws: Aws, tmp_path: Path) -> None:
    """`aws s3` works with a user who may do just that on one prefix, multipart included."""
    cli, bucket = beside_python("aws"), aws.bucket()
    arn = f"arn:aws:s3:::{bucket}"
    keys = aws.user(
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], f"{arn}/in/*"),
        allow("s3:ListBucket", arn, Condition={"StringLike": {"s3:prefix": ["in/*", "in/"]}}),
    )
    env = environment(aws.url, keys)
    big = bytes(range(256)) * (9 * 4096 + 1)
    (tmp_path / "big.bin").write_bytes(big)
    (tmp_path / "a.txt").write_text("one")
    run([cli, "s3", "cp", "big.bin", f"s3://{bucket}/in/big.bin"], env, tmp_path)
    run([cli, "s3", "cp", "a.txt", f"s3://{bucket}/in/a b+ü.txt"], env, tmp_path)
    listed = run([cli, "s3", "ls", f"s3://{bucket}/in/"], env, tmp_path)
    assert "big.bin" in listed
    assert "a b+ü.txt" in listed
    run([cli, "s3", "mv", f"s3://{bucket}/in/big.bin", "back.bin"], env, tmp_path)
    assert (tmp_path / "back.bin").read_bytes() == big
    run([cli, "s3", "rm", "--recursive", f"s3://{bucket}/in/"], env, tmp_path)
    assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_says_what_was_denied(aws: Aws, tmp_path: Path) -> None:
    """The CLI shows AWS's own sentence where the user may not."""
    cli, bucket = beside_python("aws"), aws.bucket()
    env = environment(aws.url, aws.user())
    (tmp_path / "a.txt").write_text("one")
    said = run([cli, "s3", "cp", "a.txt", f"s3://{bucket}/out.txt"], env, tmp_path, fails=True)
    assert "AccessDenied" in said
    assert "because no identity-based policy allows the s3:PutObject action" in said


def test_identity_and_denial_of_other_services(aws: Aws, tmp_path: Path) -> None:
    """`aws sts` tells who it is; DynamoDB's denial reads as the CLI knows it."""
    cli = beside_python("aws")
    env = environment(aws.url, aws.user())
    assert ":user/" in json.loads(run([cli, "sts", "get-caller-identity"], env, tmp_path))["Arn"]
    said = run([cli, "dynamodb", "list-tables"], env, tmp_path, fails=True)
    assert "AccessDeniedException" in said
    assert "because no identity-based policy allows the dynamodb:ListTables action" in said
