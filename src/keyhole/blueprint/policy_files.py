"""Policy files: their statements as part of a workload's policy, judged as AWS judges them, and more strictly.

What AWS takes and can never match is a mistake here: whoever wrote it meant something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from keyhole.errors import Mistake, PolicyError
from keyhole.iam import PolicyKind, parse_policy
from keyhole.iam.lint import find_warnings
from keyhole.naming import Scope
from keyhole.spec import Spec

_OWN_SIDS = re.compile(r"(Objects|List|Key)\d+|TerraformLocks|Quarantine|Callers")


def file_statements(spec: Spec, key: str, scope: Scope) -> list[dict[str, Any]]:
    """Give the statements of the workload's policy file, with the spec's placeholders filled in."""
    if key not in spec.policies:
        return []
    document = json.loads(spec.app.fill(spec.policies[key].text, scope.account))
    statements = document["Statement"]
    return statements if isinstance(statements, list) else [statements]


def file_mistakes(spec: Spec, scope: Scope) -> Iterator[Mistake]:
    """Give what is wrong with the policy files."""
    for key, file in spec.policies.items():
        place = spec.places.where(("workloads", key, "policy_file"))
        try:
            policy = parse_policy(spec.app.fill(file.text, scope.account), PolicyKind.IDENTITY, name=file.name)
        except PolicyError as error:
            at = f"{file.name}:{error.line}:{error.column}" if error.line else file.name
            yield Mistake(place, f"{at}: {error.message}", error.hint)
            continue
        for statement in policy.statements:
            if statement.sid and _OWN_SIDS.fullmatch(statement.sid):
                message = f"{file.name}: the Sid `{statement.sid}` is one that Keyhole gives to its own statements"
                yield Mistake(place, message, "choose another")
        for warning in find_warnings(policy, PolicyKind.IDENTITY):
            yield Mistake(place, f"{file.name}: {warning.path}: {warning.message}", warning.hint)
        if policy.version != "2012-10-17":
            yield Mistake(place, f"{file.name}: its version is `{policy.version}`", 'write `"Version": "2012-10-17"`')
