"""One condition against the request's context: absent keys, several values, set operators.

AWS: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".
"""

from __future__ import annotations

from collections.abc import Iterable

from keyhole.iam.match import Parts, split_wildcards
from keyhole.iam.model import Condition, Context, ContextValue, Truth
from keyhole.iam.operators.null import NULL
from keyhole.iam.operators.operator import Operator
from keyhole.iam.operators.registry import QUALIFIERS, find_operator
from keyhole.iam.variables import expand_variables

MOST_SHOWN = 4


def evaluate_condition(condition: Condition, context: Context, version: str) -> tuple[Truth, str]:
    """Whether the condition holds, and why: an operator that is not known is UNKNOWN."""
    operator = find_operator(condition.operator)
    if operator is None or condition.qualifier not in {"", *QUALIFIERS.values()}:
        return Truth.UNKNOWN, f"`{condition.name}` is no operator that is known"
    given = context.get(condition.key)
    if given == ():
        given = None
    if operator is NULL:
        return _test_absence(condition, given)
    if given is None:
        return _judge_absent(condition, operator)
    values = _resolve_values(condition, operator, context, version)
    truth = _combine(condition, operator, values, given)
    if truth is Truth.UNKNOWN:
        return truth, f"`{condition.key}` has several values ({_show(given)}), which takes a set operator"
    verb = "holds against" if truth is Truth.TRUE else "does not hold against"
    return truth, f"`{condition.key}` is {_show(given)}: `{condition.name}` {verb} {_show(condition.values)}"


def _test_absence(condition: Condition, given: ContextValue | None) -> tuple[Truth, str]:
    """`Null`: an empty set of values is as good as absent."""
    is_absent = "true" if given is None else "false"
    holds = any(NULL.compare((value,), is_absent) for value in condition.values)
    state = "absent" if given is None else "present"
    return _truth(holds), f"`{condition.key}` is {state}: `Null` wants {_show(condition.values)}"


def _judge_absent(condition: Condition, operator: Operator) -> tuple[Truth, str]:
    """An absent key: positive operators fail, negated ones hold; set operators and IfExists have rules of their own."""
    if condition.if_exists or condition.qualifier == "ForAllValues":
        holds = True
    elif condition.qualifier == "ForAnyValue":
        holds = False
    else:
        holds = operator.negated
    verb = "holds" if holds else "does not hold"
    return _truth(holds), f"`{condition.key}` is absent: `{condition.name}` {verb} then"


def _resolve_values(condition: Condition, operator: Operator, context: Context, version: str) -> tuple[Parts, ...]:
    """The values to compare with; one whose variable cannot be resolved matches nothing and is left out."""
    if not operator.variables:
        return tuple((value,) for value in condition.values)
    if not any("${" in value for value in condition.values):
        return tuple(split_wildcards(value) for value in condition.values)
    expanded = (expand_variables(value, context, version) for value in condition.values)
    return tuple(parts for parts in expanded if parts is not None)


def _combine(condition: Condition, operator: Operator, values: tuple[Parts, ...], given: ContextValue) -> Truth:
    """The verdicts on the request's values as one: a single value under a set operator is a set of one."""
    asked = (given,) if isinstance(given, str) else given
    if condition.qualifier == "ForAllValues":
        # AWS: it "also returns true if … the key values resolve to a null data set, such as an empty string".
        is_null_set = not any(asked)
        return _truth(is_null_set or all(_holds(operator, values, value) for value in asked))
    if condition.qualifier == "ForAnyValue":
        return _truth(any(_holds(operator, values, value) for value in asked))
    if len(asked) > 1:
        return Truth.UNKNOWN
    return _truth(_holds(operator, values, asked[0]))


def _holds(operator: Operator, values: tuple[Parts, ...], given: str) -> bool:
    """One value of the request: any policy value for a positive operator, none of them for a negated one.

    A value that does not parse makes the operator fail, whichever it is.
    """
    if operator.negated:
        return all(operator.compare(value, given) is False for value in values)
    return any(operator.compare(value, given) for value in values)


def _truth(holds: bool) -> Truth:
    return Truth.TRUE if holds else Truth.FALSE


def _show(values: ContextValue | Iterable[str]) -> str:
    """A few of the values, in backticks."""
    listed = (values,) if isinstance(values, str) else tuple(values)
    shown = ", ".join(f"`{value}`" for value in listed[:MOST_SHOWN])
    rest = len(listed) - MOST_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown or "no value"
