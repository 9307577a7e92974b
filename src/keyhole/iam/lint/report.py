"""What a warning says, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from keyhole.iam.model import Condition


class WarningCode(StrEnum):
    """The kind of a warning: stable, for machines."""

    ACTION_MALFORMED = "action-malformed"
    ACTION_UNKNOWN = "action-unknown"
    ACTION_WITHOUT_RESOURCE = "action-without-resource"
    ALLOW_EXCEPT_ACTIONS = "allow-except-actions"
    ALLOW_EXCEPT_PRINCIPALS = "allow-except-principals"
    ALLOW_EXCEPT_RESOURCES = "allow-except-resources"
    ALLOW_WHEN_ABSENT = "allow-when-absent"
    KEY_NOT_OF_ACTION = "key-not-of-action"
    KEY_UNKNOWN = "key-unknown"
    OPERATOR_OF_OTHER_TYPE = "operator-of-other-type"
    OPERATOR_UNKNOWN = "operator-unknown"
    PASS_ANY_ROLE = "pass-any-role"
    PRINCIPAL_ANYONE = "principal-anyone"
    RESOURCE_NOT_TAKEN = "resource-not-taken"
    RESOURCE_UNUSED = "resource-unused"
    SERVICE_UNKNOWN = "service-unknown"
    SET_OPERATOR_MISSING = "set-operator-missing"
    SET_OPERATOR_NEEDLESS = "set-operator-needless"
    VALUE_IMPOSSIBLE = "value-impossible"
    VARIABLE_IN_OLD_VERSION = "variable-in-old-version"
    VARIABLE_UNKNOWN = "variable-unknown"
    WILDCARD_UNMATCHED = "wildcard-unmatched"


@dataclass(frozen=True, slots=True)
class PolicyWarning:
    """One thing that AWS accepts and the author should look at.

    `path` is a JSON path such as `Statement[0].Action[1]`, in which a single value counts as a list of one.
    """

    code: WarningCode
    path: str
    message: str
    hint: str = ""


def condition_path(statement_path: str, condition: Condition, index: int | None = None) -> str:
    """The path of a condition's key, or of one of its values."""
    path = f"{statement_path}.Condition.{condition.name}.{condition.key}"
    return path if index is None else f"{path}[{index}]"


def suggest(written: str, known: Iterable[str]) -> str:
    """A hint that names the closest of the known names, or "" where none is close."""
    names = {name.lower(): name for name in known}
    close = difflib.get_close_matches(written.lower(), names, n=1, cutoff=0.75)
    return f"did you mean `{names[close[0]]}`?" if close else ""
