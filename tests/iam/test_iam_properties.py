"""What holds of every policy and every request, whatever they say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from iam_strategies import policies, policy_sets, requests, statements

from keyhole.iam import (
    Decision,
    Effect,
    Outcome,
    Policy,
    PolicyKind,
    PolicySet,
    Request,
    Statement,
    Truth,
    decide,
    denial_message,
    explain,
    parse_policy,
    render_policy,
)

RENDERED_KINDS = [PolicyKind.IDENTITY, PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.SCP, PolicyKind.ENDPOINT]
LISTS, SINGLES = ("identity", "session"), ("resource", "boundary", "endpoint")


def policies_of(given_set: PolicySet, field: str) -> list[Policy]:
    """The policies of a layer as a list."""
    value = getattr(given_set, field)
    if value is None:
        return []
    return [value] if isinstance(value, Policy) else list(value)


def put_policies(given_set: PolicySet, field: str, several: list[Policy]) -> PolicySet:
    """The set with a layer's policies exchanged."""
    layer: dict[str, Any] = {field: several[0] if field in SINGLES else tuple(several)}
    return replace(given_set, **layer)


@given(st.sampled_from(RENDERED_KINDS).flatmap(lambda kind: st.tuples(st.just(kind), policies(kind))))
def test_parse_undoes_render(pair: tuple[PolicyKind, Policy]) -> None:
    """A rendered policy parses to itself, as a mapping and as JSON text."""
    kind, policy = pair
    document = render_policy(policy)
    assert parse_policy(document, kind, policy.name) == policy
    assert parse_policy(json.dumps(document), kind, policy.name) == policy
    assert render_policy(parse_policy(document, kind)) == document


@given(requests, policy_sets, st.data())
def test_another_deny_never_widens(request: Request, given_set: PolicySet, data: st.DataObject) -> None:
    """What is denied stays denied when any layer gets another Deny statement."""
    fields = [field for field in (*LISTS, *SINGLES) if policies_of(given_set, field)]
    if not fields:
        given_set, fields = replace(given_set, identity=(Policy(()),)), ["identity"]
    field = data.draw(st.sampled_from(fields))
    deny: Statement = replace(data.draw(statements(PolicyKind(field))), effect=Effect.DENY)
    several = policies_of(given_set, field)
    first = replace(several[0], statements=(*several[0].statements, deny))
    wider = put_policies(given_set, field, [first, *several[1:]])
    before, after = decide(request, given_set), decide(request, wider)
    assert before.is_allowed or not after.is_allowed
    assert before.outcome is not Outcome.EXPLICIT_DENY or after.outcome is Outcome.EXPLICIT_DENY


@given(requests, policy_sets)
def test_order_never_matters(request: Request, given_set: PolicySet) -> None:
    """Statements and policies in any order give the same outcome and the same blocking layers."""
    turned = given_set
    for field in (*LISTS, *SINGLES):
        several = policies_of(given_set, field)
        if several:
            backwards = [replace(policy, statements=policy.statements[::-1]) for policy in several[::-1]]
            turned = put_policies(turned, field, backwards)
    before, after = decide(request, given_set), decide(request, turned)
    assert (before.outcome, before.blocked_by) == (after.outcome, after.blocked_by)


@given(requests, policy_sets)
def test_every_decision_accounts_for_itself(request: Request, given_set: PolicySet) -> None:
    """An allow is blocked by nothing, a denial by something; an Allow that is UNKNOWN never granted."""
    decision: Decision = decide(request, given_set)
    assert decision.is_allowed is not bool(decision.blocked_by)
    assert decision.is_allowed is (denial_message(request, decision) == "")
    assert decision.reason in explain(request, decision)
    if decision.is_allowed:
        assert all(trace.truth is Truth.FALSE for trace in decision.trace if trace.effect is Effect.DENY)
    for trace in decision.trace:
        assert trace.truth is Truth.FALSE or all(element.truth is not Truth.FALSE for element in trace.elements)
        assert all(element.truth is not Truth.FALSE for element in trace.elements[:-1])


@given(requests, policy_sets)
def test_action_case_never_matters_to_a_decision(request: Request, given_set: PolicySet) -> None:
    """An action asked in capitals is decided alike."""
    loud = replace(request, action=request.action.upper())
    assert decide(request, given_set).outcome is decide(loud, given_set).outcome


@given(requests, policy_sets, policies(PolicyKind.BOUNDARY))
def test_a_boundary_never_widens(request: Request, given_set: PolicySet, boundary: Policy) -> None:
    """What is denied without a boundary is denied with one."""
    without = replace(given_set, boundary=None)
    assert decide(request, without).is_allowed or not decide(request, replace(without, boundary=boundary)).is_allowed
