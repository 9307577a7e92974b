"""A question about all requests of one user or role of an account, with what the account knows of it filled in.

AWS: IAM User Guide, "AWS global condition context keys", Properties of the principal; "Pass session tags in AWS STS".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from keyhole.iam.access.account import Holder
from keyhole.iam.access.document import Asked
from keyhole.iam.decide import decide
from keyhole.iam.match import split_wildcards
from keyhole.iam.model import (
    Context,
    ContextValue,
    Decision,
    Effect,
    Element,
    Policy,
    PolicySet,
    Principal,
    PrincipalElement,
    PrincipalKind,
    PrincipalPattern,
    Request,
    Statement,
)
from keyhole.iam.symbolic.allowed import allowed
from keyhole.iam.symbolic.atoms import KEY, Atom
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.callers import OWNER_KEYS, Caller, ask_with_variables, caller_keys
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, Lit
from keyhole.iam.symbolic.language import Language, make_pattern
from keyhole.iam.symbolic.question import Answer, Verdict, refute

_USER_ID = "aws:userid"
_TAG = "aws:principaltag/"
_TAG_VARIABLE = re.compile(r"\$\{(aws:principaltag/[^},]+)", re.IGNORECASE)
_TAG_SESSION = Asked("sts:TagSession", "*")
# AWS fills these in itself, with one of two values.
_BOOLEANS = frozenset({"aws:securetransport", "aws:viaawsservice", "aws:multifactorauthpresent"})
_TRUE_OR_FALSE = Language((make_pattern(("true",)), make_pattern(("false",))))

Goals = Callable[[Encoder], Iterable[Formula]]
Confirm = Callable[[Request], bool]


@dataclass(frozen=True, slots=True)
class Voice:
    """A principal as it asks: `given` is what is known of its condition keys, None of what is absent."""

    principal: Principal
    given: Mapping[str, ContextValue | None]
    unique_id: str = ""
    stranger: Caller | None = None
    """Somebody outside the account, whose name may be free."""
    session: str = ""
    """The name of its session, where one is meant that a policy names."""

    @property
    def is_session(self) -> bool:
        """Hold iff the name of its session is free."""
        return self.principal.kind is PrincipalKind.ROLE_SESSION and self.stranger is None

    def request(self, account: str) -> Request:
        """Give its request without action and resource; its own id is in it for policies that name that."""
        known = {_USER_ID: self._user_id} if self.is_session else {}
        return Request(self.principal, "", "", Context(known), account)

    @property
    def _user_id(self) -> str:
        return f"{self.unique_id}:{self.principal.arn.rpartition('/')[2]}"

    def domain(self, encoder: Encoder) -> Iterator[Formula]:
        """Give what holds of its name and user id where a policy asks for it: a session's begins with the role's."""
        if self.stranger is not None:
            yield from self.stranger.domain(encoder)
        for key in _BOOLEANS & encoder.keys.keys():
            yield Lit(Atom(KEY + key, _TRUE_OR_FALSE, absent=True))
        if self.is_session and _USER_ID in encoder.keys:
            wanted = split_wildcards(f"{self.unique_id}:?*") if not self.session else (self._user_id,)
            yield Lit(Atom(KEY + _USER_ID, Language((make_pattern(wanted),))))

    def anywhere(self) -> Voice:
        """Give the same, of which it is not known whose the resource is."""
        return replace(self, given={key: value for key, value in self.given.items() if key not in OWNER_KEYS})

    def with_any_tags(self) -> Voice:
        """Give the same with tags that are not known."""
        return replace(self, given={key: value for key, value in self.given.items() if not key.startswith(_TAG)})

    def instead_of(self, request: Request) -> Request:
        """Give the request of another with the same policies as its own, with what is known of it."""
        found = {key: value for key, value in request.context.by_key.items() if key not in self.given}
        found.pop(_USER_ID, None)
        known = {key: value for key, value in self.given.items() if value is not None}
        return self.complete(replace(request, principal=self.principal, context=Context({**found, **known})))

    def complete(self, request: Request) -> Request:
        """Give the request with the user id that it has, and the session named as that says."""
        if self.stranger is not None:
            return self.stranger.complete(request)
        if not self.is_session:
            return request
        user_id = request.context.get(_USER_ID)
        session = user_id.partition(":")[2] if isinstance(user_id, str) else ""
        if not session:
            return replace(request, context=Context({**request.context.by_key, _USER_ID: self._user_id}))
        start = self.principal.arn.rpartition("/")[0]
        return replace(request, principal=replace(request.principal, arn=f"{start}/{session}"))


def voice_of(holder: Holder, policies: PolicySet, resource_account: str) -> Voice:
    """Give the user or role as it asks for something of an account."""
    given: dict[str, ContextValue | None] = {**caller_keys(holder.principal), **owner_keys(resource_account)}
    if not holder.is_role:
        given[_USER_ID] = holder.unique_id
    if not takes_session_tags(holder):
        given |= dict.fromkeys(_tag_keys(policies))
        given |= {_TAG + key.lower(): value for key, value in holder.tags.items()}
    return Voice(holder.principal, given, holder.unique_id)


def owner_keys(resource_account: str) -> dict[str, ContextValue | None]:
    """Give what AWS says of whose the resource is."""
    return dict.fromkeys(OWNER_KEYS, resource_account)


def delegated(policies: PolicySet, account: str) -> PolicySet:
    """Give the policies beside one of the resource's own that leaves everything to those of the account.

    KMS keys and roles have a policy that must let the caller in. Where it is not known, it would look without one as if
    nothing could be done with them. A trust policy that names the account leaves any action to the account's policies.
    """
    principals = PrincipalElement((PrincipalPattern("AWS", account),))
    statement = Statement(Effect.ALLOW, Element(("*",)), resources=None, principals=principals)
    return replace(policies, trust=Policy((statement,)))


def sessions_of(holder: Holder, gate: Policy | None) -> tuple[tuple[Principal, str], ...]:
    """Give the user or role as a caller; of a role, each session too that the policy `gate` names, with its name.

    The first stands for all the others, of whom none is called by its name.
    """
    if not holder.is_role or gate is None:
        return ((holder.principal, ""),)
    start = f"{holder.principal.arn.rpartition('/')[0]}/"
    listed = (statement.principals.patterns for statement in gate.statements if statement.principals is not None)
    named = {pattern.value for patterns in listed for pattern in patterns if pattern.value.startswith(start)}
    free = next(arn for n in count() if (arn := holder.principal.arn + f"-{n}" * bool(n)) not in named)
    arns = {free: "", **{arn: arn.rpartition("/")[2] for arn in sorted(named)}}
    return tuple((replace(holder.principal, arn=arn), session) for arn, session in arns.items())


def speaks_of_tags(policies: PolicySet) -> bool:
    """Hold iff something in the policies hangs on the principal's tags."""
    return any(True for _ in _tag_keys(policies))


