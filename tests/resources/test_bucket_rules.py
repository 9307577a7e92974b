"""Settings of a bucket that say the same in other words, and such as do not."""

from typing import Any

import pytest

from keyhole.resources.bucket_rules import same_block, same_cors, same_lifecycle

EXPIRE: dict[str, Any] = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}
MOVES = [{"Days": 90, "StorageClass": "STANDARD_IA"}, {"Days": 365, "StorageClass": "GLACIER"}]
MOVE: dict[str, Any] = {"ID": "b", "Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": MOVES}
CORS: dict[str, Any] = {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://a.example"], "MaxAgeSeconds": 60}


@pytest.mark.parametrize(
    "other",
    [
        [EXPIRE, MOVE],
        [MOVE, EXPIRE],
        [{**EXPIRE, "ID": "made by hand"}, MOVE],
        [EXPIRE, {**MOVE, "Filter": {}}],
        [EXPIRE, {"Prefix": "", **{name: value for name, value in MOVE.items() if name != "Filter"}}],
        [EXPIRE, {**MOVE, "Transitions": MOVES[::-1]}],
        [dict(reversed(EXPIRE.items())), MOVE],
    ],
)
def test_the_same_lifecycle(other: Any) -> None:
    """Names and order of rules, and how "all keys" is written, say nothing."""
    assert same_lifecycle([EXPIRE, MOVE], other)
    assert same_lifecycle(other, [EXPIRE, MOVE])


@pytest.mark.parametrize(
    "other",
    [
        None,
        [EXPIRE],
        [EXPIRE, {**MOVE, "Status": "Disabled"}],
        [EXPIRE, {**MOVE, "Filter": {"Prefix": "x/"}}],
        [EXPIRE, {**MOVE, "Filter": {"ObjectSizeGreaterThan": 5}}],
        [EXPIRE, {**MOVE, "Transitions": [{**MOVES[0], "Days": 91}, MOVES[1]]}],
        [{**EXPIRE, "Expiration": {"Days": 4}}, MOVE],
    ],
)
def test_another_lifecycle(other: Any) -> None:
    """What an object meets is another thing."""
    assert not same_lifecycle([EXPIRE, MOVE], other)
    assert not same_lifecycle(other, [EXPIRE, MOVE])


def test_cors_rules() -> None:
    """Within a rule there is no order; among rules the first that fits counts."""
    assert same_cors([CORS], [{**CORS, "AllowedMethods": ["PUT", "GET"], "ID": "x", "AllowedHeaders": []}])
    assert same_cors(None, [])
    other = {**CORS, "AllowedMethods": ["GET"]}
    for changed in (None, [other], [{**CORS, "MaxAgeSeconds": 61}], [{**CORS, "ExposeHeaders": ["ETag"]}]):
        assert not same_cors([CORS], changed)
    assert not same_cors([CORS, other], [other, CORS])


def test_blocks() -> None:
    """A member that is missing is off."""
    assert same_block({"BlockPublicAcls": True, "BlockPublicPolicy": False}, {"BlockPublicAcls": True})
    assert same_block(None, {"BlockPublicAcls": False})
    assert not same_block({"BlockPublicAcls": True}, None)
