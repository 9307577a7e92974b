"""Statements bound for many requests: patterns sorted by how cheaply they match, condition values parsed once.

A check takes (request, resource, context values) and gives True, False, or None for UNKNOWN, as the plain evaluation of
the same statement does. What is rare (variables, named principals, odd conditions) is left to the plain evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network, IPv6Network

from keyhole.iam.conditions import evaluate_condition
from keyhole.iam.match import Glob, compile_glob, complete_arn, match_action, match_glob
from keyhole.iam.model import (
    Condition,
    ContextValue,
    Decision,
    Effect,
    Element,
    Outcome,
    Policy,
    PolicyKind,
    Request,
    Statement,
    Truth,
)
from keyhole.iam.operators.ip import parse_address, parse_range
from keyhole.iam.operators.null import NULL
from keyhole.iam.operators.registry import find_operator
from keyhole.iam.principals import Reach
from keyhole.iam.statement import COMPLETED_KINDS, PRINCIPAL_KINDS, evaluate_statement
from keyhole.iam.variables import has_variables

Values = Mapping[str, ContextValue]
Check = Callable[[Request, str, Values], bool | None]
ResourceCheck = Callable[[str], bool]
ConditionCheck = Callable[[Request, Values], bool | None]
ValueCheck = Callable[[str], bool]

_TRUTHS = {Truth.TRUE: True, Truth.FALSE: False, Truth.UNKNOWN: None}


@dataclass(frozen=True, slots=True, eq=False)
class BoundStatement:
    """A statement with its checks. `check` presupposes that its Action names the request's action.

    `reach` is how closely its Principal names whoever it matches, None where that depends on the caller; `allowed` is
    the decision if it is what grants.
    """

    layer: PolicyKind
    policy: Policy
    index: int
    check: Check
    reach: Reach | None
    allowed: Decision

    @property
    def statement(self) -> Statement:
        return self.policy.statements[self.index]

    @property
    def denies(self) -> bool:
        return self.statement.effect is Effect.DENY

    def covers_action(self, action: str) -> bool:
        """Hold iff Action names the action, or NotAction does not."""
        actions = self.statement.actions
        return any(match_action(pattern, action) for pattern in actions.patterns) is not actions.negated


def bind_statement(
    policy: Policy, index: int, layer: PolicyKind, description: str, *, has_boundary: bool
) -> BoundStatement:
    """Bind one statement. `description` names it in reasons."""
    check, reach = _bind_check(policy, index, layer, has_boundary=has_boundary)
    allowed = Decision(Outcome.ALLOWED, f"{description} allows it", (), ())
    return BoundStatement(layer, policy, index, check, reach, allowed)


def evaluate_plainly(
    policy: Policy, index: int, layer: PolicyKind, request: Request, *, has_boundary: bool
) -> tuple[bool | None, Reach]:
    """Evaluate a statement as the plain path does."""
    verdict = evaluate_statement(request, policy, index, layer, has_boundary=has_boundary)
    return _TRUTHS[verdict.trace.truth], verdict.reach


def _bind_check(policy: Policy, index: int, layer: PolicyKind, *, has_boundary: bool) -> tuple[Check, Reach | None]:
    statement = policy.statements[index]
    reach: Reach | None = Reach.NONE
    if layer in PRINCIPAL_KINDS:
        reach = Reach.DIRECT if _is_for_everyone(statement, layer) else None
    resources = statement.resources
    is_plain = resources is None or any(has_variables(pattern, policy.version) for pattern in resources.patterns)
    if reach is None or is_plain or resources is None:

        def check_plainly(request: Request, _resource: str, _values: Values) -> bool | None:
            return evaluate_plainly(policy, index, layer, request, has_boundary=has_boundary)[0]

        return check_plainly, reach
    covers = bind_resources(resources, layer)
    conditions = tuple(bind_condition(condition, policy.version) for condition in statement.conditions)
    return _join(literal_heads(resources), covers, conditions), reach


def _is_for_everyone(statement: Statement, layer: PolicyKind) -> bool:
    principals = statement.principals
    if principals is None or principals.negated or layer is PolicyKind.ENDPOINT:
        return False
    return any(pattern.kind == "*" or (pattern.kind, pattern.value) == ("AWS", "*") for pattern in principals.patterns)


def literal_heads(resources: Element) -> tuple[str, ...]:
    """Give texts one of which whatever the element covers begins with, to rule out the rest by one call."""
    heads = tuple(_split_head(pattern) for pattern in resources.patterns)
    return ("",) if resources.negated or not all(heads) else heads


def _split_head(pattern: str) -> str:
    wildcard = min((found for found in (pattern.find("*"), pattern.find("?")) if found >= 0), default=len(pattern))
    return pattern[:wildcard]


def _join(heads: tuple[str, ...], covers: ResourceCheck, conditions: tuple[ConditionCheck, ...]) -> Check:
    """The elements as one: one that fails decides, one that is UNKNOWN leaves the rest UNKNOWN."""
    if not conditions:
        return lambda _request, resource, _values: resource.startswith(heads) and covers(resource)
    if len(conditions) == 1:
        (only,) = conditions

        def check_one(request: Request, resource: str, values: Values) -> bool | None:
            return only(request, values) if resource.startswith(heads) and covers(resource) else False

        return check_one

    def check(request: Request, resource: str, values: Values) -> bool | None:
        if not (resource.startswith(heads) and covers(resource)):
            return False
        verdict: bool | None = True
        for condition in conditions:
            found = condition(request, values)
            if found is False:
                return False
            if found is None:
                verdict = None
        return verdict

    return check


def bind_resources(element: Element, layer: PolicyKind) -> ResourceCheck:
    """Give the check of a Resource or NotResource element without variables."""
    patterns = dict.fromkeys(element.patterns)
    if layer in COMPLETED_KINDS:
        patterns |= dict.fromkeys(complete_arn(pattern) for pattern in element.patterns)
    found = _bind_patterns(tuple(patterns), is_resource=True)
    return (lambda resource: not found(resource)) if element.negated else found


def _bind_patterns(patterns: tuple[str, ...], *, is_resource: bool) -> ValueCheck:
    """Give the check that any pattern matches; exact texts and prefixes need no automaton.

    A resource that is itself `*` is matched only by patterns of nothing but `*`.
    """
    stars = [pattern for pattern in patterns if pattern and not pattern.strip("*")]
    if stars:
        return lambda _text: True
    exact = frozenset(pattern for pattern in patterns if not {"*", "?"} & set(pattern))
    prefixes = tuple(
        pattern[:-1] for pattern in patterns if pattern.endswith("*") and not {"*", "?"} & set(pattern[:-1])
    )
    rest = tuple(pattern for pattern in patterns if pattern not in exact and pattern[:-1] not in prefixes)
    globs = tuple(compile_glob(pattern) for pattern in rest)
    if not globs and not prefixes:
        return exact.__contains__
    if not globs and not exact:
        return lambda text: text.startswith(prefixes)
    heads = tuple(glob.segments[0].text if glob.segments[0].masks is None else "" for glob in globs)
    if len(globs) == 1 and heads[0] and not exact and not prefixes:
        return partial(_match_one, heads[0], globs[0])
    return partial(_match_any, exact, prefixes, tuple(zip(heads, globs, strict=True)), is_resource)


def _match_one(head: str, glob: Glob, text: str) -> bool:
    return text.startswith(head) and match_glob(glob, text)


def _match_any(
    exact: frozenset[str],
    prefixes: tuple[str, ...],
    globs: tuple[tuple[str, Glob], ...],
    is_resource: bool,
    text: str,
) -> bool:
    """Most patterns are ruled out by how they begin."""
    if text in exact or text.startswith(prefixes):
        return True
    if is_resource and text == "*":
        return False
    for head, glob in globs:  # noqa: SIM110 - a generator would cost as much as the match
        if text.startswith(head) and match_glob(glob, text):
            return True
    return False


def bind_condition(condition: Condition, version: str) -> ConditionCheck:
    """Give the check of one condition; what is rare asks the plain evaluation."""
    operator = find_operator(condition.operator)
    matcher = None if operator is None else bind_values(condition, version)
    if operator is None or operator is NULL or matcher is None or not condition.values:
        return lambda request, _values: _TRUTHS[evaluate_condition(condition, request.context, version)[0]]
    key = condition.key.lower()
    negated = operator.negated
    if condition.if_exists or condition.qualifier == "ForAllValues":
        if_absent = True
    else:
        if_absent = negated and condition.qualifier != "ForAnyValue"
    if condition.qualifier:
        return _bind_set(
            key, matcher, negated=negated, for_all=condition.qualifier == "ForAllValues", if_absent=if_absent
        )

    def check(_request: Request, values: Values) -> bool | None:
        given = values.get(key)
        if isinstance(given, str):
            return matcher(given) is not negated
        if not given:
            return if_absent
        return None if len(given) > 1 else matcher(given[0]) is not negated

    return check


def _bind_set(key: str, matcher: ValueCheck, *, negated: bool, for_all: bool, if_absent: bool) -> ConditionCheck:
    """ForAllValues and ForAnyValue: a single value is a set of one, values that are all empty are no value."""

    def check(_request: Request, values: Values) -> bool | None:
        given = values.get(key)
        if given is None or given == ():
            return if_absent
        asked = (given,) if isinstance(given, str) else given
        if not any(asked):
            return for_all
        for value in asked:
            if (matcher(value) is not negated) is not for_all:
                return not for_all
        return for_all

    return check


def bind_values(condition: Condition, version: str) -> ValueCheck | None:
    """Give the check whether any value of the condition matches; None where values may not parse or resolve."""
    if any(has_variables(value, version) for value in condition.values):
        return None
    values = condition.values
    match condition.operator:
        case "StringEquals" | "StringNotEquals":
            return frozenset(values).__contains__
        case "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase":
            lowered = frozenset(value.lower() for value in values)
            return lambda given: given.lower() in lowered
        case "StringLike" | "StringNotLike":
            return _bind_patterns(tuple(dict.fromkeys(values)), is_resource=False)
        case "Bool":
            wanted = frozenset(value.lower() for value in values) & {"true", "false"}
            return lambda given: given.lower() in wanted
        case "IpAddress":
            blocks = tuple(block for block in map(parse_range, values) if block is not None)
            return partial(_lies_in, blocks)
    return None


def _lies_in(blocks: tuple[IPv4Network | IPv6Network, ...], given: str) -> bool:
    address = parse_address(given)
    return address is not None and any(address.version == block.version and address in block for block in blocks)
