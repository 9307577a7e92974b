"""Settings come from the spec, and URLs are those at which S3 answers."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from service_fakes import make_settings_for_test

from keyhole.errors import KeyholeError
from keyhole.service.settings import make_settings
from keyhole.spec.model import App

_ACCOUNT = "123456789012"


def _app(public_read: list[str], prefix: str) -> App:
    return App.model_validate(
        {
            "app": {"name": "shop", "region": "us-east-1"},
            "buckets": {"media": {"public_read": public_read}},
            "workloads": {"api": {"kind": "ec2"}},
            "uploads": {"images": {"workload": "api", "bucket": "media", "prefix": prefix}},
        }
    )


@pytest.mark.parametrize(
    ("public_read", "prefix", "is_public"),
    [
        ([], "u/i/", False),
        (["u/i/"], "u/i/", True),
        (["u/"], "u/i/", True),
        ([""], "u/i/", True),
        (["u/i/thumbnails/"], "u/i/", False),
        (["other/"], "u/i/", False),
        (["u/i/"], "", False),
    ],
)
def test_a_prefix_is_public_if_all_of_it_is(public_read: list[str], prefix: str, is_public: bool) -> None:
    """Only a public prefix that covers the upload's own makes its images public."""
    assert make_settings(_app(public_read, prefix), "images", _ACCOUNT).is_public is is_public


def test_settings_take_everything_from_the_spec() -> None:
    """Names, limits and lives are the file's."""
    settings = make_settings(_app([], "u/"), "images", _ACCOUNT, endpoint_url="http://127.0.0.1:4566")
    assert settings.bucket == "shop-media-123456789012"
    assert (settings.region, settings.prefix, settings.max_bytes) == ("us-east-1", "u/", 10 * 1024 * 1024)
    assert (settings.ttl_s, settings.max_ttl_s, settings.endpoint_url) == (600, 3600, "http://127.0.0.1:4566")


def test_an_unknown_upload_is_an_error_that_names_those_there_are() -> None:
    """The hint has the names to choose from."""
    with pytest.raises(KeyholeError) as raised:
        make_settings(_app([], "u/"), "pictures", _ACCOUNT)
    assert "`pictures`" in raised.value.message
    assert "`images`" in raised.value.hint


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({}, "http://127.0.0.1:4566/pictures/a%20b.png"),
        ({"endpoint_url": "https://minio.example/"}, "https://minio.example/pictures/a%20b.png"),
        ({"endpoint_url": ""}, "https://pictures.s3.ap-northeast-2.amazonaws.com/a%20b.png"),
        ({"endpoint_url": "", "bucket": "a.b"}, "https://s3.ap-northeast-2.amazonaws.com/a.b/a%20b.png"),
        (
            {"endpoint_url": "", "region": "cn-north-1"},
            "https://pictures.s3.cn-north-1.amazonaws.com.cn/a%20b.png",
        ),
    ],
)
def test_public_urls(changes: dict[str, str], url: str) -> None:
    """By path at an endpoint, by the bucket's host on AWS, by path again where the certificate would not match."""
    assert dataclasses.replace(make_settings_for_test(), **changes).public_url("a b.png") == url  # type: ignore[arg-type]


def test_signed_urls_never_outlive_the_maximum() -> None:
    """A life above the maximum is cut to it, however it came about."""
    settings = dataclasses.replace(make_settings_for_test(), ttl_s=9000, max_ttl_s=3600)
    assert settings.signed_ttl_s == 3600


def test_the_page_is_part_of_the_package() -> None:
    """Every file that the page names lies beside the code, so every wheel has it."""
    page = Path(make_settings.__code__.co_filename).parent / "page"
    html = (page / "index.html").read_text()
    named = re.findall(r'(?:src|href)="/page/([^"]+)"', html)
    assert len(named) >= 3
    assert [name for name in named if not (page / name).is_file()] == []
