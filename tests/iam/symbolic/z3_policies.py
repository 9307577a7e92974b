"""Policies over a tiny alphabet in the words of z3: a translation of its own, which shares nothing with ours."""

from __future__ import annotations

from ipaddress import ip_network

import z3
from small_policies import ADDRESS_KEY, NUMBER_KEY, TEXT_KEY

from keyhole.iam import Condition, Effect, Policy, Statement

ACTION = z3.String("action")
RESOURCE = z3.String("resource")
PRESENT = {key: z3.Bool(f"{key} is there") for key in (TEXT_KEY, NUMBER_KEY, ADDRESS_KEY)}
TEXT, NUMBER = z3.String("text"), z3.Real("number")
IS_V4, V4, V6 = z3.Bool("is v4"), z3.BitVec("v4", 32), z3.BitVec("v6", 128)
_LETTER = z3.Range(" ", "~")
_ANY = z3.Star(_LETTER)


def find_difference(first: Policy, second: Policy, *, seconds: float) -> bool | None:
    """Whether a request is allowed by the first and not by the second; None if z3 does not know."""
    solver = z3.Solver()
    solver.set("timeout", int(seconds * 1000))
    solver.add(z3.InRe(ACTION, z3.Plus(z3.Union(z3.Range(" ", "@"), z3.Range("[", "~")))))
    solver.add(z3.InRe(RESOURCE, _ANY), z3.InRe(TEXT, _ANY))
    solver.add(_allows(first), z3.Not(_allows(second)))
    answer = solver.check()
    return None if answer == z3.unknown else bool(answer == z3.sat)


def _allows(policy: Policy) -> z3.BoolRef:
    by_effect = {
        effect: z3.Or([_applies(each) for each in policy.statements if each.effect is effect]) for effect in Effect
    }
    return z3.And(by_effect[Effect.ALLOW], z3.Not(by_effect[Effect.DENY]))


def _applies(statement: Statement) -> z3.BoolRef:
    assert statement.resources is not None
    action = z3.InRe(ACTION, _union([_pattern(text.lower()) for text in statement.actions.patterns]))
    resource = z3.InRe(RESOURCE, _union([_pattern(text) for text in statement.resources.patterns]))
    return z3.And(
        z3.Not(action) if statement.actions.negated else action,
        z3.Not(resource) if statement.resources.negated else resource,
        *map(_condition, statement.conditions),
    )


def _pattern(text: str, *, wildcards: bool = True, folds: bool = False) -> z3.ReRef:
    made = z3.Re("")
    for letter in text:
        if wildcards and letter in "*?":
            made = z3.Concat(made, _ANY if letter == "*" else _LETTER)
        elif folds and letter.isalpha():
            made = z3.Concat(made, z3.Union(z3.Re(letter.lower()), z3.Re(letter.upper())))
        else:
            made = z3.Concat(made, z3.Re(letter))
    return made


def _union(languages: list[z3.ReRef]) -> z3.ReRef:
    return languages[0] if len(languages) == 1 else z3.Union(*languages)


def _condition(condition: Condition) -> z3.BoolRef:
    present = PRESENT[condition.key]
    if condition.operator == "Null":
        # Of a text that is empty the engine says that nobody can tell: then it neither allows nor lets pass a deny.
        return z3.Not(present) if condition.values == ("true",) else present
    name = condition.operator
    is_negated = "Not" in name
    holds = z3.Or([_compare(name, value) for value in condition.values])
    when_absent = is_negated or condition.if_exists
    return z3.If(present, z3.Not(holds) if is_negated else holds, z3.BoolVal(when_absent))


def _compare(operator: str, value: str) -> z3.BoolRef:
    if operator.startswith("String"):
        return z3.InRe(TEXT, _pattern(value, wildcards="Like" in operator, folds="IgnoreCase" in operator))
    if "IpAddress" in operator:
        block = ip_network(value)
        low, high = int(block.network_address), int(block.broadcast_address)
        if block.version == 4:
            return z3.And(IS_V4, z3.UGE(V4, low), z3.ULE(V4, high))
        return z3.And(z3.Not(IS_V4), z3.UGE(V6, low), z3.ULE(V6, high))
    number = z3.RealVal(str(float(value)))
    match operator.removeprefix("Numeric"):
        case "LessThan":
            return number > NUMBER
        case "LessThanEquals":
            return number >= NUMBER
        case "GreaterThan":
            return number < NUMBER
        case "GreaterThanEquals":
            return number <= NUMBER
    return number == NUMBER
