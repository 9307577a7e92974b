"""Resources of a type that the statement's actions do not take.

AWS: Service Authorization Reference: an action with no resource type takes `"Resource": "*"` only, any other only the
types in its row.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.iam.catalogue import Action
from keyhole.iam.catalogue.arn_format import fits_format
from keyhole.iam.lint.actions import ActionPattern, Reading
from keyhole.iam.lint.report import PolicyWarning, WarningCode
from keyhole.iam.match import ARN_FIELDS, complete_arn
from keyhole.iam.model import Statement

_ASKED_BY_ARN = {"iam": "list", "logs": "describe"}
"""Actions without a resource type in the reference that AWS's own AccessDenied messages name an ARN for.

`iam:ListRoles` is denied "on resource: arn:aws:iam::111122223333:role/", so whether an ARN matches is not certain.
"""


def check_resources(statement: Statement, actions: tuple[ActionPattern, ...], path: str) -> Iterator[PolicyWarning]:
    """A warning for each action that can match none of the resources, and each resource that no action takes."""
    element = statement.resources
    if element is None or element.negated or statement.actions.negated:
        return
    resources = element.patterns
    if any(_is_everything(resource) for resource in resources):
        return
    known = [pattern for pattern in actions if pattern.reading is Reading.KNOWN and pattern.actions]
    matched = [pattern for pattern in known if any(_takes_one(action, resources) for action in pattern.actions)]
    for pattern in known:
        if pattern not in matched:
            yield _warn_of_action(pattern, resources, f"{path}.Action[{pattern.index}]")
    if matched and len(known) == len(actions):
        for index, resource in enumerate(resources):
            if not any(_may_take(action, resource) for pattern in matched for action in pattern.actions):
                message = f"none of the statement's actions takes `{resource}`"
                hint = "leave it out, or add the action that it is there for"
                yield PolicyWarning(WarningCode.RESOURCE_UNUSED, f"{path}.Resource[{index}]", message, hint)


def _is_everything(resource: str) -> bool:
    """Hold iff the pattern names every resource of a service or more, or is no ARN, whose form services define."""
    if not resource.startswith("arn:"):
        return True
    return complete_arn(resource).split(":", ARN_FIELDS - 1)[-1].strip("*") == ""


def _takes_one(action: Action, resources: tuple[str, ...]) -> bool:
    return any(_may_take(action, resource) for resource in resources)


def _may_take(action: Action, resource: str) -> bool:
    return _is_asked_by_arn(action) or any(
        fits_format(complete_arn(resource), taken.type.arn_format) for taken in action.resources
    )


def _is_asked_by_arn(action: Action) -> bool:
    verb = _ASKED_BY_ARN.get(action.prefix)
    return not action.resources and verb is not None and action.name.lower().startswith(verb)


def _warn_of_action(pattern: ActionPattern, resources: tuple[str, ...], place: str) -> PolicyWarning:
    formats = sorted({taken.type.arn_format for action in pattern.actions for taken in action.resources})
    if not formats:
        message = f"`{pattern.text}` takes no resource: it matches `*` only"
        hint = 'move it to a statement with `"Resource": "*"`'
        return PolicyWarning(WarningCode.ACTION_WITHOUT_RESOURCE, place, message, hint)
    named = f"`{resources[0]}`" if len(resources) == 1 else "any of the statement's resources"
    shown = ", ".join(f"`{arn_format}`" for arn_format in formats[:3])
    return PolicyWarning(
        WarningCode.RESOURCE_NOT_TAKEN, place, f"`{pattern.text}` never matches {named}", f"it takes {shown}"
    )
