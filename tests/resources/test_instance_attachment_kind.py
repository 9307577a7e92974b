"""Which instances carry the scope's profile: EC2 is asked only where there is such a profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from keyhole.naming import Scope
from keyhole.resources import instance_attachment

SCOPE = Scope("shop", "dev", "123456789012", "eu-west-1")
OWN = f"arn:aws:iam::123456789012:instance-profile{SCOPE.iam_path}web"


class Listings:
    """An AWS of two listings that notes which were asked for."""

    region = "eu-west-1"
    endpoint_url = ""

    def __init__(self, profiles: list[str], associations: list[tuple[str, str, str]]) -> None:
        self._found: dict[str, list[dict[str, Any]]] = {
            "ListInstanceProfiles": [{"InstanceProfileName": name} for name in profiles],
            "DescribeIamInstanceProfileAssociations": [
                {"InstanceId": instance, "State": state, "IamInstanceProfile": {"Arn": arn}}
                for instance, state, arn in associations
            ],
        }
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Nothing but listings is asked for."""
        raise AssertionError((service, operation, params))

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Give what the listing has."""
        assert (service, result_key[-1]) in {("iam", "s"), ("ec2", "s")}
        self.asked.append((operation, params))
        yield from self._found[operation]


def test_without_a_profile_ec2_is_not_asked() -> None:
    """An app with no profile under its path has none attached: its operator needs no permission of EC2's."""
    aws = Listings([], [("i-1", "associated", OWN)])
    assert list(instance_attachment.find(aws, SCOPE)) == []
    assert aws.asked == [("ListInstanceProfiles", {"PathPrefix": SCOPE.iam_path})]


@pytest.mark.parametrize(
    ("state", "arn", "found"),
    [
        ("associated", OWN, ["i-1"]),
        ("associating", OWN, ["i-1"]),
        ("disassociating", OWN, []),
        ("associated", "arn:aws:iam::123456789012:instance-profile/web", []),
        ("associated", OWN.replace("123456789012", "210987654321"), []),
    ],
)
def test_live_associations_of_own_profiles_are_found(state: str, arn: str, found: list[str]) -> None:
    """One on its way out, of another path or of another account is none."""
    assert list(instance_attachment.find(Listings(["web"], [("i-1", state, arn)]), SCOPE)) == found
