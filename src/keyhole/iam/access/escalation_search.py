"""The search for a path to more: whom it has become, what these may do, and what that is beyond the start.

AWS: IAM User Guide, "Policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from keyhole.errors import PolicyError
from keyhole.iam.access.account import Account, Holder
from keyhole.iam.access.asking import Voice, delegated, find_allowed, find_request, voice_of
from keyhole.iam.access.document import Asked
from keyhole.iam.decide import decide
from keyhole.iam.model import (
    ContextValue,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalElement,
    PrincipalPattern,
    Request,
)
from keyhole.iam.parse import parse_policy
from keyhole.iam.symbolic.allowed import allowed
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, conjoin, negate
from keyhole.iam.symbolic.question import HOLDS, Answer, Verdict

HARMLESS = ("sts:GetCallerIdentity", "sts:GetSessionToken")
# What they come to is looked at by itself, of the account's own roles: a role's rights, not that it may be assumed.
LEADING = ("sts:AssumeRole*", "sts:TagSession", "sts:SetSourceIdentity", "iam:PassRole")
WIDE = "everything"
"""The name of the policy that allows everything, which a step gives."""
_USER_ID = "aws:userid"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, in words, and the requests that it takes: each is allowed when its turn comes."""

    says: str
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Escalation:
    """`fails`: the steps of a path, and a request that is allowed at its end and was not before; `holds`: none is."""

    verdict: Verdict
    steps: tuple[Step, ...] = ()
    gain: Request | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Power:
    """Somebody whom it has become, with what it has made of its policies, and the steps up to there."""

    holder: Holder
    policies: PolicySet
    steps: tuple[Step, ...] = ()

    @property
    def is_wide(self) -> bool:
        """Hold iff its own policies allow everything by now."""
        return any(policy.name == WIDE for policy in self.policies.identity)

    @property
    def is_unchanged(self) -> bool:
        """Hold iff it has the policies that it began with."""
        return [policy.name for policy in self.policies.identity] == [each.name for each in self.holder.documents]

    def after(self, holder: Holder, policies: PolicySet, says: str, *requests: Request) -> Power:
        """Give whom it becomes by one step more."""
        return Power(holder, policies, (*self.steps, Step(says, requests)))

    def changed_by(self, other: Power, policies: PolicySet, says: str, request: Request) -> Power:
        """Give the same with other policies, by a step that somebody takes who was reached as well."""
        more = [step for step in other.steps if not any(step is known for known in self.steps)]
        return Power(self.holder, policies, (*self.steps, *more, Step(says, (request,))))


class FoundError(Exception):
    """Ends the search: a path was found."""

    def __init__(self, escalation: Escalation) -> None:
        super().__init__()
        self.escalation = escalation


