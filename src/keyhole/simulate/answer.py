"""The answer to a question: the engine's decision, as data and as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from keyhole.iam import (
    Decision,
    Effect,
    Outcome,
    PolicySet,
    StatementTrace,
    Truth,
    decide,
    denial_message,
    explain,
)
from keyhole.simulate.question import Question

_RANK = {Outcome.ALLOWED: 0, Outcome.IMPLICIT_DENY: 1, Outcome.EXPLICIT_DENY: 2}


def decide_question(question: Question) -> Decision:
    """The engine's decision; of several boundaries or endpoint policies, that with the strictest of each.

    This is exact: a layer adds to a decision an explicit deny, the lack of an allow, or nothing, whatever the other
    layers add; so the strictest of one layer is the strictest beside any of the other.
    """
    rules = question.rules
    strictest = rules.decide(question.request)
    if not rules.more_boundaries and not rules.more_endpoints:
        return strictest
    chosen, traces = rules.policies, list(strictest.trace)
    for field, variants in (("boundary", rules.more_boundaries), ("endpoint", rules.more_endpoints)):
        for policy in variants:
            tried: PolicySet = replace(chosen, **{field: policy})  # type: ignore[arg-type]  # both fields take a Policy
            decision = decide(question.request, tried)
            traces += (trace for trace in decision.trace if trace not in traces)
            if _severity(decision) > _severity(strictest):
                chosen, strictest = tried, decision
    return replace(strictest, trace=tuple(traces))


def _severity(decision: Decision) -> tuple[int, int]:
    return _RANK[decision.outcome], len(decision.blocked_by)


def answer_question(question: Question) -> dict[str, Any]:
    """The decision for machines: outcome, layers that blocked it, statements that decided it, AWS's sentence."""
    return describe_decision(question, decide_question(question))


def describe_decision(question: Question, decision: Decision) -> dict[str, Any]:
    """The decision as an answer line has it."""
    return {
        "decision": decision.outcome.value,
        "blocked_by": [kind.value for kind in decision.blocked_by],
        "matched": list(_list_matched(decision)),
        "message": denial_message(question.request, decision),
    }


def _list_matched(decision: Decision) -> Iterator[dict[str, Any]]:
    """The statements that decided: every Allow of what is allowed, every Deny of what is denied explicitly.

    A Deny that could not be evaluated denies; it is marked, for nobody can say that it matched.
    """
    if decision.outcome is Outcome.IMPLICIT_DENY:
        return
    effect = Effect.ALLOW if decision.is_allowed else Effect.DENY
    for trace in decision.trace:
        if trace.effect is not effect or trace.truth is Truth.FALSE:
            continue
        if decision.is_allowed:
            if trace.truth is Truth.TRUE:
                yield _name_statement(trace)
        elif trace.layer in decision.blocked_by:
            yield _name_statement(trace)


def _name_statement(trace: StatementTrace) -> dict[str, Any]:
    named: dict[str, Any] = {"policy": trace.policy, "statement": trace.sid or trace.number}
    return named if trace.truth is Truth.TRUE else {**named, "truth": trace.truth.value}


def render_decision(question: Question, decision: Decision, *, verbose: bool = False) -> str:
    """The decision for people: outcome, reason, layers, AWS's sentence; every statement if `verbose`."""
    lines = [f"{decision.outcome.value}: {decision.reason}"]
    if decision.blocked_by:
        lines.append(f"  blocked by: {', '.join(kind.value for kind in decision.blocked_by)}")
    if message := denial_message(question.request, decision):
        lines.append(f"  AWS says: {message}")
    if verbose:
        lines += ["", explain(question.request, decision)]
    return "\n".join(lines)