def takes_session_tags(holder: Holder) -> bool:
    """Hold iff whoever assumes the role may choose tags of the session, which count for the role's own."""
    return holder.trust is not None and holder.trust.may_grant(_TAG_SESSION)


def _tag_keys(policies: PolicySet) -> Iterator[str]:
    """Give the principal's tags that the policies speak of: what it does not have is absent."""
    limits = [policy for policy in (policies.boundary, policies.resource, policies.trust) if policy is not None]
    for policy in (*policies.identity, *limits):
        for key in _mentioned(policy):
            yield key.lower()


def _mentioned(policy: Policy) -> Iterator[str]:
    for statement in policy.statements:
        if statement.resources is not None:
            for pattern in statement.resources.patterns:
                if "${" in pattern:
                    yield from _TAG_VARIABLE.findall(pattern)
        for condition in statement.conditions:
            if condition.key.lower().startswith(_TAG):
                yield condition.key
            for value in condition.values:
                if "${" in value:
                    yield from _TAG_VARIABLE.findall(value)


def find_request(voice: Voice, goals: Goals, confirm: Confirm, budget: Budget, *, resource_account: str) -> Answer:
    """Look for a request of which all goals hold and that `confirm` takes: `fails` with it, `holds` if there is none.

    What hangs on policy variables that are free is asked once more with a value for each.
    """

    def replays(request: Request) -> bool:
        asked = voice.complete(request)
        return (voice.stranger is None or voice.stranger.is_coherent(asked)) and confirm(asked)

    def ask(encoder: Encoder) -> Answer:
        wanted = list(goals(encoder))
        answer = refute(encoder, [*wanted, *voice.domain(encoder)], replays, budget)
        return answer if answer.witness is None else replace(answer, witness=voice.complete(answer.witness))

    names = {_USER_ID: f"{voice.unique_id}:{voice.principal.arn.rpartition('/')[2]}"}
    return ask_with_variables(voice.given, partial(Encoder, voice.request(resource_account)), ask, names)


def find_allowed(voice: Voice, policies: PolicySet, goals: Goals, budget: Budget, *, resource_account: str) -> Answer:
    """Look for a request that is allowed: `fails` shows one, `holds` says that AWS allows none."""

    def confirm(request: Request) -> bool:
        return decide(request, policies).is_allowed

    def bounded(sure: bool) -> Goals:
        return lambda encoder: (*goals(encoder), allowed(encoder, policies, sure=sure))

    answer = find_request(voice, bounded(True), confirm, budget, resource_account=resource_account)
    if answer.verdict is Verdict.FAILS:
        return answer
    return find_request(voice, bounded(False), confirm, budget, resource_account=resource_account)


def find_witness(
    voice: Voice,
    policies: PolicySet,
    goals: Goals,
    budget: Budget,
    *,
    resource_account: str,
    is_meant: Callable[[Decision], bool],
) -> Request | None:
    """Give a request that is allowed by a decision which is meant, None if none is found: that none is it says not."""

    def confirm(request: Request) -> bool:
        decision = decide(request, policies)
        return decision.is_allowed and is_meant(decision)

    def bounded(encoder: Encoder) -> Iterator[Formula]:
        yield from goals(encoder)
        yield allowed(encoder, policies, sure=True)

    return find_request(voice, bounded, confirm, budget, resource_account=resource_account).witness
