"""Formulas over atoms: what must hold of a request, as and, or, and literals. Negation is pushed down to the atoms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keyhole.iam.symbolic.atoms import Atom


@dataclass(frozen=True, slots=True)
class Lit:
    """An atom, or that it does not hold."""

    atom: Atom
    positive: bool = True


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Formula, ...]


Formula = bool | Lit | And | Or


def conjoin(parts: Iterable[Formula]) -> Formula:
    """Give that all hold; True for none."""
    kept: list[Formula] = []
    for part in parts:
        if part is False:
            return False
        if isinstance(part, And):
            kept.extend(part.parts)
        elif part is not True:
            kept.append(part)
    return True if not kept else kept[0] if len(kept) == 1 else And(tuple(dict.fromkeys(kept)))


def disjoin(parts: Iterable[Formula]) -> Formula:
    """Give that one holds at least; False for none."""
    kept: list[Formula] = []
    for part in parts:
        if part is True:
            return True
        if isinstance(part, Or):
            kept.extend(part.parts)
        elif part is not False:
            kept.append(part)
    return False if not kept else kept[0] if len(kept) == 1 else Or(tuple(dict.fromkeys(kept)))


def negate(formula: Formula) -> Formula:
    """Give that it does not hold."""
    match formula:
        case bool():
            return not formula
        case Lit():
            return Lit(formula.atom, not formula.positive)
        case And():
            return disjoin(negate(part) for part in formula.parts)
    return conjoin(negate(part) for part in formula.parts)
