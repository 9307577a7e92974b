"""Keys are the server's own, sort newest first, and stay under the prefix."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhole.service.keys import (
    decode_name,
    encode_name,
    guess_type,
    is_name,
    key_mistake,
    make_key,
    make_name,
    quote_key,
    thumbnail_key,
)


@given(st.integers(0, 2**44), st.integers(1, 2**43))
def test_newer_keys_sort_first(moment_ms: int, later_ms: int) -> None:
    """S3 lists in byte order, so the newest image is the first."""
    older = make_key("p/", "image/png", name=make_name(now_ms=moment_ms))
    newer = make_key("p/", "image/png", name=make_name(now_ms=moment_ms + later_ms))
    assert newer < older


def test_keys_are_unlike_each_other_and_say_their_type() -> None:
    """Of the same moment, no two are alike; the ending is the sniffed type's."""
    keys = {make_key("p/", "image/jpeg", name=make_name(now_ms=1)) for _ in range(1000)}
    assert len(keys) == 1000
    assert all(re.fullmatch(r"p/[0-9a-z]{25}\.jpg", key) and guess_type(key) == "image/jpeg" for key in keys)
    assert guess_type("p/readme") is None


@pytest.mark.parametrize(
    "key",
    [
        "",
        "p",
        "p/",
        "q/a.png",
        "p/../q/a.png",
        "p/./a.png",
        "p//a.png",
        "p/..",
        "p/a\n.png",
        "p/\x00",
        "p/" + "ä" * 600,
    ],
)
def test_keys_outside_the_prefix_are_mistakes(key: str) -> None:
    """No key that is not plainly below the prefix is accepted."""
    assert key_mistake(key, "p/") != ""


@pytest.mark.parametrize("key", ["p/a.png", "p/b/c d+é.png", "p/..a.png", "p/ybr2awq06ckme214xhkd3chkk.gif"])
def test_keys_under_the_prefix_are_none(key: str) -> None:
    """Whatever S3 may hold below the prefix can be named."""
    assert key_mistake(key, "p/") == ""


def test_markers_are_no_images() -> None:
    """What has been asked for already is noted under the prefix, and no route reaches it; nor is it confused."""
    assert key_mistake("p/.idempotency/0a", "p/") != ""
    assert key_mistake("p/team/.idempotency/0a", "p/") != ""
    assert key_mistake("p/x.idempotency/0a", "p/") == ""


def test_thumbnails_are_beside_their_image() -> None:
    """In a folder of their size, under the same name, so that lists of images do not show them."""
    assert thumbnail_key("p/a.b.png", 320) == "p/thumbnails/320/a.b.webp"
    assert thumbnail_key("a.png", 16) == "thumbnails/16/a.webp"
    assert thumbnail_key("p/a", 16) == "p/thumbnails/16/a.webp"


def test_a_name_is_one_that_was_made() -> None:
    """Nothing that a client makes up goes into a key: not a slash, not a dot, not another length."""
    assert is_name(make_name())
    for wrong in ("", "a" * 24, "a" * 26, "../" + "a" * 22, "A" * 25, "i" * 25, "a" * 24 + "/", "a" * 24 + "\n"):
        assert not is_name(wrong)


def test_keys_are_percent_encoded_for_urls() -> None:
    """Everything but slashes and unreserved characters is encoded."""
    assert quote_key("p/a b+ä?#.png") == "p/a%20b%2B%C3%A4%3F%23.png"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ('a"b\r\nX-Evil: 1.png', 'a"bX-Evil: 1.png'),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\me.png", "me.png"),
        ("사진 🎨.png", "사진 🎨.png"),
        ("cafe\u0301.png", "café.png"),
        ("exe\u202egpj.png", "exegpj.png"),
        ("\ud800.png", ".png"),
        ("", ""),
    ],
)
def test_a_file_name_survives_as_safe_metadata(name: str, kept: str) -> None:
    """It is ASCII without controls, and decodes to the name that was meant."""
    encoded = encode_name(name)
    assert re.fullmatch(r"[A-Za-z0-9%._~-]*", encoded)
    assert decode_name(encoded) == kept


@given(st.text())
def test_any_file_name_fits_a_header(name: str) -> None:
    """Whatever the name, the metadata stays within S3's 2 KB, and is cut between characters."""
    encoded = encode_name(name * 50)
    assert len(encoded) <= 1024
    assert "\ufffd" in name or "\ufffd" not in decode_name(encoded)
