"""IAM's policy simulator: policies in, decisions out, by the same engine that the gate enforces with.

AWS: IAM API Reference, SimulatePrincipalPolicy, SimulateCustomPolicy and EvaluationResult; IAM User Guide, "IAM policy
testing with the IAM policy simulator".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from keyhole.iam import compile_policies, decide
from keyhole.iam.model import (
    Context,
    Decision,
    Effect,
    Outcome,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    Request,
    Truth,
)
from keyhole.iam.variables import has_variables

_SEVERITY = {Outcome.ALLOWED: 0, Outcome.IMPLICIT_DENY: 1, Outcome.EXPLICIT_DENY: 2}
_ACTION_ELEMENTS = frozenset({"Action", "NotAction"})


@dataclass(frozen=True, slots=True)
class Source:
    """A policy of a simulation: its id as the simulator tells it, its text, and what it says."""

    policy_id: str
    text: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything of a simulation but the actions and resources.

    `owner` is the resources' account where ARNs name none.
    """

    principal: Principal
    identity: tuple[Source, ...]
    boundary: Source | None
    resource: Source | None
    scps: tuple[tuple[Source, ...], ...]
    context: Context
    owner: str

    @property
    def policies(self) -> PolicySet:
        """The policies in their layers."""
        return PolicySet(
            identity=tuple(source.policy for source in self.identity),
            resource=self.resource.policy if self.resource else None,
            boundary=self.boundary.policy if self.boundary else None,
            scps=tuple(tuple(source.policy for source in level) for level in self.scps),
        )

    @property
    def told(self) -> tuple[Source, ...]:
        """The policies whose statements and keys results name: not the boundary's, nor those of organizations."""
        return (*self.identity, *((self.resource,) if self.resource else ()))


@dataclass(frozen=True, slots=True)
class Simulated:
    """What became of one action on one resource.

    `matched` are statements as (source, number). `by_kind` says what each kind of policy decides by itself, where the
    resource is another account's; `by_boundary` and `by_organization` are None where there is none.
    """

    resource: str
    outcome: Outcome
    matched: tuple[tuple[Source, int], ...]
    missing: tuple[str, ...]
    by_kind: dict[str, Outcome]
    by_boundary: bool | None
    by_organization: bool | None

    @property
    def severity(self) -> int:
        """The higher, the more restrictive."""
        return _SEVERITY[self.outcome]


def simulate_all(setting: Setting, actions: Sequence[str], resources: Sequence[str]) -> list[list[Simulated]]:
    """Decide each action on each resource; policies that are asked more than once are compiled first."""
    if len(actions) * len(resources) > 1:
        evaluator = compile_policies(setting.policies)
        return [[_simulate(setting, evaluator.trace, action, arn) for arn in resources] for action in actions]
    once = partial(decide, policies=setting.policies)
    return [[_simulate(setting, once, action, arn) for arn in resources] for action in actions]


def _simulate(setting: Setting, judge: Callable[[Request], Decision], action: str, resource: str) -> Simulated:
    account = _owner_of(resource) or setting.owner
    request = Request(setting.principal, action, resource, setting.context, account)
    decision = judge(request)
    is_foreign = account != setting.principal.account
    return Simulated(
        resource=resource,
        outcome=decision.outcome,
        matched=tuple(_find_matched(setting, decision)),
        missing=tuple(_find_missing(setting, decision)),
        by_kind=_decide_each(setting, decision) if is_foreign else {},
        by_boundary=_allows(decision, PolicyKind.BOUNDARY) if setting.boundary else None,
        by_organization=PolicyKind.SCP not in decision.blocked_by if setting.scps else None,
    )


def list_keys(policies: Iterable[Policy]) -> list[str]:
    """Give every condition key that the policies name, in conditions and in variables, each once."""
    found: dict[str, str] = {}
    for policy in policies:
        for number in range(len(policy.statements)):
            for key in _keys_of(policy, number):
                found.setdefault(key.lower(), key)
    return sorted(found.values(), key=str.lower)


