"""One condition against the request's context: absent keys, several values, set operators.

AWS: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keyhole.iam.match import Parts
from keyhole.iam.model import Condition, Context, ContextValue, Truth
from keyhole.iam.operators.null import NULL
from keyhole.iam.operators.operator import Operator
from keyhole.iam.operators.registry import QUALIFIERS, find_operator
from keyhole.iam.variables import expand_variables

MOST_SHOWN = 4

Values = tuple[Parts | None, ...]


def evaluate_condition(condition: Condition, context: Context, version: str) -> tuple[Truth, str]:
    """Whether the condition holds, and why: an operator that is not known is UNKNOWN."""
    operator = find_operator(condition.operator)
    if operator is None or condition.qualifier not in {"", *QUALIFIERS.values()}:
        return Truth.UNKNOWN, f"`{condition.name}` is no operator that is known"
    given = context.get(condition.key)
    if given == ():
        given = None
    if not condition.values:
        return _judge_without_values(condition, given)
    if operator is NULL:
        return _test_absence(condition, given)
    if given is None:
        return _judge_absent(condition, operator)
    if not condition.qualifier and not isinstance(given, str) and len(given) > 1:
        return Truth.UNKNOWN, f"`{condition.key}` has several values ({_show(given)}), which takes a set operator"
    truth = _combine(condition, operator, _resolve_values(condition, operator, context, version), given)
    return truth, f"`{condition.key}` is {_show(given)}: `{condition.name}` {VERBS[truth]} {_show(condition.values)}"


VERBS = {
    Truth.TRUE: "holds against",
    Truth.FALSE: "does not hold against",
    Truth.UNKNOWN: "cannot be compared with all of",
}


def _judge_without_values(condition: Condition, given: ContextValue | None) -> tuple[Truth, str]:
    """AWS: "IAM Access Analyzer policy check reference", the four checks named Empty array condition.

    Of an operator that is plain it says both that it "returns true" and that the statement "provides no permissions".
    """
    truth = Truth.UNKNOWN
    if condition.qualifier == "ForAnyValue":
        truth = Truth.FALSE
    elif condition.qualifier or condition.if_exists:
        truth = _truth(given is None or not any(given))
    return truth, f"`{condition.name}` has no value to compare `{condition.key}` with"


def _test_absence(condition: Condition, given: ContextValue | None) -> tuple[Truth, str]:
    """`Null`: values that are all empty are a null as well, of a single one that is empty AWS does not say.

    AWS: "Multivalued context key examples"; "IAM Access Analyzer policy check reference", Null with qualifier.
    """
    if condition.qualifier:
        return _truth(condition.qualifier == "ForAllValues"), f"`{condition.name}` does not look at `{condition.key}`"
    if given == "":
        return Truth.UNKNOWN, f"`{condition.key}` is empty, which `Null` may take for absent"
    is_null = given is None or not any(given)
    holds = any(NULL.compare((value,), "true" if is_null else "false") for value in condition.values)
    state = "absent" if given is None else "empty" if is_null else "present"
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


def _resolve_values(condition: Condition, operator: Operator, context: Context, version: str) -> Values:
    """The values to compare with; None for one whose variable cannot be resolved."""
    if not operator.variables:
        return tuple((value,) for value in condition.values)
    return tuple(expand_variables(value, context, version) for value in condition.values)


def _combine(condition: Condition, operator: Operator, values: Values, given: ContextValue) -> Truth:
    """The verdicts on the request's values as one: a single value under a set operator is a set of one."""
    asked = (given,) if isinstance(given, str) else given
    if condition.qualifier and not any(asked):
        # AWS: values that "resolve to an empty data set (for example, an empty string)".
        return _truth(condition.qualifier == "ForAllValues")
    verdicts = {_compare(operator, values, value) for value in asked}
    decisive = Truth.TRUE if condition.qualifier == "ForAnyValue" else Truth.FALSE
    if decisive in verdicts:
        return decisive
    return Truth.UNKNOWN if Truth.UNKNOWN in verdicts else verdicts.pop()


def _compare(operator: Operator, values: Values, given: str) -> Truth:
    """One value of the request: any policy value for a positive operator, none of them for a negated one.

    What does not parse or resolve matches nothing. AWS does not say whether a negated operator holds then; of a
    variable it says that the whole statement may be invalid ("Variables and tags"): UNKNOWN.
    """
    verdicts = [None if value is None else operator.compare(value, given) for value in values]
    if True in verdicts:
        return _truth(not operator.negated)
    if None in verdicts and (operator.negated or (operator.doubts and _has_doubt(verdicts, values))):
        return Truth.UNKNOWN
    return _truth(operator.negated)


def _has_doubt(verdicts: Sequence[bool | None], values: Values) -> bool:
    """Hold iff a value that was resolved could not be compared."""
    return any(verdict is None and value is not None for verdict, value in zip(verdicts, values, strict=True))


def _truth(holds: bool) -> Truth:
    return Truth.TRUE if holds else Truth.FALSE


def _show(values: ContextValue | Iterable[str]) -> str:
    """A few of the values, in backticks."""
    listed = (values,) if isinstance(values, str) else tuple(values)
    shown = ", ".join(f"`{value}`" for value in listed[:MOST_SHOWN])
    rest = len(listed) - MOST_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown or "no value"
