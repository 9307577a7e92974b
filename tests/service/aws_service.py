"""The service over a real bucket in the local AWS, in this process and without a network of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
from gate_clients import Aws
from service_client import ServiceClient
from service_fakes import make_service_for_test, make_settings_for_test

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.service.s3_store import S3Store
from keyhole.service.settings import Settings


class AwsServiceClient(ServiceClient):
    """One app over one bucket of the default account, with its root's keys."""

    def __init__(self, aws: Aws, bucket: str = "", **options: Any) -> None:
        self.aws = aws
        self.bucket = bucket or aws.bucket()
        given = {"is_public": False, "signed_uploads": True, "max_bytes": 20_000_000, "thumbnails": (320,)}
        settings = make_settings_for_test(**{**given, **options}, bucket=self.bucket, endpoint_url=aws.url)
        settings = replace(settings, region="us-east-1")
        super().__init__(service=make_service_for_test(settings))
        self.s3 = aws.client("s3")
        self.ask("GET", "/nothing")  # FastAPI makes its routes when first asked, and not in several threads at once
        self.opener.store = open_store(aws, settings)  # type: ignore[assignment]  # another store of the same port

    def stored(self) -> list[str]:
        """All keys of the bucket, in order."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", ())]


def open_store(aws: Aws, settings: Settings) -> S3Store:
    """Give the settings' bucket as the account's root sees it."""
    root = Credentials(aws.root.access_key_id, aws.root.secret_access_key)
    return S3Store(BotocoreAws(settings.region, credentials=root, endpoint_url=aws.url, max_attempts=1), settings)


def send_form(signed: dict[str, Any], data: bytes) -> httpx.Response:
    """Send the file as a browser does that was given a form."""
    return httpx.post(signed["url"], data=signed["fields"], files={"file": ("blob", data)}, trust_env=False)


def send_put(signed: dict[str, Any], data: bytes) -> httpx.Response:
    """Send the file as a browser does that was given a URL to PUT to."""
    return httpx.put(signed["url"], content=data, headers=signed["headers"], trust_env=False)


Send = Callable[[dict[str, Any], bytes], httpx.Response]
