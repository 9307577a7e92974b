"""One condition as atoms: when it surely holds, and when it possibly does.

What an operator's values mean as a set stands beside the operator itself, in `keyhole.iam.operators`.
AWS: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from keyhole.iam.conditions import evaluate_condition
from keyhole.iam.match import Wildcard, has_arn_fields
from keyhole.iam.model import Condition, Context, Truth
from keyhole.iam.operators.null import NULL
from keyhole.iam.operators.operator import Cut, Operator, Texts
from keyhole.iam.symbolic.atoms import KEY, Atom, Quantifier
from keyhole.iam.symbolic.keys import may_be_malformed
from keyhole.iam.symbolic.language import Language, Pattern, Style, make_pattern
from keyhole.iam.symbolic.variables import Given, expand

NOTHING = Language(())
EMPTY = Language((make_pattern(()),))
EVERYTHING = Language((make_pattern((Wildcard.ANY,)),))
_MALFORMED = "\N{REPLACEMENT CHARACTER}"


def condition_atoms(condition: Condition, operator: Operator, version: str, given: Given) -> tuple[Atom, Atom]:
    """Give the atoms "surely" and "possibly", which are one where nothing is in doubt.

    A condition without values has a qualifier or `IfExists`.
    """
    dimension = KEY + condition.key.lower()
    known = Context({key: value for key, value in given.items() if value is not None and key != condition.key.lower()})
    absent, _ = evaluate_condition(condition, known, version)
    if not condition.values:
        # With nothing to compare with, what is absent or empty passes, and nothing else.
        atom = Atom(dimension, EMPTY, absent=absent is Truth.TRUE)
        return atom, atom
    if operator is NULL:
        return _null_atoms(condition, dimension, absent)
    quantifier = Quantifier(condition.qualifier)
    if operator.texts is not None:
        sure, possible = _text_atoms(condition, operator, operator.texts, version=version, given=given)
    else:
        sure, possible = _cut_atoms(condition, operator, version, dimension)
    made = tuple(
        replace(atom, absent=absent is Truth.TRUE or (absent is not Truth.FALSE and atom is not sure))
        for atom in (sure, possible)
    )
    if quantifier is not Quantifier.NONE:
        made = tuple(replace(atom, quantifier=quantifier) for atom in made)
    else:
        made = (replace(made[0], several=False), replace(made[1], several=True))
    is_one = sure is possible and quantifier is not Quantifier.NONE and absent is not Truth.UNKNOWN
    return (made[0], made[0]) if is_one else (made[0], made[1])


def _null_atoms(condition: Condition, dimension: str, absent: Truth) -> tuple[Atom, Atom]:
    """`Null` looks at presence alone; of a single value that is empty AWS does not say."""
    if condition.qualifier:
        holds = condition.qualifier == "ForAllValues"
        atom = Atom(dimension, NOTHING, negated=holds, absent=holds, several=holds)
        return atom, atom
    present = any(value.lower() == "false" for value in condition.values)
    is_absent = absent is Truth.TRUE
    if present:
        return (
            Atom(dimension, EMPTY, negated=True, absent=is_absent, several=True),
            Atom(dimension, NOTHING, negated=True, absent=is_absent, several=True),
        )
    return Atom(dimension, NOTHING, absent=is_absent), Atom(dimension, EMPTY, absent=is_absent)


def _text_atoms(
    condition: Condition, operator: Operator, texts: Texts, *, version: str, given: Given
) -> tuple[Atom, Atom]:
    patterns: list[Pattern] = []
    doubtful: list[Pattern] = []
    opaque = lacks = hangs_on_fields = False
    for value in condition.values:
        found = expand(value, given, version, wildcards=texts.wildcards)
        if found is None:
            lacks = True
            continue
        opaque = opaque or not found.is_known
        if texts.style is Style.IGNORE_CASE and not all(p.isascii() for p in found.parts if isinstance(p, str)):
            patterns.append(make_pattern((Wildcard.ANY,)))
            opaque = True
        elif texts.style is Style.ARN and not found.is_known:
            # The value may bring colons along: as a plain text the pattern covers whatever it becomes.
            patterns.append(make_pattern(found.parts))
            hangs_on_fields = hangs_on_fields or not has_arn_fields(found.parts)
        elif texts.style is Style.ARN and not has_arn_fields(found.parts):
            # Without six fields it is no ARN: where it fits as a plain text, nobody can say what AWS does.
            doubtful.append(make_pattern(found.parts))
        else:
            patterns.append(make_pattern(found.parts, texts.style))
    certain, upper = Language(tuple(patterns)), Language((*patterns, *doubtful))
    is_doubtful = bool(doubtful) or (lacks and operator.negated)
    sure = Atom(KEY + condition.key.lower(), certain, negated=operator.negated, opaque=opaque)
    if opaque and operator.negated:
        # Of a variable without a value nobody can say that it is not the text: that may be so of every text.
        return replace(sure, language=EVERYTHING), sure
    if opaque and hangs_on_fields:
        return sure, replace(sure, language=upper)
    if not is_doubtful:
        return sure, sure
    if not operator.negated:
        return sure, replace(sure, language=upper)
    return replace(sure, language=EVERYTHING if lacks else upper), sure


def _cut_atoms(condition: Condition, operator: Operator, version: str, dimension: str) -> tuple[Atom, Atom]:
    """Operators on numbers, dates, addresses, booleans: the plain engine judges samples of every part."""
    plain = replace(condition, qualifier="", if_exists=False)
    key, cut = condition.key, operator.cut
    if cut is None or any("${" in value for value in condition.values):
        return Atom(dimension, EVERYTHING, opaque=True), Atom(dimension, EVERYTHING, opaque=True)

    @cache
    def judge(text: str) -> Truth:
        return evaluate_condition(plain, Context({key: text}), version)[0]

    strangers = (_MALFORMED,) if may_be_malformed(key, condition.operator) else ()
    sure = Atom(
        dimension, test=lambda text: judge(text) is Truth.TRUE, points=condition.values, cut=cut, strangers=strangers
    )
    if not operator.negated or (not strangers and _are_typed(condition.values, operator, cut)):
        return sure, sure
    return sure, replace(sure, test=lambda text: judge(text) is not Truth.FALSE)


def _are_typed(values: tuple[str, ...], operator: Operator, cut: Cut) -> bool:
    """Hold iff the operator can compare each of the values; with one that it cannot, a negated one is in doubt."""
    sample = cut(())[-1]
    return all(operator.compare((value,), sample) is not None for value in values)
