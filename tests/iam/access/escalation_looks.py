"""Looking for paths to more in accounts that are made up, for the tests of them."""

from __future__ import annotations

from typing import Any

from access_accounts import account, deny, policy, role_arn, user_arn

from keyhole.iam.access.escalation import find_escalation
from keyhole.iam.access.escalation_search import Escalation

ME, WEB = user_arn("me"), role_arn("web")
NO_DELETING = deny("s3:DeleteObject")
ODD = {"NewOperator": {"aws:username": "x"}}
"""What nobody can evaluate."""
SOME = {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/Some"}}
"""A policy of which it is not known what it gives."""
RED, BLUE = ({"StringEquals": {"aws:PrincipalTag/color": color}} for color in ("red", "blue"))


def look(*holders: dict[str, Any], **more: Any) -> Escalation:
    found = account(*holders, **more)
    return find_escalation(found, found.find(ME), 60.0)


def actions(found: Escalation) -> list[str]:
    return [request.action for step in found.steps for request in step.requests]


def inline(**policies: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"PolicyName": name, "PolicyDocument": policy(each)} for name, each in policies.items()]
