"""Hints propose commands that lead to the same file and the same AWS."""

from __future__ import annotations

from typing import Any

import pytest

from keyhole.cli.next_commands import complete_commands


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, "`keyhole up`", "`keyhole up`"),
        ({"port": 4570}, "`keyhole local start`", "`keyhole local start --port 4570`"),
        ({"port": 4566}, "`keyhole local start`", "`keyhole local start`"),
        ({"local_port": 4570, "local": True, "port": 8000}, "`keyhole local stop`", "`keyhole local stop --port 4570`"),
        ({"local_port": 4570, "local": True}, "first `keyhole up`.", "first `keyhole up --local --local-port 4570`."),
        ({"local_port": 4566, "local": False}, "`keyhole up`", "`keyhole up`"),
        ({"local_port": 4566}, "`keyhole up`", "`keyhole up --local`"),
        ({"env": "dev", "profile": "ana"}, "`keyhole plan`", "`keyhole plan -e dev --profile ana`"),
        ({"file": "a b.toml"}, "`keyhole plan`", "`keyhole plan -f 'a b.toml'`"),
        ({"env": "dev"}, "`keyhole init` or `keyhole up -e dev`", "`keyhole init` or `keyhole up -e dev`"),
        ({"port": 4570}, "`keyhole local stop --port 1`", "`keyhole local stop --port 1`"),
        ({"port": 4570}, "choose another: `--local-port 4571`", "choose another: `--port 4571`"),
        ({"local_port": 4570}, "choose another: `--local-port 4571`", "choose another: `--local-port 4571`"),
    ],
)
def test_commands_get_the_options_of_the_one_that_failed(options: dict[str, Any], text: str, expected: str) -> None:
    """What has its options already, and what takes none, stays as it is."""
    assert complete_commands(text, options) == expected
