"""Presigned URLs in the hands of curl."""

from __future__ import annotations

from pathlib import Path

from client_programs import environment, on_path, run

from gate_clients import Aws, allow

_WHY = "presigned URLs are tried with boto3 only"


def test_put_and_get_by_curl(aws: Aws, tmp_path: Path) -> None:
    """A URL for a put takes the file, one for a get gives it; each does nothing else."""
    curl, bucket = on_path("curl", _WHY), aws.bucket()
    s3 = aws.client("s3", aws.user(allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{bucket}/*")))
    (tmp_path / "a.txt").write_text("by curl")
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b/ü.txt"})
    env = environment(aws.url)
    run([curl, "-sSf", "-T", "a.txt", put], env, tmp_path)
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü.txt"})
    assert run([curl, "-sSf", get], env, tmp_path) == "by curl"
    said = run([curl, "-sS", "-X", "DELETE", get], env, tmp_path)
    assert "<Code>SignatureDoesNotMatch</Code>" in said


def test_post_form_by_curl(aws: Aws, tmp_path: Path) -> None:
    """A presigned form takes a file within its limits, and no larger one."""
    curl, bucket = on_path("curl", _WHY), aws.bucket()
    s3 = aws.client("s3", aws.user(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/up/*")))
    limits = [["content-length-range", 1, 10], ["starts-with", "$Content-Type", "text/"]]
    form = s3.generate_presigned_post(bucket, "up/${filename}", Conditions=limits)
    fields = [part for name, value in form["fields"].items() for part in ("-F", f"{name}={value}")]
    (tmp_path / "small.txt").write_text("ten bytes!")
    (tmp_path / "large.txt").write_text("eleven bytes")
    env = environment(aws.url)
    command = [curl, "-sS", *fields, "-F", "Content-Type=text/plain"]
    run([*command, "-F", "file=@small.txt", form["url"]], env, tmp_path)
    said = run([*command, "-F", "file=@large.txt", form["url"]], env, tmp_path)
    assert "<Code>EntityTooLarge</Code>" in said
    found = aws.client("s3").get_object(Bucket=bucket, Key="up/small.txt")
    assert found["Body"].read() == b"ten bytes!"
    assert found["ContentType"] == "text/plain"
    assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1
