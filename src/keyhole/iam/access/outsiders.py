"""Whom outside an account, and which of its federated users, a resource's own policy lets in by itself.

AWS: IAM User Guide, "Cross-account policy evaluation logic"; AWS STS API Reference, "GetFederationToken".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keyhole.iam.access.asking import Voice, find_allowed
from keyhole.iam.access.standing import Can, Standing, Target, Way, too_late
from keyhole.iam.access.words import describe_condition
from keyhole.iam.decide import decide, describe_statement
from keyhole.iam.model import Effect, PolicySet, PrincipalKind, Request, Truth
from keyhole.iam.service_rules import rightful_actions
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.callers import Caller, callers_of
from keyhole.iam.symbolic.compare import everything
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, negate
from keyhole.iam.symbolic.question import Answer, Verdict

_OTHERS = "others outside the account"


def find_outsiders_of_all(account: str, targets: Iterable[Target], budget: Budget) -> Iterator[Standing]:
    """Give the same for several resources, within one budget."""
    for target in targets:
        if budget.is_over:
            yield Standing(_OTHERS, Can.UNKNOWN, reason=too_late(budget))
            return
        yield from find_outsiders(account, target, budget)


def find_outsiders(account: str, target: Target, budget: Budget | None = None) -> Iterator[Standing]:
    """Give who of no user, role or root of the account can: other accounts, services, providers, everyone.

    Of other accounts it is taken that they let their own. The budget is for all of them together.
    """
    budget = budget or Budget()
    for caller in _callers(target):
        principal = caller.request.principal
        if principal.account != account:
            identity = (everything(),) if principal.account else ()
            session = identity if principal.kind is PrincipalKind.FEDERATED_USER else ()
            yield from _judge_caller(caller, target, PolicySet(identity, session=session), budget)


def find_federated(account: str, target: Target, budget: Budget) -> Iterator[Standing]:
    """Give the federated users of the account whom the resource's own policy lets in by itself.

    What else one may do, the user may do who calls GetFederationToken for it.
    """
    for caller in _callers(target):
        principal = caller.request.principal
        if principal.account == account and principal.kind is PrincipalKind.FEDERATED_USER:
            yield from _judge_caller(caller, target, PolicySet(), budget)


def _callers(target: Target) -> Iterator[Caller]:
    """Give whom the resource's own policy names, and strangers of each sort."""
    if target.policy is not None:
        yield from callers_of((target.policy,), target.kind, account=target.account)


def _judge_caller(caller: Caller, target: Target, around: PolicySet, budget: Budget) -> Iterator[Standing]:
    """Give one who can, or of whom it cannot be told, with these policies of its own; nothing if it cannot."""
    kind, arn, policies = caller.request.principal.kind, _describe_caller(caller), target.with_whole(around)
    if budget.is_over:
        yield Standing(arn, Can.UNKNOWN, reason=too_late(budget), kind=kind)
        return
    answer = _ask_caller(caller, target, policies, budget.part())
    if answer.witness is not None:
        yield Standing(arn, Can.CAN, tuple(_ways(answer.witness, target, policies)), kind=kind)
    elif answer.verdict is Verdict.UNKNOWN:
        yield Standing(arn, Can.UNKNOWN, reason=answer.reason, kind=kind)


def _describe_caller(caller: Caller) -> str:
    """Give whom a caller stands for: itself, or all of its sort."""
    principal = caller.request.principal
    free = caller.free.get("aws:principalarn", ())
    if free:
        return free[0].replace("?" * 12, "*").replace("?*", "*")
    if principal.kind is PrincipalKind.SERVICE and caller.free:
        return "any AWS service"
    return principal.role_arn or principal.arn or "anyone on the web"


def _ask_caller(caller: Caller, target: Target, policies: PolicySet, budget: Budget) -> Answer:
    """Look for a request of somebody that the resource's policy allows, beside what nobody can be denied."""
    voice = Voice(caller.request.principal, caller.given, stranger=caller)

    def goals(encoder: Encoder) -> Iterator[Formula]:
        yield from target.goals(encoder)
        if rights := rightful_actions(caller.request):
            yield negate(encoder.action_in(rights))

    return find_allowed(voice, policies, goals, budget, resource_account=target.account)


def _ways(witness: Request, target: Target, policies: PolicySet) -> Iterator[Way]:
    """Give each statement of the resource's own policy that allows the request."""
    statements = target.policy.statements if target.policy is not None else ()
    for trace in decide(witness, policies).trace:
        if trace.layer is target.kind and trace.effect is Effect.ALLOW and trace.truth is Truth.TRUE:
            statement = statements[trace.number]
            conditions = tuple(map(describe_condition, statement.conditions))
            yield Way(describe_statement(trace), conditions, witness)
