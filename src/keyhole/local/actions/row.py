"""The types of the action tables, and how a row becomes the questions that are put to the policy engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call happens: what a resource's ARN is made of besides the call's own parameters.

    `user_name` is the caller's, if it is a user: IAM calls that name no user mean the caller.
    """

    account: str
    region: str
    backend: Backend
    user_name: str = ""


# From a call to the ARNs that it touches.
ResourcesOf = Callable[[ApiCall, Place], tuple[str, ...]]
Context = Mapping[str, str | tuple[str, ...]]
# From a call to condition keys of this one question, such as iam:PassedToService.
ContextOf = Callable[[ApiCall, Place], Context]


@dataclass(frozen=True, slots=True)
class Need:
    """One action on some resources. It counts only if the call has one of `when` (always, if that is empty)."""

    action: str
    resources: ResourcesOf
    when: tuple[str, ...] = ()
    context: ContextOf | None = None

    def applies(self, call: ApiCall) -> bool:
        return not self.when or any(call.params.get(name) for name in self.when)


Row = tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """May the caller do `action` on `resource`? `context` adds to the call's own condition keys."""

    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]]


def questions(row: Row, call: ApiCall, place: Place) -> tuple[Question, ...]:
    """Give every question that must be answered with yes before the call is let through.

    A call that names nothing that its row asks about is asked about everything: no call goes unasked by leaving out.
    """
    found = tuple(
        Question(need.action, resource, need.context(call, place) if need.context else {})
        for need in row
        if need.applies(call)
        for resource in need.resources(call, place)
    )
    return found or tuple(Question(need.action, "*", {}) for need in row[:1])


def anything(_call: ApiCall, _place: Place) -> tuple[str, ...]:
    """The action takes no resource."""
    return ("*",)


def every(action: str, resources: ResourcesOf = anything, **options: Any) -> Row:
    """Give the row of an operation that needs one action."""
    return (Need(action, resources, **options),)


def merge(*contexts: ContextOf) -> ContextOf:
    """Give the condition keys of all of them."""

    def context(call: ApiCall, place: Place) -> Context:
        return {key: value for each in contexts for key, value in each(call, place).items()}

    return context


def as_flag(value: object) -> str:
    """Give a value as a Bool condition key has it."""
    return "true" if value else "false"


def passed_roles(*paths: str) -> ResourcesOf:
    """Give the roles at these places in the call (`overrides.taskRoleArn`), each by its ARN or its name."""

    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        found = (_member(call.params, path) for path in paths)
        return tuple(role_arn(str(role), place) for role in found if role)

    return resources


def role_arn(role: str, place: Place) -> str:
    """Give the ARN of a role of the caller's account that may be named without it."""
    if role.startswith("arn:"):
        return role
    found = place.backend.find_role(place.account, role.rsplit("/", 1)[-1])
    return found.arn if found else f"arn:aws:iam::{place.account}:role/{role}"


def pass_role(service: str, *paths: str) -> Need:
    """Give iam:PassRole on the roles that the call hands to a service; paths as in `passed_roles`.

    AWS: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
    """
    return Need("iam:PassRole", passed_roles(*paths), context=lambda _call, _place: {"iam:PassedToService": service})


def _member(params: Mapping[str, Any], path: str) -> Any:
    found: Any = params
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
