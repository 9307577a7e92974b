"""Uploads and callers that do not go together are told before anything is called, with line and fix."""

from pathlib import Path

import pytest

from keyhole.errors import SpecError
from keyhole.spec import Spec, load_spec

HEAD = """[app]
name = "shop"
region = "eu-west-1"

[buckets.b]
public_read = ["img/"]

[workloads.api]
kind = "role"
grants = [{ bucket = "b", verbs = ["read", "write", "delete", "list"] }]
"""
UPLOAD = '[uploads.u]\nworkload = "api"\nbucket = "b"\nprefix = "img/"\n'


def load(folder: Path, text: str, head: str = HEAD) -> Spec:
    file = folder / "keyhole.toml"
    file.write_text(head + text, "utf-8")
    return load_spec(file)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('callers = ["x"]\n', "names `x`, which are no callers here", "no `[callers.…]` yet"),
        ("per_caller = true\n", "callers are kept apart, and the file has none", 'kind = "token"'),
        ("caller_role = true\n", "`caller_role` needs callers kept apart", "per_caller = true"),
        ("max_objects = 5\n", "`max_objects` needs callers kept apart", "per_caller = true"),
        ("thumbnails = [64, 64]\n", "names a size twice", "name each once"),
        ("thumbnails = [1]\n", "thumbnails.0` is `1`", "must be 16 or more"),
        (f"thumbnails = {[16 * n for n in range(1, 11)]}\n", "`uploads.u.thumbnails` is", "at most 8 entries"),
        ('origins = ["https://a.example"]\n', "`origins` is for signed uploads", "signed_uploads = true"),
        ('content_disposition = "download"\n', "is not known here", "'inline' or 'attachment'"),
        ("max_pixels = 0\n", "`uploads.u.max_pixels` is `0`", "must be above 0"),
        (
            'signed_uploads = true\n[uploads.v]\nworkload = "api"\nbucket = "b"\nprefix = "img/more/"\n',
            "uploads `u` and `v` overlap in bucket `b`",
            "none within the other",
        ),
        (
            '[uploads.v]\nworkload = "api"\nbucket = "b"\nprefix = "incoming/x/"\n',
            "`incoming/` is where unchecked uploads wait",
            "another prefix",
        ),
        ('[callers.c]\nkind = "password"\n', "`password` is no kind of caller", "`token` or `oidc`"),
        (
            '[callers.c]\nkind = "oidc"\nissuer = "http://login.example.com"\naudience = "x"\n',
            "is not an https address",
            "https://login.example.com",
        ),
    ],
)
def test_mistakes_of_uploads_are_told(tmp_path: Path, text: str, message: str, hint: str) -> None:
    """Each with its line, and what to write instead."""
    with pytest.raises(SpecError) as raised:
        load(tmp_path, UPLOAD + text)
    found = [mistake for mistake in raised.value.mistakes if message in mistake.message]
    assert found, [mistake.message for mistake in raised.value.mistakes]
    assert hint in found[0].hint
    assert int(found[0].where.rpartition(":")[2]) > HEAD.count("\n")


@pytest.mark.parametrize("open_prefix", ["", "incoming/", "incoming/u/deep/"])
def test_what_is_unchecked_is_never_public(tmp_path: Path, open_prefix: str) -> None:
    """A bucket that is open where uploads wait is refused, whichever of the two prefixes is longer."""
    head = HEAD.replace('"img/"', f'"{open_prefix}"')
    with pytest.raises(SpecError) as raised:
        load(tmp_path, UPLOAD + "signed_uploads = true\n", head)
    assert any("everyone could read unchecked uploads" in mistake.message for mistake in raised.value.mistakes)
    assert load(tmp_path, UPLOAD, head).app.uploads["u"].signed_uploads is False


def test_a_store_elsewhere_needs_plain_names(tmp_path: Path) -> None:
    """With an `endpoint` there is no account to make names from."""
    head = HEAD.replace('region = "eu-west-1"', 'region = "eu-west-1"\nendpoint = "https://minio.example.com"')
    with pytest.raises(SpecError) as raised:
        load(tmp_path, UPLOAD, head)
    assert "needs its plain name" in raised.value.mistakes[0].message
    named = head.replace("[buckets.b]", '[buckets.b]\nname = "pictures"')
    assert load(tmp_path, UPLOAD, named).app.app.endpoint == "https://minio.example.com"
