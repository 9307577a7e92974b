"""Statements as formulas: when one surely applies, and when it possibly does.

The two differ where the plain engine says UNKNOWN. What hangs on the caller alone, or on keys whose values are given,
is decided here by the plain engine itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from keyhole.iam.conditions import evaluate_condition
from keyhole.iam.match import Wildcard, complete_arn, is_action_pattern, split_wildcards
from keyhole.iam.model import (
    Condition,
    Context,
    ContextValue,
    Element,
    Policy,
    PolicyKind,
    PrincipalElement,
    Request,
    Statement,
    Truth,
)
from keyhole.iam.operators.registry import QUALIFIERS, find_operator
from keyhole.iam.principals import ACCOUNT_KINDS, Reach, named_account
from keyhole.iam.statement import COMPLETED_KINDS, PRINCIPAL_KINDS, judge_principal
from keyhole.iam.symbolic.atoms import ACTION, KEY, RESOURCE, Atom
from keyhole.iam.symbolic.conditions import EVERYTHING, condition_atoms
from keyhole.iam.symbolic.formula import Formula, Lit, conjoin, disjoin, negate
from keyhole.iam.symbolic.keys import may_have_several
from keyhole.iam.symbolic.language import Language, Pattern, make_pattern
from keyhole.iam.symbolic.variables import Expanded, expand

_ANY_ACTION = "*"
_USER_ID = "aws:userid"


class Bounds(NamedTuple):
    """A formula that holds only where it surely does, and one that holds wherever it may."""

    sure: Formula
    possible: Formula


class Encoded(NamedTuple):
    """When a statement applies, and how closely it names the caller."""

    bounds: Bounds
    reach: Reach


@dataclass(slots=True)
class Encoder:
    """Makes the formulas of one question. `given`: the condition keys whose values are known, all of them lower case.

    A key in `given` whose value is None is known to be absent. `request` has the caller.
    """

    request: Request
    given: Mapping[str, ContextValue | None] = field(default_factory=dict)
    settles_doubts: bool = False
    """Whether what the plain engine cannot tell may be either, but the same everywhere."""
    keys: dict[str, str] = field(default_factory=dict)
    """The condition keys that the policies speak of and that are free, as they are written."""
    several: set[str] = field(default_factory=set)
    """The dimensions of those that may have several values."""
    variables: set[str] = field(default_factory=set)
    """The keys whose values policy variables hang on, and that are free."""
    _atoms: dict[tuple[object, ...], Atom] = field(default_factory=dict)
    _context: Context = field(init=False)

    def __post_init__(self) -> None:
        self._context = Context({key: value for key, value in self.given.items() if value is not None})

    def statement(
        self, policy: Policy, statement: Statement, layer: PolicyKind, *, has_boundary: bool
    ) -> Iterator[Encoded]:
        """Give when the statement applies to the question's caller: once for each way in which it names the caller."""
        ways = [Encoded(Bounds(True, True), Reach.NONE)]
        if layer in PRINCIPAL_KINDS:
            ways = [way for way in self._principal(statement, layer, has_boundary) if way.bounds.possible is not False]
        if not ways or (statement.resources is None and layer is not PolicyKind.TRUST):
            return
        parts = [self._actions(statement.actions)]
        if statement.resources is not None:
            parts.append(self._resources(statement.resources, policy.version, layer))
        parts += [self.condition(condition, policy.version) for condition in statement.conditions]
        for way, reach in ways:
            sure = conjoin((way.sure, *(part.sure for part in parts)))
            possible = conjoin((way.possible, *(part.possible for part in parts)))
            yield Encoded(Bounds(sure, possible), reach)

    def _principal(self, statement: Statement, layer: PolicyKind, has_boundary: bool) -> Iterator[Encoded]:
        """Give when the statement's Principal covers the caller; by its unique id that hangs on `aws:userid`."""
        principals = statement.principals
        ids = () if _USER_ID in self.given else _unique_ids(principals)
        asked = replace(self.request, context=self._context) if self.given else self.request
        is_of_account = self.request.principal.kind in ACCOUNT_KINDS
        if principals is None or principals.negated or not ids or not is_of_account:
            trace, reach = judge_principal(asked, statement, layer, has_boundary)
            bounds = Bounds(trace.truth is Truth.TRUE, trace.truth is not Truth.FALSE)
            if trace.truth is Truth.UNKNOWN:
                # Whom nobody can look up may be this very caller.
                reach = Reach.DIRECT
            yield Encoded(self._settle(bounds, (layer, principals)), reach)
            return
        self.keys.setdefault(_USER_ID, _USER_ID)
        others = replace(principals, patterns=tuple(each for each in principals.patterns if each.value not in ids))
        trace, reach = judge_principal(asked, replace(statement, principals=others), layer, has_boundary)
        reach = Reach.DIRECT if trace.truth is Truth.UNKNOWN else reach
        yield Encoded(Bounds(trace.truth is Truth.TRUE, trace.truth is not Truth.FALSE), reach)
        for value in ids:
            itself = Lit(self._id_atom(value, make_pattern((value,))))
            session = Lit(self._id_atom(value, make_pattern((f"{value}:", Wildcard.ANY))))
            yield Encoded(Bounds(itself, itself), Reach.DIRECT)
            yield Encoded(Bounds(session, session), Reach.ROLE)

    def _id_atom(self, value: str, pattern: Pattern) -> Atom:
        key = (_USER_ID, value, pattern)
        if key not in self._atoms:
            self._atoms[key] = Atom(KEY + _USER_ID, Language((pattern,)))
        return self._atoms[key]

    def _settle(self, bounds: Bounds, what: object) -> Bounds:
        """Give, of what nobody can tell, that it holds or does not, but the same wherever it stands."""
        if not self.settles_doubts or bounds.sure is not False or bounds.possible is not True:
            return bounds
        key = ("doubt", what)
        if key not in self._atoms:
            self._atoms[key] = Atom(f"doubt {len(self._atoms)}", EVERYTHING, opaque=True)
        return Bounds(Lit(self._atoms[key]), Lit(self._atoms[key]))

    def action_in(self, patterns: Iterable[str]) -> Lit:
        """Give that the action fits one of the patterns."""
        return Lit(self._action_atom(tuple(patterns)))

    def resource_in(self, patterns: Iterable[str]) -> Lit:
        """Give that the resource fits one of the patterns, all of them without variables."""
        return Lit(self._resource_atom(tuple(make_pattern(split_wildcards(text)) for text in patterns)))

    def _actions(self, element: Element) -> Bounds:
        if any(pattern == _ANY_ACTION for pattern in element.patterns):
            return Bounds(not element.negated, not element.negated)
        lit = Lit(self._action_atom(element.patterns), not element.negated)
        return Bounds(lit, lit)

    def _action_atom(self, patterns: tuple[str, ...]) -> Atom:
        key = (ACTION, patterns)
        if key not in self._atoms:
            self._atoms[key] = Atom(ACTION, _action_language(patterns))
        return self._atoms[key]

    def _resource_atom(self, patterns: tuple[Pattern, ...]) -> Atom:
        key = (RESOURCE, patterns)
        if key not in self._atoms:
            star = any(p.parts and all(part is Wildcard.ANY for part in p.parts) for p in patterns)
            self._atoms[key] = Atom(RESOURCE, Language(patterns), star=star)
        return self._atoms[key]

    def _resources(self, element: Element, version: str, layer: PolicyKind) -> Bounds:
        plain: list[Pattern] = []
        sure: list[Formula] = []
        possible: list[Formula] = []
        doubtful = False
        for text in element.patterns:
            found = self._expand(text, version)
            doubtful = doubtful or found is None or not found.is_known
            if found is None:
                continue
            if found.is_known and not found.has_variables:
                plain.append(make_pattern(found.parts))
                if layer in COMPLETED_KINDS and (whole := complete_arn(text)) != text:
                    plain.append(make_pattern(split_wildcards(whole)))
            else:
                lit = Lit(self._variable_atom(text, found))
                possible.append(lit)
                if found.starts_late:
                    sure.append(lit)
        if plain:
            lit = Lit(self._resource_atom(tuple(dict.fromkeys(plain))))
            sure.append(lit)
            possible.append(lit)
        if not element.negated:
            return Bounds(disjoin(sure), disjoin(possible))
        if not doubtful:
            return Bounds(negate(disjoin(possible)), negate(disjoin(sure)))
        # None of them may fit; of one whose variable has no value nobody can say that it does not.
        return Bounds(Lit(self._doubtful_atom(element, "sure")), Lit(self._doubtful_atom(element, "possible")))

    def _variable_atom(self, text: str, found: Expanded) -> Atom:
        key = (RESOURCE, "variable", text, found.parts)
        if key not in self._atoms:
            language = Language((make_pattern(found.parts),))
            self._atoms[key] = Atom(RESOURCE, language, opaque=not found.is_known)
        return self._atoms[key]

    def _doubtful_atom(self, element: Element, bound: str) -> Atom:
        """Give the atom of a NotResource that hangs on variables: of it nothing is known but that it equals itself."""
        key = (RESOURCE, "not", element.patterns, bound)
        if key not in self._atoms:
            self._atoms[key] = Atom(RESOURCE, EVERYTHING, star=None, opaque=True)
        return self._atoms[key]

    def _expand(self, text: str, version: str) -> Expanded | None:
        found = expand(text, self.given, version)
        if found is not None:
            self.variables.update(found.free)
        return found

    def condition(self, condition: Condition, version: str) -> Bounds:
        """Give when the condition holds."""
        key = condition.key.lower()
        operator = find_operator(condition.operator)
        if operator is None or condition.qualifier not in {"", *QUALIFIERS.values()}:
            return self._decided(condition, version)
        if not condition.values:
            is_decided = key in self.given or condition.qualifier == "ForAnyValue"
            if is_decided or not (condition.qualifier or condition.if_exists):
                return self._decided(condition, version)
        expanded = [self._expand(value, version) for value in condition.values if operator.variables]
        has_free = any(found is not None and not found.is_known for found in expanded)
        if key in self.given and not has_free:
            return self._decided(condition, version)
        self.keys.setdefault(key, condition.key)
        if may_have_several(key, is_read_as_set=bool(condition.qualifier)):
            self.several.add(KEY + key)
        cached = (KEY, condition, version)
        sure_key, possible_key = (*cached, "sure"), (*cached, "possible")
        if sure_key not in self._atoms:
            sure, possible = condition_atoms(condition, operator, version, self.given)
            self._atoms[sure_key], self._atoms[possible_key] = sure, possible
        return Bounds(Lit(self._atoms[sure_key]), Lit(self._atoms[possible_key]))

    def _decided(self, condition: Condition, version: str) -> Bounds:
        truth, _ = evaluate_condition(condition, self._context, version)
        return self._settle(Bounds(truth is Truth.TRUE, truth is not Truth.FALSE), (condition, version))


def _unique_ids(element: PrincipalElement | None) -> tuple[str, ...]:
    """Give the entries that name a user or role by what AWS keeps of it (`AIDA…`, `AROA…`)."""
    listed = [pattern.value for pattern in element.patterns if pattern.kind == "AWS"] if element else []
    return tuple(
        value for value in listed if value != "*" and not value.startswith("arn:") and not named_account(value)
    )


@lru_cache(maxsize=4096)
def _action_language(patterns: tuple[str, ...]) -> Language:
    return Language(tuple(pattern for text in patterns if (pattern := _action_pattern(text)) is not None))


def _action_pattern(text: str) -> Pattern | None:
    """Give the pattern in lower case, None where it is malformed and names nothing."""
    return make_pattern(split_wildcards(text.lower())) if is_action_pattern(text) else None
