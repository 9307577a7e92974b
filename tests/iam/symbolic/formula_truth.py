"""What a formula says of one request, for comparing it with the plain engine."""

from __future__ import annotations

from keyhole.iam import Request
from keyhole.iam.symbolic.atoms import ABSENT, ACTION, KEY, RESOURCE, Atom, State, Value
from keyhole.iam.symbolic.formula import And, Formula, Lit, Or


def value_of(request: Request, dimension: str) -> Value:
    """Give what the request has in a dimension."""
    if dimension == ACTION:
        return Value(State.ONE, (request.action.lower(),))
    if dimension == RESOURCE:
        return Value(State.STAR) if request.resource == "*" else Value(State.ONE, (request.resource,))
    given = request.context.get(dimension.removeprefix(KEY))
    if given is None or given == ():
        return ABSENT
    texts = (given,) if isinstance(given, str) else given
    return Value(State.ONE if len(texts) == 1 else State.SEVERAL, texts)


def is_true(formula: Formula, request: Request) -> bool:
    """Hold iff the formula holds of the request."""
    match formula:
        case bool():
            return formula
        case Lit(atom, positive):
            return atom.holds(value_of(request, atom.dimension)) is positive
        case And(parts):
            return all(is_true(part, request) for part in parts)
        case Or(parts):
            return any(is_true(part, request) for part in parts)


def atoms_of(formula: Formula) -> set[Atom]:
    """Give its atoms."""
    match formula:
        case Lit(atom, _):
            return {atom}
        case And(parts) | Or(parts):
            return {atom for part in parts for atom in atoms_of(part)}
    return set()
