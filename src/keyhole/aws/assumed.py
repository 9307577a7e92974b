"""AWS as a role sees it: its sessions are assumed when first needed and renewed before they end."""

from __future__ import annotations

from typing import Any

from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials

from keyhole.aws.client import BotocoreAws

_DURATION_S = 3600
"""AWS: IAM User Guide, "Methods to assume a role": sessions of chained roles last an hour at most."""


class AssumedAws(BotocoreAws):
    """An account as seen by a role that `source` may assume, within a session policy."""

    def __init__(
        self, source: BotocoreAws, role_arn: str, session_name: str, *, policy: str = "", max_attempts: int = 3
    ) -> None:
        """Nothing is asked yet. `policy` is JSON, "" for all that the role may do."""
        super().__init__(source.region, endpoint_url=source.endpoint_url, max_attempts=max_attempts)
        self._source = source
        self._params = {
            "RoleArn": role_arn,
            "RoleSessionName": session_name,
            "DurationSeconds": _DURATION_S,
            **({"Policy": policy} if policy else {}),
        }
        self._session.register_component("credential_provider", CredentialResolver([_Provider(self._assume)]))

    def _assume(self) -> dict[str, Any]:
        """Give a new session's credentials, as botocore wants them. Raises: AwsError."""
        credentials = self._source.call("sts", "AssumeRole", **self._params)["Credentials"]
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": credentials["Expiration"].isoformat(),
        }


class _Provider(CredentialProvider):
    """The only place where the role's credentials come from: nothing in the environment stands in for them."""

    METHOD = "keyhole-assumed-role"
    CANONICAL_NAME = None

    def __init__(self, assume: Any) -> None:
        super().__init__()
        self._assume = assume

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._assume, method=self.METHOD)
