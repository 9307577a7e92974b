"""Random policies over a tiny alphabet, so that all requests there are can be listed, and z3 can be asked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from random import Random

from keyhole.iam import Condition, Effect, Element, Policy, Statement

PAIRS = int(os.environ.get("KEYHOLE_PAIRS", "0"))
"""How many pairs a long run by hand takes; 0 for the few of every run."""

ACTIONS = ("s3:Aa", "s3:Ab", "s3:Bb", "t:A")
ACTION_PATTERNS = ("*", "s3:*", "s3:A*", "s3:?b", "*:A", "s3:aa", "s3:Ab", "t:a", "s3:*b")
RESOURCE_PATTERNS = (
    *(
        "*",
        "a*",
        "*b",
        "a?b",
        "*/*",
        "a/b",
        "*a*",
        "?",
        "??",
        "",
        "a/*",
        "b/*",
        "*a*b*",
        "ab",
        "*/a",
        "a*b",
        "?*",
        "**a",
    ),
    *("b?*", "*?b", "a/?", "*/", "/*", "*b*a*", "?a*"),
)
TEXT_KEY, NUMBER_KEY, ADDRESS_KEY, FLAG_KEY, SET_KEY = "k:text", "s3:max-keys", "aws:SourceIp", "k:flag", "aws:TagKeys"
TEXT_OPERATORS = (
    *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"),
    "StringNotEqualsIgnoreCase",
)
NUMBER_OPERATORS = tuple(
    f"Numeric{name}"
    for name in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
)
TEXTS = ("a", "b", "A", "ab", "a*", "*b", "?", "*", "a?")
NUMBERS = ("9", "10", "10.5", "11", "1e1", "10.50")
RANGES = ("10.0.0.0/8", "10.0.0.0/31", "10.0.0.1", "0.0.0.0/0", "10.128.0.0/9", "::/0", "192.0.2.0/24")


def random_condition(random: Random, *, has_sets: bool) -> Condition:
    """Give one condition."""
    if_exists = random.random() < 0.2
    match random.randrange(5 if has_sets else 4):
        case 0:
            operator = random.choice(TEXT_OPERATORS)
            return Condition(operator, TEXT_KEY, some(random, TEXTS), if_exists=if_exists)
        case 1:
            operator = random.choice(NUMBER_OPERATORS)
            return Condition(operator, NUMBER_KEY, some(random, NUMBERS), if_exists=if_exists)
        case 2:
            operator = random.choice(("IpAddress", "NotIpAddress"))
            return Condition(operator, ADDRESS_KEY, some(random, RANGES), if_exists=if_exists)
        case 3:
            key = random.choice((TEXT_KEY, NUMBER_KEY, ADDRESS_KEY))
            return Condition("Null", key, (random.choice(("true", "false")),))
    qualifier = random.choice(("ForAnyValue", "ForAllValues"))
    return Condition(random.choice(TEXT_OPERATORS), SET_KEY, some(random, TEXTS), qualifier, if_exists)


def some(random: Random, listed: Sequence[str]) -> tuple[str, ...]:
    """Give one or two of them."""
    return tuple(dict.fromkeys(random.choice(listed) for _ in range(random.randint(1, 2))))


def random_policy(random: Random, *, has_sets: bool = True) -> Policy:
    """Give a policy of one to four statements."""
    statements = []
    for number in range(random.randint(1, 4)):
        conditions = {}
        for _ in range(random.choice((0, 0, 1, 2))):
            condition = random_condition(random, has_sets=has_sets)
            conditions[condition.name, condition.key] = condition
        statements.append(
            Statement(
                Effect.DENY if number and random.random() < 0.4 else Effect.ALLOW,
                Element(some(random, ACTION_PATTERNS), random.random() < 0.15),
                Element(some(random, RESOURCE_PATTERNS), random.random() < 0.15),
                conditions=tuple(conditions.values()),
            )
        )
    return Policy(tuple(statements))


def similar_policy(random: Random, policy: Policy, *, has_sets: bool = True) -> Policy:
    """Give a policy that has most of the other's statements, so that one is often within the other."""
    statements = [statement for statement in policy.statements if random.random() < 0.9]
    if random.random() < 0.7:
        statements.extend(random_policy(random, has_sets=has_sets).statements)
    random.shuffle(statements)
    return Policy(tuple(statements) or policy.statements)
