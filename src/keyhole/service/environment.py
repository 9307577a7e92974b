"""What the environment says of the store and of signed URLs, within what the file allows.

These are the variables by which `keyhole up` hands an access key over (`[workloads.….handover]`): the service takes the
env file as it is. The file is the bound: the environment shortens what the file grants, and never widens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from keyhole.aws.client import Credentials
from keyhole.errors import KeyholeError
from keyhole.service.settings import Settings

_STORE = "APP_OBJECT_STORAGE__"
_SIGNED = "APP_SIGNED_URL__"


@dataclass(frozen=True, slots=True)
class StoreEnvironment:
    """What is said, "" and None for what is not."""

    bucket: str = ""
    region: str = ""
    endpoint: str = ""
    credentials: Credentials | None = None
    default_ttl_s: int | None = None
    max_ttl_s: int | None = None


def read_environment(environ: Mapping[str, str]) -> StoreEnvironment:
    """Read the `APP_…` variables. Raises: KeyholeError for what makes no sense."""
    provider = environ.get(f"{_STORE}PROVIDER", "").lower()
    if provider not in {"", "s3"}:
        raise KeyholeError(
            f"{_STORE}PROVIDER is `{provider[:40]}`", hint="`s3` is what there is, with any endpoint that speaks it"
        )
    key = environ.get(f"{_STORE}ACCESS_KEY", "")
    secret = environ.get(f"{_STORE}SECRET_KEY", "")
    if bool(key) != bool(secret):
        there, missing = ("ACCESS_KEY", "SECRET_KEY") if key else ("SECRET_KEY", "ACCESS_KEY")
        raise KeyholeError(f"{_STORE}{there} is set without {_STORE}{missing}", hint="set both, or neither")
    return StoreEnvironment(
        bucket=environ.get(f"{_STORE}BUCKET_NAME", ""),
        region=environ.get(f"{_STORE}REGION", ""),
        endpoint=environ.get(f"{_STORE}ENDPOINT", ""),
        credentials=Credentials(key, secret) if key else None,
        default_ttl_s=_read_seconds(environ, f"{_SIGNED}DEFAULT_TTL"),
        max_ttl_s=_read_seconds(environ, f"{_SIGNED}MAX_TTL"),
    )


def bound_settings(settings: Settings, environment: StoreEnvironment) -> Settings:
    """Give the settings with the lives of URLs that the environment wants, as far as the file allows them."""
    most = min(settings.max_ttl_s, environment.max_ttl_s or settings.max_ttl_s)
    return replace(settings, max_ttl_s=most, ttl_s=min(environment.default_ttl_s or settings.ttl_s, most))


def check_store(uploads: Iterable[Settings], environment: StoreEnvironment) -> None:
    """Return if the environment means the store that the file means. Raises: KeyholeError."""
    stores = list(uploads)
    buckets = {settings.bucket for settings in stores}
    if environment.bucket and environment.bucket not in buckets:
        known = ", ".join(f"`{bucket}`" for bucket in sorted(buckets))
        raise KeyholeError(
            f"{_STORE}BUCKET_NAME is `{environment.bucket}`, and the file says {known}",
            hint="is it another environment's? choose it by `-e`, or leave the variable out",
        )
    regions = {settings.region for settings in stores}
    if environment.region and environment.region not in regions:
        raise KeyholeError(
            f"{_STORE}REGION is `{environment.region}`, and the file says `{min(regions)}`",
            hint="a bucket is in one region only: correct the variable, or leave it out",
        )


def _read_seconds(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) <= 0:
        raise KeyholeError(f"{name} is `{text[:40]}`", hint="give a number of seconds: `600`")
    return int(text)
