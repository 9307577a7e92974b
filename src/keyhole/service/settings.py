"""What the upload service needs to know, all of it taken from the spec."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from keyhole.errors import KeyholeError
from keyhole.service.keys import quote_key
from keyhole.spec.model import App


@dataclass(frozen=True, slots=True)
class Settings:
    """One `[uploads.…]` of one app: where images go, which are taken, and how they are handed out.

    `endpoint_url` is "" for AWS itself. `is_public` holds iff everyone may read what is under the prefix.
    """

    app: str
    bucket: str
    region: str
    prefix: str
    content_types: tuple[str, ...]
    max_bytes: int
    ttl_s: int
    max_ttl_s: int
    endpoint_url: str = ""
    is_public: bool = False

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


def make_settings(app: App, upload_name: str, account: str, *, endpoint_url: str = "") -> Settings:
    """Give the settings of `[uploads.<upload_name>]`; `account` has 12 digits.

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
        bucket=app.bucket_name(upload.bucket, account),
        region=app.region,
        prefix=upload.prefix,
        content_types=tuple(upload.content_types),
        max_bytes=upload.max_bytes,
        ttl_s=upload.ttl_s,
        max_ttl_s=upload.max_ttl_s,
        endpoint_url=endpoint_url,
        is_public=any(upload.prefix.startswith(public) for public in bucket.public_read),
    )
