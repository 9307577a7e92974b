"""Signed URLs for masks, from the settings that Keyhole handed over: an env file or a TOML file.

    python signed_urls.py uploader.dev.env upload mask/study-1/lung.png
    python signed_urls.py uploader.dev.toml download mask/study-1/lung.png --ttl 60

Whoever has such a URL may upload, or download, this one object until the time is over, without a key of their own. It
needs boto3; signing is arithmetic on the key and calls nothing.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import boto3
from botocore.config import Config

Direction = Literal["upload", "download"]
OPERATIONS = {"upload": "put_object", "download": "get_object"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where masks are stored, with which key, and how long a URL lives: by default and at most."""

    bucket_name: str
    region: str
    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    default_ttl_s: int
    max_ttl_s: int


def load_settings(file: Path) -> Settings:
    """Read what Keyhole wrote; a name that ends in `.toml` is TOML, any other an env file.

    Raises: OSError if there is no such file; ValueError if a setting is not in it.
    """
    text = file.read_text("utf-8")
    values = _flatten(tomllib.loads(text)) if file.suffix == ".toml" else _read_env(text)
    try:
        return Settings(
            bucket_name=values["object_storage.bucket_name"],
            region=values["object_storage.region"],
            endpoint=values["object_storage.endpoint"],
            access_key=values["object_storage.access_key"],
            secret_key=values["object_storage.secret_key"],
            default_ttl_s=int(values["signed_url.default_ttl"]),
            max_ttl_s=int(values["signed_url.max_ttl"]),
        )
    except KeyError as missing:
        raise ValueError(f"{file} has no {missing.args[0]}") from None


def _flatten(tables: dict[str, Any]) -> dict[str, str]:
    found = [(name, table) for name, table in tables.items() if isinstance(table, dict)]
    return {f"{name}.{key}": str(value) for name, table in found for key, value in table.items()}


def _read_env(text: str) -> dict[str, str]:
    """Give `APP_SIGNED_URL__MAX_TTL=3600` as `signed_url.max_ttl`."""
    lines = (line.removeprefix("APP_").partition("=") for line in text.splitlines() if line.startswith("APP_"))
    return {name.lower().replace("__", "."): value for name, _, value in lines}


class UrlSigner:
    """Signs URLs of one bucket."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # The bucket's own region in the host name: S3 redirects others, and a redirect breaks the signature.
        self._s3 = boto3.client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint or None,
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=settings.secret_key,
            config=Config(
                signature_version="s3v4", s3={"addressing_style": "path" if settings.endpoint else "virtual"}
            ),
        )

    def sign(self, direction: Direction, key: str, ttl_s: int | None = None) -> str:
        """Give a URL that uploads by PUT, or downloads by GET, the object `key` within `ttl_s` seconds.

        Raises: ValueError if it were to live longer than the settings let it, or not at all.
        """
        ttl_s = self._settings.default_ttl_s if ttl_s is None else ttl_s
        if not 0 < ttl_s <= self._settings.max_ttl_s:
            raise ValueError(f"a URL lives for 1 to {self._settings.max_ttl_s} seconds, not {ttl_s}")
        target = {"Bucket": self._settings.bucket_name, "Key": key}
        url: str = self._s3.generate_presigned_url(OPERATIONS[direction], Params=target, ExpiresIn=ttl_s)
        return url


def main() -> None:
    """Print one signed URL."""
    parser = argparse.ArgumentParser(description="Print a signed URL for one mask.")
    parser.add_argument("settings", type=Path, help="the env file or TOML file that Keyhole wrote")
    parser.add_argument("direction", choices=("upload", "download"))
    parser.add_argument("key", help="the mask, like mask/study-1/lung.png")
    parser.add_argument("--ttl", type=int, metavar="SECONDS", help="how long the URL lives")
    words = parser.parse_args()
    try:
        print(UrlSigner(load_settings(words.settings)).sign(words.direction, words.key, words.ttl))
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
