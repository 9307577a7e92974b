"""The narrowest folders: exact for known cases, and never wrong for any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhole.learn.folders import cover_folders
from keyhole.spec.model import Grant


@pytest.mark.parametrize(
    ("folders", "granted", "expected"),
    [
        (["uploads/"], [], ["uploads/"]),
        (["uploads/raw/", "uploads/raw/png/"], [], ["uploads/raw/"]),
        # Folders that differ are kept apart, at whatever depth.
        (["uploads/", "masks/"], [], ["masks/", "uploads/"]),
        (["app/uploads/", "app/masks/a/"], [], ["app/masks/a/", "app/uploads/"]),
        # Names that are data stand for their siblings.
        (["uploads/2024/"], [], ["uploads/"]),
        (["uploads/2024-05-31/x/"], [], ["uploads/"]),
        (["users/8f14e45f-ceea-467d/"], [], ["users/"]),
        (["users/ada@example.com/"], [], ["users/"]),
        (["logs/year=2026/"], [], ["logs/"]),
        (["v2/a/"], [], ["v2/a/"]),
        (["facade/"], [], ["facade/"]),
        # So do many.
        ([f"{name}/" for name in "abcde"], [], [f"{name}/" for name in "abcde"]),
        ([f"{name}/" for name in "abcdef"], [], [""]),
        # An object at the top takes the whole bucket.
        (["", "uploads/"], [], [""]),
        # What is granted today is never widened, and may be narrowed.
        (["users/42/"], ["users/42/"], ["users/42/"]),
        (["raw/a/", "thumbs/b/"], ["raw/", "thumbs/"], ["raw/a/", "thumbs/b/"]),
        (["uploads/a/"], ["", "uploads/"], ["uploads/a/"]),
        (["uploads/7/", "masks/7/"], ["uploads/"], ["masks/", "uploads/"]),
        # What the spec takes for no prefix ends the way down.
        (["a/b*c/d/"], [], ["a/"]),
        (["a//b/"], [], ["a/"]),
        (["/a/"], [], [""]),
        (["a/../b/"], [], ["a/"]),
        (["a/${x}/"], [], ["a/"]),
        ([], ["uploads/"], []),
    ],
)
def test_the_narrowest_folders(folders: list[str], granted: list[str], expected: list[str]) -> None:
    """Each case names the folders that were touched, what is granted today, and what is needed."""
    assert cover_folders(folders, granted) == tuple(expected)


PARTS = st.lists(st.sampled_from(["a", "b", "uploads", "2024", "x*", "", ".."]), max_size=4)
FOLDERS = st.sets(PARTS.map(lambda parts: "".join(f"{part}/" for part in parts)), max_size=12)


@given(FOLDERS, st.sets(st.sampled_from(["", "a/", "uploads/", "uploads/2024/", "b/a/"]), max_size=3))
def test_everything_is_covered_by_prefixes_that_the_spec_takes(folders: set[str], granted: set[str]) -> None:
    """Every folder begins with a prefix, no prefix is below another, and what was granted alone is not left."""
    found = cover_folders(folders, granted)
    assert all(any(folder.startswith(prefix) for prefix in found) for folder in folders)
    assert not any(one != other and one.startswith(other) for one in found for other in found)
    assert [Grant(bucket="b", prefix=prefix, verbs=["read"]).prefix for prefix in found] == list(found)
    if folders and all(any(folder.startswith(prefix) for prefix in granted) for folder in folders):
        assert all(any(prefix.startswith(one) for one in granted) for prefix in found)
