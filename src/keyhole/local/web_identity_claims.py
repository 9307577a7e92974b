"""What of a token becomes condition keys: `PROVIDER:claim`, as AWS lists them for each provider.

AWS: IAM User Guide, "IAM and AWS STS condition context keys", Available keys for AWS OIDC federation; Service
Authorization Reference, "Actions, resources, and condition keys for AWS Security Token Service".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Values = dict[str, str | tuple[str, ...]]

# Of these the session's requests know too; of all the others the trust policy alone.
_SESSION_KEYS = ("amr", "aud", "sub")
_GITHUB = (
    *("actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository", "repository_id"),
    *("repository_owner_id", "workflow"),
)
_GITLAB = (
    *("namespace_id", "pipeline_source", "project_id", "ref_protected", "runner_environment", "user_access_level"),
    *("user_email", "user_id", "user_login"),
)
_BUILDKITE = (
    *("build_branch", "cluster_id", "cluster_name", "organization_id", "organization_slug", "pipeline_id"),
    "pipeline_slug",
)
_BY_PROVIDER: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"token\.actions\.githubusercontent\.com(/.+)?"), _GITHUB),
    (re.compile(r"token\.actions\.[a-z0-9-]+\.ghe\.com"), _GITHUB),
    (re.compile(r"github\.com/enterprises/[^/]+"), _GITHUB),
    (re.compile(r"gitlab\.com"), _GITLAB),
    (re.compile(r"agent\.buildkite\.com|agent\.[a-z0-9-]+\.buildkite\.(dev|site)"), _BUILDKITE),
    (re.compile(r"accounts\.google\.com"), ("google/organization_number",)),
    (re.compile(r"oidc\.circleci\.com/org/[^/]+"), ("oidc.circleci.com/project-id",)),
    (re.compile(r"idcs-[a-z0-9]+\.identity\.oraclecloud\.com"), ("rpst_id",)),
)


def trust_keys(provider: str, claims: Mapping[str, Any], audience: tuple[str, ...]) -> Values:
    """Give the condition keys that a role's trust policy sees; `provider` is the URL without its scheme.

    `audience` is what stands for the audience: the authorized party where the token names one.
    """
    values = session_keys(provider, claims, audience)
    names = next((names for pattern, names in _BY_PROVIDER if pattern.fullmatch(provider)), ())
    for name, claim in (("oaud", "aud"), ("email", "email"), *((name, name) for name in names)):
        value = _as_value(claims.get(claim))
        if value is not None:
            values[f"{provider}:{name}"] = value
    return values


def session_keys(provider: str, claims: Mapping[str, Any], audience: tuple[str, ...]) -> Values:
    """Give the condition keys that come along with every request of the session."""
    found: dict[str, Any] = {**claims, "aud": list(audience)}
    values: Values = {}
    for name in _SESSION_KEYS:
        value = _as_value(found.get(name))
        if value is not None:
            # AWS: the same page: `amr` may hold several values, so it takes a set operator.
            is_set = name == "amr" and isinstance(value, str)
            values[f"{provider}:{name}"] = (str(value),) if is_set else value
    return values


def _as_value(claim: Any) -> str | tuple[str, ...] | None:
    if isinstance(claim, list):
        items = [item for item in map(_as_text, claim) if item is not None]
        return items[0] if len(items) == 1 else tuple(items)
    return _as_text(claim)


def _as_text(claim: Any) -> str | None:
    if isinstance(claim, bool):
        return "true" if claim else "false"
    return str(claim) if isinstance(claim, str | int | float) else None
