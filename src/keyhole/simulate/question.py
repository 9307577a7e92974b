"""A question for the engine: one request, and every policy that has a say on it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keyhole.errors import KeyholeError
from keyhole.iam import (
    Context,
    ContextValue,
    Decision,
    Evaluator,
    Policy,
    PolicySet,
    Request,
    compile_policies,
    decide,
)
from keyhole.simulate.principal import parse_principal

_ACTION = re.compile(r"[^\s:*?,]+:[^\s:*?,]+")
_ACCOUNT = re.compile(r"[0-9]{12}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")


@dataclass(frozen=True, slots=True)
class Rules:
    """The policies of a request. `policies` has the first boundary and endpoint policy; the others must allow too.

    AWS attaches one of each; that several must all allow is what a chain of them would mean.
    """

    policies: PolicySet
    more_boundaries: tuple[Policy, ...] = ()
    more_endpoints: tuple[Policy, ...] = ()
    _evaluators: list[Evaluator] = field(default_factory=list, repr=False, compare=False)
    _uses: list[int] = field(default_factory=lambda: [0], repr=False, compare=False)

    def decide(self, request: Request) -> Decision:
        """Decide by `policies`, with a trace; policies that are asked about again are compiled once."""
        self._uses[0] += 1
        if self._uses[0] == 1:
            return decide(request, self.policies)
        if not self._evaluators:
            self._evaluators.append(compile_policies(self.policies))
        return self._evaluators[0].trace(request)


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and the policies to decide it by."""

    request: Request
    rules: Rules


def make_rules(
    *,
    identity: Sequence[Policy] = (),
    resource: Policy | None = None,
    trust: Policy | None = None,
    boundaries: Sequence[Policy] = (),
    session: Sequence[Policy] = (),
    scps: Sequence[Sequence[Policy]] = (),
    rcps: Sequence[Sequence[Policy]] = (),
    endpoints: Sequence[Policy] = (),
) -> Rules:
    """The policies in their layers; an empty layer is one that is not there."""
    policies = PolicySet(
        identity=tuple(identity),
        resource=resource,
        trust=trust,
        boundary=boundaries[0] if boundaries else None,
        session=tuple(session) or None,
        scps=tuple(tuple(level) for level in scps),
        rcps=tuple(tuple(level) for level in rcps),
        endpoint=endpoints[0] if endpoints else None,
    )
    return Rules(policies, tuple(boundaries[1:]), tuple(endpoints[1:]))


def make_request(
    principal: str | None,
    action: str,
    resource: str,
    context: Mapping[str, ContextValue] | None = None,
    resource_account: str = "",
) -> Request:
    """The request that is asked about.

    Raises: KeyholeError for what cannot be one request.
    """
    if not _ACTION.fullmatch(action):
        raise KeyholeError(
            f"`{action}` is no action", hint="write one action with its service, without wildcards: `s3:GetObject`"
        )
    if resource != "*" and not resource.startswith("arn:"):
        raise KeyholeError(
            f"the resource `{resource}` is neither an ARN nor `*`",
            hint="write the ARN, `arn:aws:s3:::bucket/key`; `*` is for actions that take no resource",
        )
    if resource_account and not _ACCOUNT.fullmatch(resource_account):
        raise KeyholeError(f"`{resource_account}` is no account", hint="write its number of 12 digits")
    values = Context(context)
    principal_arn = values.get("aws:PrincipalArn", "")
    caller = parse_principal(principal, action, principal_arn if isinstance(principal_arn, str) else "")
    return Request(caller, action, resource, values, resource_account)


def is_for_trust(action: str, resource: str) -> bool:
    """Hold iff the resource's policy that decides is a role's trust policy: STS asks for no other of a role."""
    return action[:4].lower() == "sts:" and _ROLE.fullmatch(resource) is not None
