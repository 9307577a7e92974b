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
# From a call to condition keys of this one question, such as iam:PassedToService.
ContextOf = Callable[[ApiCall, Place], Mapping[str, str | tuple[str, ...]]]


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
    """Give every question that must be answered with yes before the call is let through."""
    return tuple(
        Question(need.action, resource, need.context(call, place) if need.context else {})
        for need in row
        if need.applies(call)
        for resource in need.resources(call, place)
    )


def anything(_call: ApiCall, _place: Place) -> tuple[str, ...]:
    """The action takes no resource."""
    return ("*",)


def every(action: str, resources: ResourcesOf = anything, **options: Any) -> Row:
    """Give the row of an operation that needs one action."""
    return (Need(action, resources, **options),)
