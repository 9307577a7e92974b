"""An environment from which no AWS client gets credentials, and in which every one calls the local AWS."""

from __future__ import annotations

import os
from collections.abc import Mapping

# AWS: AWS SDKs and Tools Reference Guide, "Environment variables list"; and the older SDKs' own.
_CREDENTIALS = frozenset(
    {
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
        *("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_CREDENTIAL_EXPIRATION", "AWS_CREDENTIAL_FILE", "AWS_ACCOUNT_ID"),
        *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"),
        *("AWS_WEB_IDENTITY_TOKEN_FILE", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        *("AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        *("ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4"),
        *("AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_EC2_METADATA_DISABLED"),
    }
)
# What would lead calls past the local AWS.
_ENDPOINTS = frozenset({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"})
_PREFIXES = ("AWS_ENDPOINT_URL", "AWS_BEARER_TOKEN_")
_NO_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG")
_THIS_MACHINE = ("127.0.0.1", "localhost")


def bare_environment(environment: Mapping[str, str], endpoint_url: str, region: str) -> dict[str, str]:
    """Give the environment without anybody's credentials: what is no AWS client's business stays as it is."""
    kept = {
        name: value
        for name, value in environment.items()
        if name not in _CREDENTIALS | _ENDPOINTS and not name.startswith(_PREFIXES)
    }
    return {
        **kept,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        **dict.fromkeys(_NO_FILES, os.devnull),
        **past_proxies(kept),
    }


def past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the variables by which no proxy is asked for what is on this machine; it would find nothing there."""
    if not any(name.lower() in {"http_proxy", "all_proxy"} for name in environment):
        return {}
    present = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = ",".join(dict.fromkeys([*filter(None, present.split(",")), *_THIS_MACHINE]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}
