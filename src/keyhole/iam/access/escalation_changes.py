"""Steps to more that are no grant: taking denies away, changing one's tags, taking over what runs with another's role.

AWS: IAM User Guide, "IAM tutorial: Define permissions to access AWS resources based on tags" and "Policy evaluation
logic"; Service Authorization Reference, the actions that are named here and in `escalation_steps`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from keyhole.errors import PolicyError
from keyhole.iam.access.account import Holder
from keyhole.iam.access.asking import speaks_of_tags, takes_session_tags
from keyhole.iam.access.escalation_search import Power, Search
from keyhole.iam.access.escalation_steps import POLICY_STEPS, ROLE_STEPS, TAKEOVERS, USER_SIDE_DOORS, USER_STEPS
from keyhole.iam.model import Effect, Policy, PolicySet
from keyhole.iam.symbolic.compare import everything
from keyhole.iam.symbolic.question import Verdict


@dataclass(frozen=True, slots=True)
class _Lifting:
    """An action that takes a policy's denies away, on what. `rewrites`: what the policy allows can stay."""

    action: str
    arn: str
    says: str
    rewrites: bool = False
    policy: str = ""
    """The managed policy that is detached."""


def lift_denies(search: Search, power: Power, target: Power) -> None:
    """Take away what denies, of somebody who was reached. Raises: FoundError if it can more without, BudgetError."""
    boundary = target.policies.boundary
    known: dict[str, str | None] = {"iam:permissionsboundary": boundary.name if boundary is not None else None}
    for number, policy in enumerate(target.policies.identity):
        if all(statement.effect is Effect.ALLOW for statement in policy.statements):
            continue
        allows = tuple(statement for statement in policy.statements if statement.effect is Effect.ALLOW)
        before, after = target.policies.identity[:number], target.policies.identity[number + 1 :]
        for lifting in _liftings(search, target.holder, policy):
            given = {**known, "iam:policyarn": lifting.policy} if lifting.policy else known
            witness = search.ask(power, lifting.action, lifting.arn, given=given).witness
            if witness is None:
                continue
            says = f"{power.holder.name} {lifting.says}, which denies something"
            kept = (replace(policy, statements=allows),) if lifting.rewrites and allows else ()
            changed = replace(target.policies, identity=(*before, *kept, *after))
            lifted = target.changed_by(power, changed, says, witness)
            # Without what it allows as well it may be able to do less: then it is no step on the way to others.
            search.try_out(lifted) if allows and not kept else search.take(lifted)


def _liftings(search: Search, holder: Holder, policy: Policy) -> Iterator[_Lifting]:
    """Give the ways of taking away what a policy of the holder denies, by where it stands."""
    name, sort = policy.name, "Role" if holder.is_role else "User"
    groups = [
        group
        for group in holder.groups
        if any(document.name == name for document in search.account.group_documents.get(group, ()))
    ]
    is_managed = name.startswith("arn:")
    if is_managed and f"::{search.account.number}:" in name:
        yield _Lifting("iam:CreatePolicyVersion", name, f"makes a new default version of {name}", rewrites=True)
        yield _Lifting("iam:SetDefaultPolicyVersion", name, f"takes an older version of {name}", rewrites=True)
    if len(groups) + (holder.attached.count(name) > len(groups)) > 1:
        # It stands in several places: taken away from one it is still there.
        return
    for group in groups:
        arn = search.account.groups[group]
        yield _Lifting("iam:RemoveUserFromGroup", arn, f"takes {holder.name} out of group {group}")
        if is_managed:
            yield _Lifting("iam:DetachGroupPolicy", arn, f"detaches {name} from group {group}", policy=name)
        else:
            yield _Lifting("iam:PutGroupPolicy", arn, f"writes `{name}` anew", rewrites=True)
            yield _Lifting("iam:DeleteGroupPolicy", arn, f"deletes `{name}`")
    if groups:
        return
    if is_managed:
        yield _Lifting(f"iam:Detach{sort}Policy", holder.arn, f"detaches {name} from {holder.name}", policy=name)
    else:
        yield _Lifting(f"iam:Put{sort}Policy", holder.arn, f"writes `{name}` anew", rewrites=True)
        yield _Lifting(f"iam:Delete{sort}Policy", holder.arn, f"deletes `{name}`")


def doubt_tags(search: Search, power: Power, target: Power) -> None:
    """Doubt that there is no path where it may tag somebody who was reached, and something hangs on that's tags."""
    holder, policies = target.holder, target.policies
    sort = "Role" if holder.is_role else "User"
    if takes_session_tags(holder) or all(
        search.ask(power, f"iam:{verb}{sort}", holder.arn).witness is None for verb in ("Tag", "Untag")
    ):
        return
    if speaks_of_tags(policies):
        gain = search.find_gain(holder, policies, has_any_tags=True)
        if gain.verdict is not Verdict.HOLDS:
            search.doubts.append(f"{power.holder.name} may change the tags of {holder.name}, on which its rights hang")
    for role in search.account.roles:
        if role.arn not in search.powers and _trusts_by_tags(role) and _may_give_more(search, role):
            search.doubts.append(
                f"{power.holder.name} may change the tags of {holder.name}, on which it hangs who assumes {role.name}"
            )


def _trusts_by_tags(role: Holder) -> bool:
    try:
        return role.trust is not None and speaks_of_tags(PolicySet(trust=role.trust.parse()))
    except PolicyError:
        return True


def _may_give_more(search: Search, role: Holder) -> bool:
    try:
        return may_give_more(search, role, role.policies())
    except PolicyError:
        return True


def may_give_more(search: Search, holder: Holder, policies: PolicySet) -> bool:
    """Hold unless somebody certainly has nothing more to give, as it is and as those who were reached can make it."""
    if search.find_gain(holder, policies).verdict is not Verdict.HOLDS:
        return True
    places = [(step.action, holder.arn) for step in (ROLE_STEPS if holder.is_role else USER_STEPS)]
    own = [arn for arn in holder.attached if f"::{search.account.number}:" in arn]
    places += [(step.action, arn) for step in POLICY_STEPS for arn in own]
    wide = replace(policies, identity=(everything(),))
    return any(search.ask(power, *place).witness for power in search.powers.values() for place in places) and (
        search.find_gain(holder, wide).verdict is not Verdict.HOLDS
    )


def doubt_credentials(search: Search, power: Power, holder: Holder, policies: PolicySet) -> None:
    """Doubt that there is no path where it may make credentials of another user that some services take."""
    if any(search.ask(power, action, holder.arn).witness for action in USER_SIDE_DOORS) and may_give_more(
        search, holder, policies
    ):
        search.doubts.append(f"{power.holder.name} may make credentials of {holder.name} that some services take")


def doubt_takeovers(search: Search, power: Power, target: Power, trust: Policy) -> None:
    """Doubt that there is no path where something may run with the role, and it may tell that what to do."""
    services = services_of(trust, "Service")
    providers = services_of(trust, "Federated")
    for takeover in TAKEOVERS:
        runs = takeover.runs_as in services or any(f":{takeover.runs_as}/" in each for each in providers)
        if not runs or not any(search.ask(power, action).witness for action in takeover.actions):
            continue
        if may_give_more(search, target.holder, target.policies):
            search.doubts.append(f"{power.holder.name} {takeover.says}: one may have role {target.holder.name}")


def services_of(trust: Policy, kind: str) -> set[str]:
    """Give the services, or the identity providers, that a role trusts."""
    return {
        pattern.value
        for statement in trust.statements
        if statement.effect is Effect.ALLOW and statement.principals is not None
        for pattern in statement.principals.patterns
        if pattern.kind == kind
    }
