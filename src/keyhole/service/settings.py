"""What the upload service needs to know, all of it taken from the spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from keyhole.errors import KeyholeError
from keyhole.service.callers.caller import Caller
from keyhole.service.keys import quote_key
from keyhole.spec.model import App
from keyhole.spec.upload_rules import QUARANTINE
from keyhole.spec.uploads import OidcCallers, TokenCallers


@dataclass(frozen=True, slots=True)
class Settings:
    """One `[uploads.…]` of one app: where images go, which are taken, and how they are handed out.

    `endpoint_url` is "" for AWS itself. `is_public` holds iff everyone may read what is under the prefix. `callers`:
    the groups of callers that may use it, empty where anyone may. `role_arn`: the role to assume for each caller, ""
    for none.
    """

    app: str
    name: str
    bucket: str
    region: str
    prefix: str
    content_types: tuple[str, ...]
    max_bytes: int
    ttl_s: int
    max_ttl_s: int
    endpoint_url: str = ""
    is_public: bool = False
    max_pixels: int = 50_000_000
    thumbnails: tuple[int, ...] = ()
    strip_metadata: bool = True
    content_disposition: str = "inline"
    signed_uploads: bool = False
    origins: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    per_caller: bool = False
    role_arn: str = ""
    uploads_per_minute: int | None = None
    max_objects: int | None = None
    max_total_bytes: int | None = None

    @property
    def quarantine(self) -> str:
        """The prefix that browsers send to, until what arrived has been checked."""
        return f"{QUARANTINE}{self.name}/"

    def caller_prefix(self, caller: Caller) -> str:
        """Give the prefix of what this caller uploads and sees."""
        return f"{self.prefix}{caller.folder}/" if self.per_caller else self.prefix

    def caller_quarantine(self, caller: Caller) -> str:
        """Give the prefix of what this caller sends and nobody has checked yet."""
        return f"{self.quarantine}{caller.folder}/" if self.per_caller else self.quarantine

    @property
    def signed_ttl_s(self) -> int:
        """The life of a signed URL, which is never longer than the longest that the spec allows."""
        return min(self.ttl_s, self.max_ttl_s)

    @property
    def base_url(self) -> str:
        """The URL that a percent-encoded key is appended to.

        AWS: Amazon S3 User Guide, "Virtual hosting of general purpose buckets": a bucket whose name has a dot does not
        match the certificate, and is addressed by path.
        """
        if self.endpoint_url:
            return f"{self.endpoint_url.rstrip('/')}/{self.bucket}/"
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        if "." in self.bucket:
            return f"https://s3.{self.region}.{domain}/{self.bucket}/"
        return f"https://{self.bucket}.s3.{self.region}.{domain}/"

    @property
    def image_origins(self) -> tuple[str, ...]:
        """The origins that images come from, for the page's Content-Security-Policy."""
        base = urlsplit(self.base_url)
        origin = f"{base.scheme}://{base.netloc}"
        if self.endpoint_url or self.region.startswith("cn-"):
            return (origin,)
        # URLs signed by botocore may name the global endpoint instead of the region's.
        glob = "https://s3.amazonaws.com" if "." in self.bucket else f"https://{self.bucket}.s3.amazonaws.com"
        return (origin, glob)

    def public_url(self, key: str) -> str:
        """Give the URL at which everyone reads the object, if the prefix is public."""
        return self.base_url + quote_key(key)


@dataclass(frozen=True, slots=True)
class Service:
    """One service: all uploads of one workload, by their names, and who may call.

    `uploads` has one at least; the first is meant where a request names none. `account` is "" where there is no AWS.
    """

    app: str
    workload: str
    uploads: Mapping[str, Settings]
    callers: Mapping[str, TokenCallers | OidcCallers]
    account: str = ""

    @property
    def first(self) -> Settings:
        return next(iter(self.uploads.values()))

    @property
    def is_open(self) -> bool:
        """Hold iff whoever reaches the service is let in."""
        return not self.callers


def make_settings(app: App, upload_name: str, account: str, *, endpoint_url: str = "", role_arn: str = "") -> Settings:
    """Give the settings of `[uploads.<upload_name>]`; `account` has 12 digits. `role_arn`: the role for its callers.

    Raises: KeyholeError if there is no such upload.
    """
    upload = app.uploads.get(upload_name)
    if upload is None:
        known = ", ".join(f"`{name}`" for name in app.uploads)
        hint = f"there is {known}" if known else f"add a table `[uploads.{upload_name}]`"
        raise KeyholeError(f"the spec has no upload `{upload_name}`", hint=hint)
    bucket = app.buckets.get(upload.bucket)
    if bucket is None:
        raise KeyholeError(
            f"upload `{upload_name}` names bucket `{upload.bucket}`, which the spec does not have",
            hint=f"add a table `[buckets.{upload.bucket}]`",
        )
    return Settings(
        app=app.name,
        name=upload_name,
        bucket=app.bucket_name(upload.bucket, account),
        region=app.region,
        prefix=upload.prefix,
        content_types=tuple(upload.content_types),
        max_bytes=upload.max_bytes,
        ttl_s=upload.ttl_s,
        max_ttl_s=upload.max_ttl_s,
        endpoint_url=endpoint_url,
        is_public=any(upload.prefix.startswith(public) for public in bucket.public_read),
        max_pixels=upload.max_pixels,
        thumbnails=tuple(upload.thumbnails),
        strip_metadata=upload.strip_metadata,
        content_disposition=upload.content_disposition,
        signed_uploads=upload.signed_uploads,
        origins=tuple(upload.origins),
        callers=tuple(upload.callers) or tuple(app.callers),
        per_caller=upload.per_caller,
        role_arn=role_arn,
        uploads_per_minute=upload.uploads_per_minute,
        max_objects=upload.max_objects,
        max_total_bytes=upload.max_total_bytes,
    )


def make_service(app: App, workload: str, uploads: Iterable[Settings]) -> Service:
    """Give the settings of the service that runs as this workload."""
    return Service(app.name, workload, {settings.name: settings for settings in uploads}, dict(app.callers))
