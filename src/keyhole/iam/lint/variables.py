"""Policy variables that are not filled in.

AWS: IAM User Guide, "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from keyhole.iam.catalogue import find_condition_key
from keyhole.iam.catalogue.condition_keys import GLOBAL_KEYS
from keyhole.iam.lint.report import PolicyWarning, WarningCode, condition_path, suggest
from keyhole.iam.model import Statement
from keyhole.iam.operators.registry import find_operator
from keyhole.iam.variables import VARIABLES_VERSION

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = frozenset("*?$")


def check_variables(statement: Statement, path: str, version: str) -> Iterator[PolicyWarning]:
    """A warning for each text with variables in a version that has none, and each variable that never has a value."""
    for place, text in _list_texts(statement, path):
        names = [found.strip() for found in _VARIABLE.findall(text)]
        if names and version != VARIABLES_VERSION:
            message = f"version {version} has no policy variables: `{text}` is taken literally"
            hint = f'write `"Version": "{VARIABLES_VERSION}"`'
            yield PolicyWarning(WarningCode.VARIABLE_IN_OLD_VERSION, place, message, hint)
            continue
        for name in names:
            yield from _check_variable(name.partition(",")[0].strip(), place)


def _list_texts(statement: Statement, path: str) -> Iterator[tuple[str, str]]:
    """The texts in which AWS fills in variables, with their places."""
    if statement.resources is not None:
        element = "NotResource" if statement.resources.negated else "Resource"
        for index, text in enumerate(statement.resources.patterns):
            yield f"{path}.{element}[{index}]", text
    for condition in statement.conditions:
        operator = find_operator(condition.operator)
        if operator is not None and operator.variables:
            for index, text in enumerate(condition.values):
                yield condition_path(path, condition, index), text


def _check_variable(name: str, place: str) -> Iterator[PolicyWarning]:
    """A global key, or no key at all; what services and identity providers offer is not listed completely."""
    if name in _LITERALS:
        return
    key = find_condition_key(name)
    if key is not None and key.is_multivalued:
        message = f"`${{{name}}}` is never filled in: `{name}` has several values"
        yield PolicyWarning(WarningCode.VARIABLE_UNKNOWN, place, message, "use a key with a single value")
    elif key is None and (":" not in name or name.lower().startswith("aws:")):
        message = f"`${{{name}}}` is never filled in: there is no such condition key"
        hint = suggest(name, (known.name for known in GLOBAL_KEYS.values())) or "look up the key's name"
        yield PolicyWarning(WarningCode.VARIABLE_UNKNOWN, place, message, hint)
