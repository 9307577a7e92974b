"""Whether a user or role can give itself more than it has: a path, step by step, or that there is none.

From whom it is, all is collected that it can become (other users, roles) and change of its own (policies, boundary),
until nothing is new. Each step is a request that `decide` allows; at its end something is allowed that was not before.
AWS: IAM User Guide, "Policy evaluation logic"; the actions stand in `escalation_steps`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from keyhole.errors import PolicyError
from keyhole.iam.access.account import Account, Holder
from keyhole.iam.access.asking import sessions_of
from keyhole.iam.access.document import Document
from keyhole.iam.access.escalation_changes import (
    doubt_credentials,
    doubt_tags,
    doubt_takeovers,
    lift_denies,
    may_give_more,
    services_of,
)
from keyhole.iam.access.escalation_creation import create_others
from keyhole.iam.access.escalation_resources import open_resources
from keyhole.iam.access.escalation_search import Escalation, FoundError, Power, Search, policy_naming
from keyhole.iam.access.escalation_steps import (
    ADMINISTRATOR,
    GROUP_STEPS,
    POLICY_STEPS,
    ROLE_FREEING,
    ROLE_STEPS,
    RUNNERS,
    USER_DOORS,
    USER_FREEING,
    USER_STEPS,
    OwnStep,
)
from keyhole.iam.model import Effect, Policy, PolicyKind, PolicySet, Principal, PrincipalKind, Request, Truth
from keyhole.iam.statement import judge_principal
from keyhole.iam.symbolic.budget import Budget, BudgetError
from keyhole.iam.symbolic.compare import everything
from keyhole.iam.symbolic.question import Verdict


def find_escalation(account: Account, holder: Holder, budget_s: float = 5.0, *, is_whole: bool = True) -> Escalation:
    """Look for a path.

    Without `is_whole` the account holds those of one file, and may have others: to become one of these is a doubt, and
    to become one of the file's as it is, is nothing more than the file gives.
    """
    problem = holder.find_problem()
    if problem:
        return Escalation(Verdict.UNKNOWN, reason=problem)
    start = Power(holder, holder.policies())
    search = Search(account, start, Budget(budget_s), () if is_whole else tuple(_imagine(account)))
    try:
        search.take(start)
        while search.queue:
            _explore(search, search.queue.pop(0))
    except FoundError as found:
        return found.escalation
    except BudgetError as error:
        return Escalation(Verdict.UNKNOWN, reason=str(error))
    if search.doubts:
        return Escalation(Verdict.UNKNOWN, reason=search.doubts[0])
    return Escalation(Verdict.HOLDS)


def _explore(search: Search, power: Power) -> None:
    """Take every step that this one can: on itself, on all that were reached, on resources, and towards others."""
    for target in list(search.powers.values()):
        _change(search, power, target)
    open_resources(search, power)
    create_others(search, power)
    for holder in (*search.account.holders, *search.others):
        if holder.arn not in search.powers:
            _reach(search, power, holder)


def _change(search: Search, power: Power, target: Power) -> None:
    """Change the policies of somebody who was reached."""
    holder, policies, groups = target.holder, target.policies, search.account.groups
    lift_denies(search, power, target)
    doubt_tags(search, power, target)
    if not target.is_wide:
        wide = replace(policies, identity=(*policies.identity, everything()))
        places = [(ROLE_STEPS if holder.is_role else USER_STEPS, holder.arn)]
        places += [(GROUP_STEPS, groups[name]) for name in holder.groups if name in groups]
        places += [(POLICY_STEPS, arn) for arn in holder.attached if f"::{search.account.number}:" in arn]
        for steps, arn in places:
            for step in steps:
                _change_by(search, power, step, arn, target, wide)
        if not holder.is_role:
            _join(search, power, target)
    if policies.boundary is not None:
        free = replace(policies, boundary=None)
        for step in ROLE_FREEING if holder.is_role else USER_FREEING:
            _change_by(search, power, step, holder.arn, target, free)
        if f"::{search.account.number}:" in policies.boundary.name:
            for step in POLICY_STEPS:
                _change_by(search, power, step, policies.boundary.name, target, free)


def _change_by(  # noqa: PLR0917 - who, by what, on what, of whom, to what
    search: Search, power: Power, step: OwnStep, arn: str, target: Power, policies: PolicySet
) -> None:
    boundary = target.policies.boundary
    given: dict[str, str | None] = {"iam:permissionsboundary": boundary.name if boundary is not None else None}
    if step.key:
        given[step.key] = ADMINISTRATOR
    answer = search.ask(power, step.action, arn, given=given)
    if answer.witness is not None:
        says = f"{power.holder.name} {step.says.format(arn.rpartition('/')[2])}"
        search.take(target.changed_by(power, policies, says, answer.witness))
    elif step.key and search.ask(power, step.action, arn, given=_without(given, step.key)).witness is not None:
        search.doubts.append(f"it may call `{step.action}` on {arn} with some policies: what they give is not known")


def _without(given: dict[str, str | None], key: str) -> dict[str, str | None]:
    return {name: value for name, value in given.items() if name != key}


def _join(search: Search, power: Power, target: Power) -> None:
    """Add a user to each group that it is not in; where others may be there, so may groups."""
    if search.others and search.ask(power, "iam:AddUserToGroup").witness is not None:
        wide = replace(target.policies, identity=(*target.policies.identity, everything()))
        if search.find_gain(target.holder, wide).verdict is not Verdict.HOLDS:
            search.doubts.append(
                f"{power.holder.name} may add {target.holder.name} to groups, which are not known here"
            )
    for name, arn in search.account.groups.items():
        if name in target.holder.groups:
            continue
        joined = search.with_group(target.policies, name)
        answer = search.ask(power, "iam:AddUserToGroup", arn)
        if answer.witness is not None and joined != target.policies:
            says = f"{power.holder.name} adds {target.holder.name} to group {name}"
            search.take(target.changed_by(power, joined, says, answer.witness))


def _reach(search: Search, power: Power, holder: Holder) -> None:
    """Become another user or role."""
    try:
        policies = holder.policies()
        trust = holder.trust.parse() if holder.trust is not None else None
    except PolicyError as error:
        search.doubts.append(str(error))
        return
    if holder.is_role:
        _reach_role(search, power, Power(holder, policies), trust or Policy(()))
        return
    for action, says in USER_DOORS:
        answer = search.ask(power, action, holder.arn)
        if answer.witness is not None:
            said = f"{power.holder.name} {says.format(_last(answer.witness))}"
            search.take(power.after(holder, policies, said, answer.witness))
            return
    doubt_credentials(search, power, holder, policies)


def _reach_role(search: Search, power: Power, target: Power, trust: Policy) -> None:
    holder, name = target.holder, power.holder.name
    for caller in sessions_of(power.holder, trust):
        if not _may_trust(power, caller[0], trust):
            continue
        beside = replace(power.policies, trust=trust)
        answer = search.ask(power, "sts:AssumeRole", holder.arn, beside=beside, caller=caller)
        if answer.witness is not None:
            says = f"{name} assumes role {_last(answer.witness)}"
            search.take(power.after(holder, target.policies, says, answer.witness))
            return
    answer = search.ask(power, "iam:UpdateAssumeRolePolicy", holder.arn)
    if answer.witness is not None:
        opened = replace(power.policies, trust=policy_naming(power.holder, PolicyKind.TRUST, "sts:AssumeRole"))
        after = search.ask(power, "sts:AssumeRole", answer.witness.resource, beside=opened)
        if after.witness is not None:
            says = f"{name} makes role {_last(answer.witness)} trust it, and assumes it"
            search.take(power.after(holder, target.policies, says, answer.witness, after.witness))
            return
    if search.ask(power, "iam:PassRole", holder.arn).verdict is not Verdict.HOLDS:
        _pass(search, power, target, trust)
    doubt_takeovers(search, power, target, trust)


def _may_trust(power: Power, caller: Principal, trust: Policy) -> bool:
    """Hold unless the trust policy certainly does not name the caller, nor its account."""
    request = Request(caller, "sts:AssumeRole", "*")
    return any(
        judge_principal(request, statement, PolicyKind.TRUST, power.policies.boundary is not None)[0].truth
        is not Truth.FALSE
        for statement in trust.statements
        if statement.effect is Effect.ALLOW
    )


def _pass(search: Search, power: Power, target: Power, trust: Policy) -> None:
    """Hand a role to a service that runs what it is told."""
    services = services_of(trust, "Service")
    for runner in RUNNERS:
        if runner.service not in services:
            continue
        passing = search.ask(power, "iam:PassRole", target.holder.arn, given={"iam:passedtoservice": runner.service})
        if passing.witness is None:
            continue
        running = [search.ask(power, action).witness for action in runner.actions]
        requests = [request for request in running if request is not None]
        if len(requests) == len(runner.actions):
            role = _last(passing.witness)
            says = f"{power.holder.name} passes role {role} to {runner.service}, which runs what it is told"
            search.take(power.after(target.holder, target.policies, says, passing.witness, *requests))
            return
    for service in sorted(services - {runner.service for runner in RUNNERS}):
        passing = search.ask(power, "iam:PassRole", target.holder.arn, given={"iam:passedtoservice": service})
        if passing.witness is None or not may_give_more(search, target.holder, target.policies):
            continue
        search.doubts.append(f"it may pass role {target.holder.name} to {service}, which may run what it is told")


def _last(request: Request) -> str:
    return request.resource.rpartition("/")[2]


def _imagine(account: Account) -> Iterator[Holder]:
    """Give one user and one role that may be in the account beside those that are known, and may do everything."""
    start = f"arn:{account.partition}:iam::{account.number}"
    shared: dict[tuple[PolicyKind, str], Policy] = {}
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    all_of_it = Document({"Statement": statement}, PolicyKind.IDENTITY, "everything", shared)
    user = Principal(PrincipalKind.USER, f"{start}:user/someone", account.number)
    yield Holder(user, f"{start}:user/*", "AIDAEXAMPLE", (all_of_it,))
    services = sorted({runner.service for runner in RUNNERS})
    providers = [f"{start}:{sort}-provider/some" for sort in ("saml", "oidc")]
    trusting = {
        "Effect": "Allow",
        "Principal": {"AWS": f"{start}:root", "Service": services, "Federated": providers},
        "Action": "sts:AssumeRole",
    }
    trust = Document({"Statement": trusting}, PolicyKind.TRUST, "trust", shared)
    session = f"arn:{account.partition}:sts::{account.number}:assumed-role/some-role/session"
    role = Principal(PrincipalKind.ROLE_SESSION, session, account.number, f"{start}:role/some-role")
    yield Holder(role, f"{start}:role/*", "AROAEXAMPLE", (all_of_it,), trust=trust)
