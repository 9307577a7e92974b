"""boto3 clients that talk to the local AWS as root, as a user, or as nobody."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from keyhole.local.root_keys import Credentials
from keyhole.local.server import LocalAws


@dataclass(frozen=True)
class Aws:
    """The running server and clients for it."""

    server: LocalAws

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def root(self) -> Credentials:
        return self.server.root_credentials()

    def client(self, service: str, who: Credentials | None = None, **options: Any) -> Any:
        """A client of the root user unless other keys are given; `anonymous=True` signs nothing."""
        keys = who or self.root
        region = options.pop("region", "us-east-1")
        if options.pop("anonymous", False):
            options["signature_version"] = UNSIGNED
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token or None,
            config=Config(retries={"max_attempts": 1, "mode": "standard"}, **options),
        )

    def bucket(self) -> str:
        """A new bucket of the default account."""
        name = f"b-{uuid.uuid4().hex[:20]}"
        self.client("s3").create_bucket(Bucket=name)
        return name

    def open_bucket(self) -> str:
        """A new bucket that takes public policies."""
        name = self.bucket()
        self.client("s3").delete_public_access_block(Bucket=name)
        return name

    def user(self, *statements: dict[str, Any]) -> Credentials:
        """The keys of a new user with one managed policy of these statements, or with none."""
        iam = self.client("iam")
        name = f"u-{uuid.uuid4().hex[:12]}"
        iam.create_user(UserName=name)
        if statements:
            policy = iam.create_policy(PolicyName=name, PolicyDocument=document(*statements))["Policy"]
            iam.attach_user_policy(UserName=name, PolicyArn=policy["Arn"])
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def document(*statements: dict[str, Any]) -> str:
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str], **more: Any) -> dict[str, Any]:
    """An Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture
def aws(local_aws: LocalAws) -> Aws:
    """Clients for a local AWS with nothing in any account."""
    return Aws(local_aws)