@dataclass(slots=True)
class Search:
    """All that was reached so far. `doubts`: why it cannot be told that there is no path.

    `others`: stand for users and roles that may be there and are not known; where there are any, the users and roles
    that are known are those of one file, and to become one of them as it is, is nothing more than the file gives.
    """

    account: Account
    start: Power
    budget: Budget
    others: tuple[Holder, ...] = ()
    powers: dict[str, Power] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    queue: list[Power] = field(default_factory=list)

    def take(self, power: Power) -> None:
        """Count in what was reached. Raises: FoundError if it can what the start cannot."""
        if power.holder in self.others:
            if self.find_gain(power.holder, power.policies).verdict is Verdict.HOLDS:
                return
            said = "; ".join(step.says for step in power.steps)
            self.doubts.append(f"{said}: what that may do is not known here")
            return
        known = self.powers.get(power.holder.arn)
        if known is not None and known.policies == power.policies:
            return
        is_given = bool(self.others) and power.policies == power.holder.policies()
        if power is not self.start and not is_given:
            self.try_out(power)
        self.powers[power.holder.arn] = power
        # What could not be done before may be possible to all that were reached.
        self.queue = list(self.powers.values())

    def with_group(self, policies: PolicySet, group: str) -> PolicySet:
        """Give the policies and those of a group; where these do not parse that is a doubt, and they are left out."""
        try:
            added = tuple(document.parse() for document in self.account.group_documents.get(group, ()))
        except PolicyError as error:
            self.doubts.append(str(error))
            return policies
        new = tuple(policy for policy in added if policy not in policies.identity)
        return replace(policies, identity=(*policies.identity, *new))

    def try_out(self, power: Power) -> None:
        """Look at what was reached, without counting it in. Raises: FoundError if it can what the start cannot."""
        answer = self.find_gain(power.holder, power.policies)
        if answer.witness is not None:
            raise FoundError(Escalation(Verdict.FAILS, power.steps, answer.witness))
        if answer.verdict is Verdict.UNKNOWN:
            self.doubts.append(f"whether {power.holder.arn} can more cannot be told: {answer.reason}")

    def find_gain(
        self,
        holder: Holder,
        policies: PolicySet,
        action: str = "",
        places: tuple[str, ...] = (),
        *,
        has_any_tags: bool = False,
    ) -> Answer:
        """Look for what the policies allow the holder, and the start's own do not allow the start.

        What policies of resources say is not known, but of the one that `policies` has: all others let in whomever the
        account's own policies let. Whose those resources are, is not known either. Raises: BudgetError.
        """
        self.budget.check()
        number, start = self.account.number, f"arn:{self.account.partition}:iam::{self.account.number}:role/*"
        own, before, voice = (
            delegated(self.start.policies, number),
            self._voice_before(),
            voice_of(holder, policies, number),
        )
        if policies.resource is None:
            policies, before, voice = delegated(policies, number), before.anywhere(), voice.anywhere()
        if has_any_tags:
            voice = voice.with_any_tags()

        def goals(encoder: Encoder, *, sure: bool) -> Iterator[Formula]:
            other = Encoder(before.request(number), before.given)
            if action:
                yield encoder.action_in((action,))
            if places:
                yield encoder.resource_in(places)
            yield allowed(encoder, policies, sure=sure)
            yield negate(allowed(other, own, sure=True))
            yield negate(encoder.action_in(HARMLESS))
            yield negate(conjoin((encoder.action_in(LEADING), encoder.resource_in((start,)))))
            for key, written in other.keys.items():
                encoder.keys.setdefault(key, written)
            encoder.several |= other.several

        def confirm(request: Request) -> bool:
            is_new = not decide(before.instead_of(request), own).is_allowed
            return is_new and decide(request, policies).is_allowed

        answer = HOLDS
        for sure in (True, False):
            asked = partial(goals, sure=sure)
            answer = find_request(voice, asked, confirm, self.budget, resource_account=number)
            if answer.verdict is Verdict.FAILS:
                break
        return answer

    def _voice_before(self) -> Voice:
        holder = self.start.holder
        voice = voice_of(holder, self.start.policies, self.account.number)
        if not holder.is_role:
            return voice
        session = f"{holder.unique_id}:{holder.principal.arn.rpartition('/')[2]}"
        return replace(voice, given={**voice.given, _USER_ID: session})

    def ask(
        self,
        power: Power,
        action: str,
        resource: str = "*",
        *,
        given: Mapping[str, str | None] | None = None,
        beside: PolicySet | None = None,
        outside: str = "",
        caller: tuple[Principal, str] | None = None,
    ) -> Answer:
        """Look for an allowed request for the action on a resource that fits. Raises: BudgetError.

        `beside` has a policy of the resource; `outside` is a pattern of what is no resource of the action. `caller` is
        the holder, or a session of it that a policy names, as `sessions_of` gives them.
        """
        self.budget.check()
        used = beside or power.policies
        if power.is_unchanged and used.trust is None and used.resource is None:
            asked = Asked(action, resource)
            if not any(document.may_grant(asked) for document in power.holder.documents):
                return HOLDS
        number = self.account.number
        voice = voice_of(power.holder, used, number)
        known: dict[str, ContextValue | None] = {**voice.given, **(given or {})}
        voice = replace(voice, given=known)
        if caller is not None:
            voice = replace(voice, principal=caller[0], session=caller[1])

        def goals(encoder: Encoder) -> Iterator[Formula]:
            yield encoder.action_in((action,))
            if resource != "*":
                yield encoder.resource_in((resource,))
            if outside:
                yield negate(encoder.resource_in((outside,)))
            if any(resource == other.arn for other in self.others):
                yield negate(encoder.resource_in([holder.arn for holder in self.account.holders]))

        answer = find_allowed(voice, used, goals, self.budget, resource_account=number)
        if answer.verdict is Verdict.UNKNOWN:
            self.doubts.append(f"whether {power.holder.arn} may call `{action}` cannot be told: {answer.reason}")
        return answer


def policy_naming(holder: Holder, kind: PolicyKind, action: str) -> Policy:
    """Give a policy that lets the holder do something."""
    where = ',"Resource":"*"' if kind is PolicyKind.RESOURCE else ""
    text = f'{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":"{action}"{where}}}}}'
    policy = parse_policy(text, kind)
    named = PrincipalElement((PrincipalPattern("AWS", holder.principal.role_arn or holder.principal.arn),))
    return replace(policy, statements=tuple(replace(each, principals=named) for each in policy.statements))


def key_policy(account: Account) -> Policy:
    """Give the policy that AWS gives a key: it leaves all to the account's own policies."""
    policy = parse_policy(
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}',
        PolicyKind.RESOURCE,
        name="the key policy that AWS gives",
    )
    named = PrincipalElement((PrincipalPattern("AWS", account.number),))
    return replace(policy, statements=tuple(replace(each, principals=named) for each in policy.statements))
