"""Witnesses that a person believes: actions that AWS has, on resources of the kind that they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

from keyhole.iam.catalogue import find_action, find_condition_key, find_service
from keyhole.iam.catalogue.arn_format import fits_format
from keyhole.iam.symbolic.atoms import State, Value
from keyhole.iam.symbolic.theory import Wish

_MOST_ACTIONS = 32
# AWS: IAM User Guide, "IAM and AWS STS quotas": no ARN in a policy that it keeps is longer.
_LONGEST_ARN = 2048
_COMMON = ("s3", "iam", "sts", "ec2", "kms", "dynamodb")
_FIRST = (
    *("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:PutBucketPolicy", "s3:PutObjectAcl"),
    *("sts:AssumeRole", "iam:PassRole", "iam:CreateUser", "ec2:RunInstances"),
)
_RESOURCES = (
    *("arn:aws:s3:::example/file.txt", "arn:aws:s3:::example", "arn:aws:iam::111122223333:role/example"),
    *("arn:aws:iam::111122223333:user/example", "arn:aws:ec2:us-east-1:111122223333:instance/i-0123456789abcdef0"),
)


def find_plausible(
    of_action: Iterable[Wish], of_resource: Iterable[Wish], found: tuple[str, str]
) -> Iterator[tuple[str, str]]:
    """Give actions and resources that fulfil the wishes, the most believable first, and what was found at last."""
    wishes, asked_of_it = list(of_action), list(of_resource)
    resources = list(_resources(asked_of_it, found[1]))
    for resource in resources:
        actions = islice(_actions_for(wishes, found[0]), _MOST_ACTIONS)
        is_arn = len(resource) <= _LONGEST_ARN
        fitting = next((action for action in actions if _takes(action, resource)), None) if is_arn else None
        if fitting is not None:
            yield fitting, resource
            break
    action = find_plausible_action(wishes, found[0])
    known = find_action(action)
    if known is not None and not known.resources and all(atom.star in {None, wanted} for atom, wanted in asked_of_it):
        yield action, "*"
    yield action, resources[0]
    yield found


def find_plausible_action(of_action: Iterable[Wish], found: str) -> str:
    """Give an action that fulfils the wishes: one that AWS has if there is any, else the one that was found."""
    return next(_actions_for(list(of_action), found), found)


def _resources(wishes: list[Wish], found: str) -> Iterator[str]:
    """Give resources that fulfil the wishes and look like some, else the one that was found."""
    near = (found, f"{found}/file.txt", found.partition("/")[0]) if found.startswith("arn:") else ()
    fitting = [resource for resource in dict.fromkeys((*near, *_RESOURCES)) if _fulfils(resource, wishes)]
    yield from fitting or [found]


def _actions_for(wishes: list[Wish], found: str) -> Iterator[str]:
    """Give actions that AWS has and that fulfil the wishes, those first that everyone knows."""
    if any(wanted and atom.language is not None and atom.language.is_one for atom, wanted in wishes):
        # Only one fulfils them: looking through all that there are would find it as well.
        known = find_action(found)
        yield from (known.full_name,) if known is not None else ()
        return
    services = dict.fromkeys((found.partition(":")[0], *_COMMON))
    for names in (_FIRST, *map(_actions, services)):
        for name in names:
            if _fulfils(name.lower(), wishes):
                yield name


@lru_cache(maxsize=4096)
def _takes(name: str, resource: str) -> bool:
    """Hold iff the resource is of a kind that the action takes."""
    action = find_action(name)
    return action is not None and any(fits_format(resource, taken.type.arn_format) for taken in action.resources)


def _fulfils(text: str, wishes: list[Wish]) -> bool:
    value = Value(State.ONE, (text,))
    return all(atom.holds(value) is wanted for atom, wanted in wishes)


@lru_cache(maxsize=64)
def _actions(prefix: str) -> tuple[str, ...]:
    service = find_service(prefix)
    return tuple(action.full_name for action in service.actions.values()) if service is not None else ()


@lru_cache(maxsize=1024)
def spell_key(key: str) -> str:
    """Give a condition key as AWS spells it, as far as that is known; what follows a placeholder stays as it is."""
    known = find_condition_key(key)
    if known is None:
        return key
    head, placeholder, _ = known.name.partition("${")
    return head + key[len(head) :] if placeholder else known.name