def most_restrictive(results: Iterable[Outcome]) -> Outcome:
    """Give the outcome that stands for several."""
    return max(results, key=lambda outcome: _SEVERITY[outcome])


def _owner_of(arn: str) -> str:
    fields = arn.split(":", 5)
    return fields[4] if len(fields) == 6 and len(fields[4]) == 12 and fields[4].isdigit() else ""


def _find_matched(setting: Setting, decision: Decision) -> Iterator[tuple[Source, int]]:
    """The statements that decide: every Deny of an explicit one, every Allow where it is allowed."""
    if decision.outcome is Outcome.IMPLICIT_DENY:
        return
    effect = Effect.ALLOW if decision.is_allowed else Effect.DENY
    sources = {source.policy.name: source for source in setting.told}
    for trace in decision.trace:
        applies = trace.truth is Truth.TRUE or (effect is Effect.DENY and trace.truth is Truth.UNKNOWN)
        is_told = trace.layer in (PolicyKind.IDENTITY, PolicyKind.RESOURCE)
        if trace.effect is effect and applies and is_told and trace.policy in sources:
            yield sources[trace.policy], trace.number


def _find_missing(setting: Setting, decision: Decision) -> list[str]:
    """The keys that statements for this action ask for and that nobody gave."""
    sources = {source.policy.name: source.policy for source in setting.told}
    found: dict[str, str] = {}
    for trace in decision.trace:
        is_for_action = any(
            element.element in _ACTION_ELEMENTS and element.truth is Truth.TRUE for element in trace.elements
        )
        is_told = trace.layer in (PolicyKind.IDENTITY, PolicyKind.RESOURCE) and trace.policy in sources
        if is_told and is_for_action and _reaches_keys(trace.elements):
            for key in _keys_of(sources[trace.policy], trace.number):
                if key not in setting.context:
                    found.setdefault(key.lower(), key)
    return list(found.values())


def _reaches_keys(elements: Iterable[tuple[str, Truth, str]]) -> bool:
    """Hold iff the statement is about the resource, so that its conditions count; a variable may be why it is not."""
    return all(
        truth is not Truth.FALSE or name.startswith("Condition") or "${" in detail for name, truth, detail in elements
    )


def _keys_of(policy: Policy, number: int) -> Iterator[str]:
    statement = policy.statements[number]
    for condition in statement.conditions:
        yield condition.key
    texts = [value for condition in statement.conditions for value in condition.values]
    texts += statement.resources.patterns if statement.resources else ()
    for text in texts:
        if has_variables(text, policy.version):
            yield from _variables_in(text)


def _variables_in(text: str) -> Iterator[str]:
    for part in text.split("${")[1:]:
        key = part.partition("}")[0].partition(",")[0].strip()
        if key and key not in ("*", "?", "$"):
            yield key


def _decide_each(setting: Setting, decision: Decision) -> dict[str, Outcome]:
    """What each kind of policy says of a resource of another account, where all of them must allow."""
    kinds = {"IAM Policy": PolicyKind.IDENTITY}
    if setting.resource:
        kinds["Resource Policy"] = PolicyKind.RESOURCE
    if setting.boundary:
        kinds["Permissions Boundary Policy"] = PolicyKind.BOUNDARY
    return {name: _outcome(decision, kind) for name, kind in kinds.items()}


def _outcome(decision: Decision, kind: PolicyKind) -> Outcome:
    traces = [trace for trace in decision.trace if trace.layer is kind]
    if any(trace.effect is Effect.DENY and trace.truth is not Truth.FALSE for trace in traces):
        return Outcome.EXPLICIT_DENY
    is_allowed = any(trace.effect is Effect.ALLOW and trace.truth is Truth.TRUE for trace in traces)
    return Outcome.ALLOWED if is_allowed else Outcome.IMPLICIT_DENY


def _allows(decision: Decision, kind: PolicyKind) -> bool:
    return _outcome(decision, kind) is Outcome.ALLOWED
