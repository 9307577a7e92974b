"""What the models say of members, and how values of JSON and CBOR become members."""

from __future__ import annotations

from typing import Any

import pytest

from keyhole.local.call import ApiCall, Fault, Headers, HttpRequest
from keyhole.local.constraints import check_constraints, find_violations
from keyhole.local.protocols import cbor
from keyhole.local.protocols.members import read_members, write_cbor_members
from keyhole.local.service_models import PROTOCOLS, find_operation


class Nothing:
    def read(self) -> bytes:
        return b""


def shape_of(service: str, operation: str, *, output: bool = False) -> Any:
    found = find_operation(service, operation)
    assert found is not None
    return found.output_shape if output else found.input_shape


def violations(service: str, operation: str, **params: Any) -> list[str]:
    return [str(violation) for violation in find_violations(params, shape_of(service, operation))]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"RoleName": "web"}, []),
        ({}, ["Value null at 'roleName' failed to satisfy constraint: Member must not be null"]),
        (
            {"RoleName": "a b"},
            [
                r"Value 'a b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression "
                r"pattern: [\w+=,.@-]+"
            ],
        ),
        (
            {"RoleName": "w" * 65},
            [
                f"Value '{'w' * 65}' at 'roleName' failed to satisfy constraint: Member must have length less than or "
                "equal to 64"
            ],
        ),
        ({"RoleName": "wéb"}, [r"Value 'wéb' at 'roleName' failed to satisfy constraint: Member must satisfy regular "
                               r"expression pattern: [\w+=,.@-]+"]),
    ],
)  # fmt: skip
def test_violations_are_worded_as_aws_words_them(params: dict[str, str], expected: list[str]) -> None:
    """Missing, too long, of another pattern (whose letters are ASCII's): the path, the value and the constraint."""
    assert violations("iam", "GetRole", **params) == expected


def test_violations_inside_lists_and_ranges_are_found() -> None:
    """Each element has its place; numbers have ranges."""
    found = violations("iam", "TagRole", RoleName="web", Tags=[{"Key": "a", "Value": "b"}, {"Key": "", "Value": "b"}])
    assert len(found) == 2
    assert found[0].startswith("Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length")
    assert "less than or equal to 1000" in violations("iam", "ListRoles", MaxItems=1001)[0]


@pytest.mark.parametrize(
    ("service", "operation", "protocol", "code"),
    [
        ("iam", "GetRole", "query", "ValidationError"),
        ("dynamodb", "DescribeTable", "json", "ValidationException"),
        ("cloudwatch", "PutMetricData", "cbor", "ValidationException"),
        ("cloudwatch", "PutMetricData", "query", "ValidationError"),
        ("sns", "Publish", "query", "InvalidParameter"),
        ("ecs", "DeleteCluster", "json", "InvalidParameterException"),
        ("ec2", "TerminateInstances", "ec2", "MissingParameter"),
    ],
)
def test_each_service_has_its_code_for_what_is_missing(service: str, operation: str, protocol: str, code: str) -> None:
    """A call without its required members is refused with the code of its service and protocol."""
    request = HttpRequest("POST", "/", "", Headers(), Nothing())
    call = ApiCall(service, operation, {}, "us-east-1", protocol, request)
    assert PROTOCOLS[service]
    with pytest.raises(Fault) as caught:
        check_constraints(call, shape_of(service, operation))
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_members_that_are_null_or_unknown_are_not_there() -> None:
    """Blobs are bytes, lists and maps lose what is null in them, and nothing else comes along."""
    shape = shape_of("dynamodb", "PutItem")
    found = read_members(
        {"TableName": "t", "Item": {"a": {"B": "AAE="}, "b": None}, "ReturnValues": None, "X": 1}, shape
    )
    assert found == {"TableName": "t", "Item": {"a": {"B": b"\x00\x01"}}}


@pytest.mark.parametrize(
    "members",
    [
        {"TableName": 1},
        {"TableName": ["t"]},
        {"Item": []},
        {"Item": {"a": {"B": "no base64"}}},
        {"Item": {"a": "x"}},
        {"Item": {"a": {"L": {}}}},
        {"Item": {"a": {"BOOL": "true"}}},
    ],
)
def test_members_of_other_types_are_refused(members: dict[str, Any]) -> None:
    """A value that is not of its shape's type is a SerializationException, as is one that is nested without end."""
    with pytest.raises(Fault) as caught:
        read_members(members, shape_of("dynamodb", "PutItem"))
    assert caught.value.code == "SerializationException"


def test_nesting_has_an_end() -> None:
    """What is nested deeper than any call needs is refused before the interpreter minds."""
    value: dict[str, Any] = {"S": "x"}
    for _ in range(500):
        value = {"L": [value]}
    with pytest.raises(Fault, match="nested too deeply"):
        read_members({"Item": {"a": value}}, shape_of("dynamodb", "PutItem"))


def test_answers_in_cbor_have_moments_and_fractions() -> None:
    """JSON's numbers are what the output's shape says: a moment has CBOR's tag for it, a fraction is one."""
    shape = shape_of("cloudwatch", "GetMetricStatistics", output=True)
    found = write_cbor_members({"Label": "m", "Datapoints": [{"Timestamp": 1_700_000_000, "Sum": 2}]}, shape)
    assert found == {"Label": "m", "Datapoints": [{"Timestamp": cbor.Epoch(1_700_000_000), "Sum": 2.0}]}
    written = cbor.encode(found)
    assert b"\xc1\xfb" in written
    assert cbor.decode(written)["Datapoints"][0] == {"Timestamp": 1_700_000_000.0, "Sum": 2.0}
    written_text = write_cbor_members({"Datapoints": [{"Timestamp": "2023-11-14T22:13:20Z"}]}, shape)
    assert written_text["Datapoints"][0]["Timestamp"] == 1_700_000_000
