"""Learned grants as lines that the spec takes."""

from __future__ import annotations

import tomllib
from pathlib import Path

from keyhole.learn.needs import Needed
from keyhole.learn.spec_lines import spec_lines
from keyhole.spec import load_spec


def test_the_lines_are_what_one_would_write() -> None:
    """Exact text: the bucket by its key, no prefix where it is the whole bucket, verbs in their order."""
    grants = (
        Needed("shop-images-1", "", ("list",), only_missing_keys=True),
        Needed("shop-images-1", 'up"loads/', ("read", "write")),
    )
    assert spec_lines(grants, "web", {"shop-images-1": "images"}) == (
        "[[workloads.web.grants]]\n"
        'bucket = "images"\n'
        "# list: without it AWS answers 403, not 404, for a key that is not there\n"
        'verbs = ["list"]\n'
        "\n"
        "[[workloads.web.grants]]\n"
        'bucket = "images"\n'
        'prefix = "up\\"loads/"\n'
        'verbs = ["read", "write"]\n'
    )


def test_buckets_that_the_file_does_not_have_come_with_their_tables(tmp_path: Path) -> None:
    """The lines are a file, once app and workload are there; new keys do not meet those of the file."""
    grants = (
        Needed("My.bucket".lower(), "a/", ("read",)),
        Needed("my-bucket", "", ("read",)),
        Needed("1", "", ("list",)),
    )
    lines = spec_lines(grants, "web", {"shop-images": "my-bucket"})
    assert list(tomllib.loads(lines)["buckets"]) == ["my-bucket-2", "my-bucket-3", "b-1"]
    text = '[app]\nname = "shop"\nregion = "us-east-1"\n[workloads.web]\nkind = "ecs"\n'
    file = tmp_path / "keyhole.toml"
    file.write_text(text + spec_lines(grants[:2], "web", {}), "utf-8")
    app = load_spec(file).app
    assert [grant.bucket for grant in app.workloads["web"].grants] == ["my-bucket", "my-bucket-2"]
    assert app.bucket_name("my-bucket", "1" * 12) == "my.bucket"
