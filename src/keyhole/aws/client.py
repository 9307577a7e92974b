"""The AWS port over botocore: the only door through which Keyhole calls AWS."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import botocore.session
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from keyhole.aws.service_models import service_models
from keyhole.aws.translate import translate_client_error, translate_core_error, translate_nonsense
from keyhole.aws.unsigned_body import sign_by_checksum
from keyhole.errors import KeyholeError


@dataclass(frozen=True, slots=True)
class Credentials:
    """A set of credentials; only the access key id is ever shown."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


class BotocoreAws:
    """An AWS account as seen by one set of credentials. Thread-safe; clients are made when first needed."""

    def __init__(
        self,
        region: str,
        *,
        credentials: Credentials | None = None,
        anonymous: bool = False,
        endpoint_url: str = "",
        profile: str = "",
        max_attempts: int = 3,
    ) -> None:
        """Take the given credentials, or none if `anonymous`, or otherwise the ordinary chain.

        Raises: KeyholeError if there is no such profile.
        """
        self.region = region
        self.endpoint_url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._config = Config(
            retries={"mode": "standard", "max_attempts": max_attempts},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=32,
            signature_version=UNSIGNED if anonymous else None,
        )
        # Left alone, botocore signs URLs for S3 by SigV2 in some regions, and for the global host in others.
        self._s3_config = Config(
            signature_version=UNSIGNED if anonymous else "s3v4",
            s3={"addressing_style": "path" if self.endpoint_url else "virtual"},
        )
        # With credentials of its own it must not stumble over a profile that the environment names.
        without_profile = {"profile": (None, None, None, None)} if credentials is not None or anonymous else None
        self._session = botocore.session.Session(session_vars=without_profile, profile=profile or None)
        self._session.register_component("data_loader", service_models(os.environ.get("AWS_DATA_PATH", "")))
        if credentials is not None:
            self._session.set_credentials(
                credentials.access_key_id, credentials.secret_access_key, credentials.session_token or None
            )

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Make one call and give its answer. Raises: AwsError."""
        try:
            method = getattr(self.client(service), xform_name(operation))
            answer: dict[str, Any] = method(**params)
        except ResponseParserError as error:
            raise translate_nonsense(operation, self.endpoint_url) from error
        except ClientError as error:
            raise translate_client_error(error) from error
        except BotoCoreError as error:
            raise translate_core_error(error, operation) from error
        return answer

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Make a paginated call and give every item under `result_key`. Raises: AwsError."""
        try:
            for page in self.client(service).get_paginator(xform_name(operation)).paginate(**params):
                yield from page.get(result_key, ())
        except ResponseParserError as error:
            raise translate_nonsense(operation, self.endpoint_url) from error
        except ClientError as error:
            raise translate_client_error(error) from error
        except BotoCoreError as error:
            raise translate_core_error(error, operation) from error

    def presign(self, operation: str, *, expires_s: int, **params: Any) -> str:
        """Give a URL by which anyone may make this one S3 call for `expires_s` seconds; nothing is sent.

        Raises: KeyholeError without credentials.
        """
        try:
            url: str = self.client("s3").generate_presigned_url(
                xform_name(operation), Params=params, ExpiresIn=expires_s
            )
        except BotoCoreError as error:
            raise translate_core_error(error, operation) from error
        return url

    def current_credentials(self) -> tuple[Credentials, datetime | None]:
        """Give the credentials that calls are signed with now, renewed if it is time, and when they end, if they do.

        Raises: AwsError without any.
        """
        try:
            with self._lock:
                source = self._session.get_credentials()
            if source is None:
                raise NoCredentialsError
            while True:
                # botocore keeps the end apart from the keys: another thread may renew both in between.
                expires_at: datetime | None = getattr(source, "_expiry_time", None)
                frozen = source.get_frozen_credentials()
                if getattr(source, "_expiry_time", None) == expires_at:
                    break
        except BotoCoreError as error:
            raise translate_core_error(error, "GetCredentials") from error
        return Credentials(frozen.access_key or "", frozen.secret_key or "", frozen.token or ""), expires_at

    def _make_client(self, service: str, config: Config) -> Any:
        try:
            return self._session.create_client(
                service, region_name=self.region, endpoint_url=self.endpoint_url or None, config=config
            )
        except ValueError as error:
            message = f"{error}".rstrip(".")
            raise KeyholeError(
                message[:1].lower() + message[1:], hint="check AWS_ENDPOINT_URL and the region"
            ) from error

    def _keep_host(self, request: Any, **_: Any) -> None:
        """S3 Control puts the account's id before the host's name; an address, as a local AWS has, takes none."""
        request.url = urlunsplit(urlsplit(request.url)._replace(netloc=urlsplit(self.endpoint_url).netloc))

    def client(self, service: str) -> Any:
        """Give the botocore client of a service. botocore makes clients one at a time only."""
        client = self._clients.get(service)
        if client is None:
            with self._lock:
                client = self._clients.get(service)
                if client is None:
                    config = self._config.merge(self._s3_config) if service == "s3" else self._config
                    client = self._make_client(service, config)
                    if service == "s3control" and self.endpoint_url:
                        client.meta.events.register("before-sign.s3-control", self._keep_host)
                    if service == "s3":
                        client.meta.events.register("before-sign.s3.PutObject", sign_by_checksum)
                    self._clients[service] = client
        return client
