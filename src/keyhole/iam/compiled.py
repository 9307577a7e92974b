"""Policies compiled for many requests: the same answers as `decide`, without its trace.

For each action that is asked about, a program is made once: the statements that name the action, layer by layer, with
everything bound that does not depend on the request. What is rare (trust policies, callers without an account, service
rules, statements that cannot be evaluated) is answered by `decide` itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from keyhole.iam.bound import BoundStatement, Values, bind_statement, evaluate_plainly
from keyhole.iam.decide import LAYER_NAMES, decide, describe_statement
from keyhole.iam.layers import LAYER_ORDER, is_bound_by_rcps, is_bound_by_scps, resource_account
from keyhole.iam.model import (
    Decision,
    Outcome,
    Policy,
    PolicyKind,
    PolicySet,
    PrincipalKind,
    Request,
    StatementTrace,
    Truth,
)
from keyhole.iam.principals import Reach
from keyhole.iam.tracing import Trace, bind_trace

MOST_PROGRAMS = 4096
_FAST_KINDS = frozenset({PrincipalKind.USER, PrincipalKind.ROLE_SESSION})
# Actions for which services have rules of their own, or that a resource's policy decides differently.
_OWN_RULES = ("sts:", "kms:", "iam:")

Statements = tuple[BoundStatement, ...]


class Evaluator:
    """Decides many requests by the same policies. Thread-safe: what it learns about an action it only ever adds."""

    __slots__ = ("_groups", "_has_boundary", "_is_plain", "_policies", "_programs")

    def __init__(self, policies: PolicySet) -> None:
        self._policies = policies
        self._has_boundary = policies.boundary is not None
        self._is_plain = policies.trust is not None
        self._groups = tuple((kind, self._bind(kind, group)) for kind, group in _groups(policies))
        self._programs: dict[str, _Program] = {}

    def decide(self, request: Request) -> Decision:
        """Give the decision of `decide(request, policies)`, with an empty trace."""
        program = self._programs.get(request.action)
        if program is None:
            program = self._make_program(request.action)
        return program.decide(request)

    def trace(self, request: Request) -> Decision:
        """Give the decision of `decide(request, policies)`, with its trace."""
        program = self._programs.get(request.action)
        if program is None:
            program = self._make_program(request.action)
        return program.trace(request)

    def _bind(self, kind: PolicyKind, group: tuple[Policy, ...]) -> Statements:
        return tuple(
            bind_statement(policy, index, kind, _describe(policy, index, kind), has_boundary=self._has_boundary)
            for policy in group
            for index in range(len(policy.statements))
        )

    def _make_program(self, action: str) -> _Program:
        if len(self._programs) >= MOST_PROGRAMS:
            self._programs.clear()
        is_plain = self._is_plain or action.lower().startswith(_OWN_RULES) or action.lower().endswith("bucketpolicy")
        program = _Program(self._policies, action, self._groups, has_boundary=self._has_boundary, is_plain=is_plain)
        self._programs[action] = program
        return program


def compile_policies(policies: PolicySet) -> Evaluator:
    """Compile policies for many requests."""
    return Evaluator(policies)


def _groups(policies: PolicySet) -> Iterable[tuple[PolicyKind, tuple[Policy, ...]]]:
    """The layers that are there, in the order of `decide`; each level of SCPs or RCPs is one."""
    yield from ((PolicyKind.SCP, level) for level in policies.scps)
    yield from ((PolicyKind.RCP, level) for level in policies.rcps)
    layers = {
        PolicyKind.ENDPOINT: (policies.endpoint,) if policies.endpoint else (),
        PolicyKind.IDENTITY: policies.identity,
        PolicyKind.BOUNDARY: (policies.boundary,) if policies.boundary else (),
        PolicyKind.SESSION: policies.session or (),
        PolicyKind.RESOURCE: (policies.resource,) if policies.resource else (),
    }
    for kind in LAYER_ORDER:
        if layers.get(kind):
            yield kind, layers[kind]


def _describe(policy: Policy, index: int, kind: PolicyKind) -> str:
    statement = policy.statements[index]
    trace = StatementTrace(kind, policy.name, index, statement.sid, statement.effect, Truth.TRUE, ())
    return describe_statement(trace)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """The statements of one layer, or of one level of it, that name the action."""

    kind: PolicyKind
    allows: Statements
    denies: Statements


class _Program:
    """What there is to do for one action."""

    __slots__ = (
        "_action",
        "_boundary",
        "_denied",
        "_deny_levels",
        "_endpoint",
        "_endpoints",
        "_groups",
        "_has_boundary",
        "_has_organization",
        "_has_session",
        "_identity",
        "_is_plain",
        "_lacking",
        "_limits",
        "_must_allow",
        "_policies",
        "_resource",
        "_scps",
        "_session",
        "_traces",
    )

    def __init__(
        self,
        policies: PolicySet,
        action: str,
        groups: tuple[tuple[PolicyKind, Statements], ...],
        *,
        has_boundary: bool,
        is_plain: bool,
    ) -> None:
        self._policies, self._action = policies, action
        self._is_plain, self._has_boundary = is_plain, has_boundary
        levels = [
            _Level(kind, tuple(s for s in named if not s.denies), tuple(s for s in named if s.denies))
            for kind, group in groups
            for named in (tuple(s for s in group if s.covers_action(action)),)
        ]
        self._groups = groups
        self._traces: tuple[tuple[PolicyKind, tuple[StatementTrace | Trace, ...]], ...] | None = None
        by_kind = {level.kind: level for level in levels}
        self._deny_levels = tuple((level.kind, level.denies) for level in levels if level.denies)
        self._scps = tuple(level.allows for level in levels if level.kind is PolicyKind.SCP)
        self._has_organization = bool(policies.scps or policies.rcps)
        self._endpoint = _allows(by_kind, PolicyKind.ENDPOINT)
        self._identity = _allows(by_kind, PolicyKind.IDENTITY) or ()
        self._boundary = _allows(by_kind, PolicyKind.BOUNDARY)
        self._session = _allows(by_kind, PolicyKind.SESSION)
        self._resource = _allows(by_kind, PolicyKind.RESOURCE) or ()
        self._endpoints = ((PolicyKind.ENDPOINT, self._endpoint),)
        self._must_allow = (*self._endpoints, *((PolicyKind.SCP, level) for level in self._scps))
        self._limits = ((PolicyKind.BOUNDARY, self._boundary), (PolicyKind.SESSION, self._session))
        self._lacking: dict[frozenset[PolicyKind], Decision] = {}
        self._denied: dict[tuple[int, tuple[PolicyKind, ...]], Decision] = {}

    def decide(self, request: Request) -> Decision:
        """Give the decision; see `keyhole.iam.decide` for the rules, which these are in another order."""
        principal = request.principal
        if self._is_plain or principal.kind not in _FAST_KINDS:
            return self._decide_plainly(request)
        resource = request.resource
        values: Values = request.context.by_key
        if self._deny_levels:
            denied = self._find_denies(request, resource, values)
            if denied is not None:
                return denied
        owner = request.resource_account or resource_account(request)
        if owner == principal.account and self._endpoint is None and not self._scps:
            for statement in self._identity:
                if statement.check(request, resource, values):
                    if self._is_within_limits(request, resource, values):
                        return statement.allowed
                    break
        return self._decide_rest(request, resource, values, is_same_account=owner == principal.account)

    def trace(self, request: Request) -> Decision:
        """Give the decision with the trace of every statement that binds the request."""
        if self._is_plain or request.principal.kind not in _FAST_KINDS:
            return decide(request, self._policies)
        if self._traces is None:
            self._traces = tuple(
                (kind, tuple(bind_trace(s, self._action, has_boundary=self._has_boundary) for s in group))
                for kind, group in self._groups
            )
        resource = request.resource
        traces: list[StatementTrace] = []
        for kind, group in self._traces:
            if self._has_organization and not _binds(kind, request):
                continue
            traces.extend([t if t.__class__ is StatementTrace else t(request, resource) for t in group])  # type: ignore[operator]
        decision = self.decide(request)
        return Decision(decision.outcome, decision.reason, decision.blocked_by, tuple(traces))

    def _is_within_limits(self, request: Request, resource: str, values: Values) -> bool:
        if self._boundary is not None and not _any(self._boundary, request, resource, values):
            return False
        return self._session is None or bool(_any(self._session, request, resource, values))

    def _find_denies(self, request: Request, resource: str, values: Values) -> Decision | None:
        """Give the explicit deny, None if there is none; one that could not be evaluated is told by `decide`."""
        found: list[BoundStatement] = []
        for kind, statements in self._deny_levels:
            if self._has_organization and not _binds(kind, request):
                continue
            for statement in statements:
                verdict = statement.check(request, resource, values)
                if verdict is None:
                    return self._decide_plainly(request)
                if verdict:
                    found.append(statement)
        if not found:
            return None
        kinds = {statement.layer for statement in found}
        blocked_by = tuple(kind for kind in LAYER_ORDER if kind in kinds)
        key = (id(found[0]), blocked_by)
        decision = self._denied.get(key)
        if decision is None:
            first = found[0]
            reason = f"{_describe(first.policy, first.index, first.layer)} denies it"
            decision = self._denied[key] = Decision(Outcome.EXPLICIT_DENY, reason, blocked_by, ())
        return decision

    def _decide_rest(self, request: Request, resource: str, values: Values, *, is_same_account: bool) -> Decision:
        """Without an explicit deny: what lacks an allow, or else the statement that grants."""
        must_allow = self._must_allow if not self._scps or is_bound_by_scps(request) else self._endpoints
        blocking = _find_lacking(must_allow, request, resource, values)
        identity = _first(self._identity, request, resource, values)
        granting, reach, is_unsure = self._find_reach(request, resource, values)
        limits = _find_lacking(self._limits, request, resource, values)
        if isinstance(identity, _Unsure) or is_unsure or blocking is None or limits is None:
            return self._decide_plainly(request)
        without_identity = limits if identity else limits | {PolicyKind.IDENTITY}
        if not is_same_account:
            lacking = without_identity | (set() if reach else {PolicyKind.RESOURCE})
        elif reach is Reach.DIRECT:
            lacking = set()
        elif reach is Reach.ROLE:
            lacking = limits
        else:
            lacking = without_identity
        lacking = lacking | blocking
        if not lacking:
            granted = identity or granting
            return granted.allowed if granted else self._decide_plainly(request)
        return self._lack(frozenset(lacking))

    def _find_reach(self, request: Request, resource: str, values: Values) -> tuple[BoundStatement | None, Reach, bool]:
        """The first grant of the resource's policy, the closest reach of all, and whether one was UNKNOWN."""
        first: BoundStatement | None = None
        closest, is_unsure = Reach.NONE, False
        for statement in self._resource:
            if statement.reach is None:
                verdict, reach = evaluate_plainly(
                    statement.policy, statement.index, statement.layer, request, has_boundary=self._has_boundary
                )
            else:
                verdict, reach = statement.check(request, resource, values), statement.reach
            if verdict:
                first = first or statement
                closest = max(closest, reach)
            is_unsure = is_unsure or verdict is None
        return first, closest, is_unsure

    def _lack(self, lacking: frozenset[PolicyKind]) -> Decision:
        decision = self._lacking.get(lacking)
        if decision is None:
            blocked_by = tuple(kind for kind in LAYER_ORDER if kind in lacking)
            names = " and ".join(f"no {LAYER_NAMES[kind]}" for kind in blocked_by)
            reason = f"{names} allows the `{self._action}` action"
            decision = self._lacking[lacking] = Decision(Outcome.IMPLICIT_DENY, reason, blocked_by, ())
        return decision

    def _decide_plainly(self, request: Request) -> Decision:
        return replace(decide(request, self._policies), trace=())


