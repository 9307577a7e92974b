"""The service over a real bucket in the local AWS, in this process and without a network of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
from service_client import ServiceClient
from service_fakes import make_service_for_test, make_settings_for_test

from gate_clients import Aws, allow
from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.service.s3_store import S3Store
from keyhole.service.settings import Settings


class AwsServiceClient(ServiceClient):
    """One app over one bucket of the default account, with its root's keys or those of `who`."""

    def __init__(self, aws: Aws, bucket: str = "", *, who: Credentials | None = None, **options: Any) -> None:
        self.aws = aws
        self.bucket = bucket or aws.bucket()
        given = {"is_public": False, "signed_uploads": True, "max_bytes": 20_000_000, "thumbnails": (320,)}
        settings = make_settings_for_test(**{**given, **options}, bucket=self.bucket, endpoint_url=aws.url)
        settings = replace(settings, region="us-east-1")
        super().__init__(service=make_service_for_test(settings))
        self.s3 = aws.client("s3")
        self.ask("GET", "/nothing")  # FastAPI makes its routes when first asked, and not in several threads at once
        self.opener.store = open_store(aws, settings, who)  # type: ignore[assignment]  # another store of the same port

    def stored(self) -> list[str]:
        """All keys of the bucket, in order."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", ())]


def make_workload(aws: Aws, bucket: str) -> Credentials:
    """Give the keys of a user that may do what the blueprint grants a workload with uploads, and nothing else."""
    arn = f"arn:aws:s3:::{bucket}"
    in_quarantine = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    user = aws.user(
        allow("s3:ListBucket", arn, Condition={"StringLike": {"s3:prefix": "uploads/images/*"}}),
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{arn}/uploads/images/*"),
        allow([*in_quarantine, "s3:DeleteObject"], f"{arn}/incoming/images/*"),
    )
    return Credentials(user.access_key_id, user.secret_access_key)


def open_store(aws: Aws, settings: Settings, who: Credentials | None = None) -> S3Store:
    """Give the settings' bucket as the account's root sees it, or as `who` does."""
    root = who or Credentials(aws.root.access_key_id, aws.root.secret_access_key)
    return S3Store(BotocoreAws(settings.region, credentials=root, endpoint_url=aws.url, max_attempts=1), settings)


def send_form(signed: dict[str, Any], data: bytes) -> httpx.Response:
    """Send the file as a browser does that was given a form."""
    return httpx.post(signed["url"], data=signed["fields"], files={"file": ("blob", data)}, trust_env=False)


def send_put(signed: dict[str, Any], data: bytes) -> httpx.Response:
    """Send the file as a browser does that was given a URL to PUT to."""
    return httpx.put(signed["url"], content=data, headers=signed["headers"], trust_env=False)


Send = Callable[[dict[str, Any], bytes], httpx.Response]
