"""What IAM says to a policy document that it does not take: the engine finds the defect, this has AWS's words for it.

AWS documents the error code only. The sentences and the order in which IAM looks are those that it is seen to answer
with. AWS: IAM API Reference, error MalformedPolicyDocument; IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from keyhole.errors import PolicyError
from keyhole.iam import parse_policy
from keyhole.iam.model import Policy, PolicyKind
from keyhole.iam.operators.registry import find_operator
from keyhole.local.iam_resource_rules import find_resource_defect

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
_INVALID_JSON = "This policy contains invalid Json"
_NO_ACTIONS = "Policy statement must contain actions."
_NO_RESOURCES = "Policy statement must contain resources."
_SID_CHARACTERS = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
)
_SID_TWICE = "Statement IDs (SID) in a single policy must be unique."
_VERSION = "Policy document must be version 2012-10-17 or greater."
_TRUST_ACTIONS = "AssumeRole policy may only specify STS AssumeRole actions."
_TRUST_ELEMENTS = ("Sid", "Effect", "Principal", "Action", "NotAction", "Condition")
_TRUST_PROHIBITED = ("Resource", "NotResource", "NotPrincipal")
_VENDOR = re.compile(r"[A-Za-z0-9.*?-]+")
_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal)")
_FEDERATED = re.compile(
    r"arn:aws[a-z-]*:iam::[0-9]{12}:(?:oidc|saml)-provider/.+|cognito-identity\.amazonaws\.com|www\.amazon\.com"
    r"|accounts\.google\.com|graph\.facebook\.com"
)


def find_defect(text: str, kind: PolicyKind, *, is_managed: bool = False) -> str:
    """Give IAM's sentence on a document, "" where it takes it; one that `is_managed` must be of the new version."""
    try:
        policy = parse_policy(text, kind)
    except PolicyError as error:
        return _explain_trust(text, error) if kind is PolicyKind.TRUST else _explain(text, error)
    if kind is PolicyKind.TRUST:
        return _find_principal_defect(policy) or _find_operator_defect(policy)
    if is_managed and policy.version != "2012-10-17":
        return _VERSION
    return _find_operator_defect(policy) or _find_defect_of_parsed(policy)


def _find_defect_of_parsed(policy: Policy) -> str:
    for statement in policy.statements:
        for resource in statement.resources.patterns if statement.resources else ():
            if defect := find_resource_defect(resource):
                return defect
    for statement in policy.statements:
        for action in statement.actions.patterns:
            if defect := _find_action_defect(action):
                return defect
    return ""


def _find_action_defect(action: str) -> str:
    vendor, colon, rest = action.partition(":")
    if action == "*":
        return ""
    if not colon:
        return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    if ":" in rest:
        return "Actions/Condition can contain only one colon."
    return "" if _VENDOR.fullmatch(vendor) else f"Vendor {vendor} is not valid"


def _find_operator_defect(policy: Policy) -> str:
    """IAM knows every operator; what looks like a date must be one."""
    for statement in policy.statements:
        for condition in statement.conditions:
            operator = find_operator(condition.operator)
            if operator is None:
                return SYNTAX
            if condition.operator.startswith("Date") and not all(map(_is_date, condition.values)):
                return LEGACY
    return ""


def _is_date(value: str) -> bool:
    is_iso = re.fullmatch(
        r"-?\d{1,9}(-\d{1,2}(-\d{1,2})?)?(T\d{1,2}(:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?",
        value,
        re.IGNORECASE | re.ASCII,
    )
    return bool(is_iso) or "${" in value


def _find_principal_defect(policy: Policy) -> str:
    for statement in policy.statements:
        for pattern in statement.principals.patterns if statement.principals else ():
            is_service = pattern.kind == "Service" and not _SERVICE.fullmatch(pattern.value)
            is_federated = pattern.kind == "Federated" and not _FEDERATED.fullmatch(pattern.value)
            if is_service or is_federated or pattern.kind == "CanonicalUser":
                return invalid_principal(pattern.kind.upper(), pattern.value)
    return ""


def invalid_principal(kind: str, value: str) -> str:
    """Give what IAM says of a principal that it cannot find."""
    return f'Invalid principal in policy: "{kind}":"{value}"'


def _explain(text: str, error: PolicyError) -> str:
    """Give IAM's sentence on an identity-based policy that is none."""
    for item in _statements(text):
        if "Principal" in item or "NotPrincipal" in item:
            return "Policy document should not specify a principal."
    place = error.where.rpartition(".")[2].partition("[")[0]
    if place == "Sid":
        return _explain_sid(error)
    statement = _statement_at(text, error)
    if statement is None:
        return SYNTAX
    if str(statement.get("Effect")).capitalize() in ("Allow", "Deny") and place == "Effect":
        return LEGACY
    if place not in ("Statement", "", "Resource", "NotResource", "Action", "NotAction"):
        return SYNTAX
    if _is_missing(statement, "Action"):
        return _NO_ACTIONS
    if _is_missing(statement, "Resource"):
        return _NO_RESOURCES
    resources = [item for key in ("Resource", "NotResource") if key in statement for item in _several(statement[key])]
    return next((defect for item in resources if (defect := find_resource_defect(str(item)))), SYNTAX)


def _explain_trust(text: str, error: PolicyError) -> str:
    """Give IAM's sentence on a trust policy that is none."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return _INVALID_JSON
    if error.where.endswith(".Sid"):
        return _explain_sid(error)
    for statement in _statements(text):
        for element in statement:
            if element in _TRUST_PROHIBITED:
                return f"Has prohibited field {element}"
            if element not in _TRUST_ELEMENTS:
                return f"Unknown field {element}"
        for element in ("Effect", "Principal", "Action"):
            if element not in statement and not (element == "Action" and "NotAction" in statement):
                return f"Missing required field {element}"
        if statement["Effect"] not in ("Allow", "Deny"):
            return f"Invalid effect: {statement['Effect']}"
    if ".Action" in error.where and "STS" in error.message:
        return _TRUST_ACTIONS
    if ".Principal" in error.where and (found := _principal_at(text, error)):
        return invalid_principal(*found)
    return SYNTAX


def _explain_sid(error: PolicyError) -> str:
    return _SID_TWICE if "twice" in error.message else _SID_CHARACTERS if "characters" in error.message else SYNTAX


def _statements(text: str) -> Iterator[dict[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(document, dict):
        yield from (item for item in _several(document.get("Statement")) if isinstance(item, dict))


def _statement_at(text: str, error: PolicyError) -> dict[str, Any] | None:
    """Give the statement that the engine stopped at."""
    match = re.match(r"Statement(?:\[(\d+)\])?", error.where)
    found = list(_statements(text))
    index = int(match[1] or 0) if match else -1
    return found[index] if 0 <= index < len(found) else None


def _is_missing(statement: dict[str, Any], name: str) -> bool:
    found = statement.get(name, statement.get(f"Not{name}"))
    return found is None or found == []


def _principal_at(text: str, error: PolicyError) -> tuple[str, str] | None:
    match = re.search(r"\.Principal(?:\.(?P<kind>\w+)(?:\[(?P<index>\d+)\])?)?$", error.where)
    statement = _statement_at(text, error)
    if match is None or statement is None:
        return None
    principal = statement.get("Principal")
    if match["kind"] is None:
        return ("AWS", principal) if isinstance(principal, str) else None
    values = _several(principal.get(match["kind"])) if isinstance(principal, dict) else []
    index = int(match["index"] or 0)
    kind = match["kind"] if match["kind"] == "AWS" else match["kind"].upper()
    return (kind, str(values[index])) if index < len(values) else None


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