class _Unsure:
    """A statement that could not be evaluated stood in the way of an answer."""


_UNSURE = _Unsure()


def _allows(by_kind: dict[PolicyKind, _Level], kind: PolicyKind) -> Statements | None:
    level = by_kind.get(kind)
    return level.allows if level else None


def _any(statements: Statements, request: Request, resource: str, values: Values) -> bool | None:
    """Hold iff a statement applies; None if none does and one could not be evaluated."""
    verdict: bool | None = False
    for statement in statements:
        found = statement.check(request, resource, values)
        if found:
            return True
        if found is None:
            verdict = None
    return verdict


def _find_lacking(
    groups: Iterable[tuple[PolicyKind, Statements | None]], request: Request, resource: str, values: Values
) -> set[PolicyKind] | None:
    """The layers that are there and do not allow; None where that could not be evaluated."""
    lacking: set[PolicyKind] = set()
    for kind, statements in groups:
        verdict = True if statements is None else _any(statements, request, resource, values)
        if verdict is None:
            return None
        if not verdict:
            lacking.add(kind)
    return lacking


def _first(statements: Statements, request: Request, resource: str, values: Values) -> BoundStatement | _Unsure | None:
    """The first statement that applies; `_UNSURE` if none does and one could not be evaluated."""
    is_unsure = False
    for statement in statements:
        found = statement.check(request, resource, values)
        if found:
            return statement
        is_unsure = is_unsure or found is None
    return _UNSURE if is_unsure else None


def _binds(kind: PolicyKind, request: Request) -> bool:
    if kind is PolicyKind.SCP:
        return is_bound_by_scps(request)
    return kind is not PolicyKind.RCP or is_bound_by_rcps(request)
