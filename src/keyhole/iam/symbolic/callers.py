"""The callers that a question must be asked for: everyone whom the policies name, and strangers of each sort.

A Principal element has no wildcards but the lone star, so callers whom no policy names are alike but for their names.
Those stay free, their account's number too: what a condition says of `aws:PrincipalArn` is solved along with the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from keyhole.iam.match import split_wildcards
from keyhole.iam.model import Context, ContextValue, Policy, PolicyKind, Principal, PrincipalKind, Request
from keyhole.iam.principals import ACCOUNT_KINDS
from keyhole.iam.symbolic.atoms import KEY, Atom
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, Lit
from keyhole.iam.symbolic.language import Language, make_pattern
from keyhole.iam.symbolic.question import Answer, Verdict

PRINCIPAL_KINDS = frozenset({PolicyKind.RESOURCE, PolicyKind.TRUST})
"""The policies that are compared caller by caller."""
OWN_ACCOUNT = "111122223333"
OTHER_ACCOUNT = "999999999999"
_ARN, _ACCOUNT, _NAME, _SERVICE = "aws:principalarn", "aws:principalaccount", "aws:username", "aws:principalservicename"
_EXAMPLES = {_NAME: "someone", _ACCOUNT: OWN_ACCOUNT, "aws:userid": "AIDAEXAMPLE"}
_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE_SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
}
_NUMBER = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])", re.ASCII)
_ANY_ACCOUNT = "?" * 12
_PARTITIONS = ("aws", "aws-us-gov", "aws-cn")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, in which account the resource is, and what is known of the keys that tell of the caller.

    `free`: of a stranger, the values that keys of its name and account may have; `taken`: those that they must not,
    as they belong to callers of their own.
    """

    request: Request
    given: Mapping[str, ContextValue | None] = field(default_factory=dict)
    free: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    taken: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def domain(self, encoder: Encoder) -> Iterator[Formula]:
        """Give what holds of the caller's own keys, where a policy asks for them and they are free."""
        for key, patterns in self.free.items():
            if key in encoder.keys:
                yield Lit(Atom(KEY + key, _language(*patterns)))
                if self.taken.get(key):
                    yield Lit(
                        Atom(KEY + key, Language(tuple(make_pattern((name,)) for name in self.taken[key]))), False
                    )

    def complete(self, request: Request) -> Request:
        """Give the request with a caller that has the names which were found for it."""
        if not self.free:
            return request
        caller, found = request.principal, dict(request.context)
        if caller.kind is PrincipalKind.SERVICE:
            name = found.get(_SERVICE)
            return replace(request, principal=replace(caller, arn=name)) if isinstance(name, str) else request
        arn = _text(found.get(_ARN)) or self.request.principal.role_arn or self.request.principal.arn
        named = _text(found.get(_ACCOUNT))
        number = named or arn.split(":", 5)[4]
        number = self._as_number(number) if _ACCOUNT in self.free else caller.account
        fields = arn.split(":", 5)
        name = _text(found.get(_NAME))
        if name and _ARN not in found:
            fields[5] = f"user/{name}"
        arn = ":".join((*fields[:4], number, fields[5]))
        for key, value in ((_ARN, arn), (_ACCOUNT, number)):
            if key in found:
                found[key] = value
        if caller.kind is PrincipalKind.ROLE_SESSION:
            session = f"arn:{fields[1]}:sts::{number}:assumed-role/{arn.rpartition('/')[2]}/session"
            caller = replace(caller, role_arn=arn, arn=session, account=number)
        else:
            caller = replace(caller, arn=arn, account=number)
        return replace(request, principal=caller, context=Context(found))

    def is_coherent(self, request: Request) -> bool:
        """Hold unless what the request says of its caller contradicts itself."""
        caller, name = request.principal, request.context.get(_NAME)
        if caller.kind is not PrincipalKind.USER or not self.free or name is None:
            return True
        return caller.arn.rpartition("/")[2] == name

    def _as_number(self, text: str) -> str:
        """Give an account's number where letters stand for free digits."""
        made = [re.sub("[^0-9]", digit, text) for digit in "9876543210"]
        return next((number for number in made if number not in self.taken.get(_ACCOUNT, ())), text)

    def finish(self, answer: Answer) -> Answer:
        """Give the answer with its witness completed."""
        return answer if answer.witness is None else replace(answer, witness=self.complete(answer.witness))


def _language(*patterns: str) -> Language:
    return Language(tuple(make_pattern(split_wildcards(pattern)) for pattern in patterns))


def _text(value: ContextValue | None) -> str:
    return value if isinstance(value, str) else ""


def ask_with_variables(caller: Caller, ask: Callable[[Encoder], Answer], *, settles_doubts: bool = False) -> Answer:
    """Ask with policy variables free; what hangs on them is asked once more with a value for each, for a witness."""
    encoder = Encoder(caller.request, caller.given, settles_doubts=settles_doubts)
    answer = ask(encoder)
    if answer.verdict is Verdict.UNKNOWN and encoder.variables:
        examples = {key: _EXAMPLES.get(key, "example") for key in encoder.variables}
        second = ask(Encoder(caller.request, {**caller.given, **examples}, settles_doubts=settles_doubts))
        if second.verdict is Verdict.FAILS:
            return second
    return answer


def callers_of(
    policies: Iterable[Policy], kind: PolicyKind, *, account: str = OWN_ACCOUNT, resource: str = ""
) -> Iterator[Caller]:
    """Give the callers to ask for; of a policy that names nobody, one in whose place anyone may stand.

    `account` owns the resource, or the role that is assumed.
    """
    if kind not in PRINCIPAL_KINDS:
        someone = Principal(PrincipalKind.USER, f"arn:aws:iam::{account}:user/someone", account)
        yield Caller(Request(someone, "", resource, resource_account=account))
        return
    listed = tuple(policies)
    named = list(dict.fromkeys(_mentioned(listed)))
    for sort, value in named:
        principal = _principal(sort, value)
        if principal is not None:
            yield Caller(Request(principal, "", resource, resource_account=account), caller_keys(principal))
    arns = tuple(value for sort, value in named if sort == "AWS" and value.startswith("arn:"))
    accounts = tuple(dict.fromkeys((*named_accounts(listed), account)))
    for number in accounts:
        yield from _strangers(number, arns, account, resource)
    yield from _strangers("", arns, account, resource, taken=accounts)
    services = tuple(value for sort, value in named if sort == "Service")
    for principal, free in (
        (Principal(PrincipalKind.SERVICE, "example.amazonaws.com"), {_SERVICE: ("?*",)}),
        (Principal(PrincipalKind.WEB_IDENTITY, f"arn:aws:iam::{account}:oidc-provider/login.example.com"), {}),
        (Principal(PrincipalKind.ANONYMOUS), {}),
    ):
        request = Request(principal, "", resource, resource_account=account)
        known = {key: value for key, value in caller_keys(principal).items() if key not in free}
        yield Caller(request, known, free, {_SERVICE: services})


def named_accounts(policies: Iterable[Policy]) -> tuple[str, ...]:
    """Give the accounts that the policies speak of, as principals or in conditions on them."""
    found: dict[str, None] = {}
    for policy in policies:
        for statement in policy.statements:
            texts = [pattern.value for pattern in statement.principals.patterns] if statement.principals else []
            for condition in statement.conditions:
                if condition.key.lower() in {_ARN, _ACCOUNT}:
                    texts.extend(condition.values)
            for text in texts:
                found.update(dict.fromkeys(_NUMBER.findall(text)))
    return tuple(found)


def _strangers(
    number: str, arns: tuple[str, ...], account: str, resource: str, taken: tuple[str, ...] = ()
) -> Iterator[Caller]:
    """Give those of one account whom no policy names; without a number, those of any account that is not `taken`."""
    shown = number or next(digit * 12 for digit in "987654321" if digit * 12 not in taken)
    session = Principal(
        PrincipalKind.ROLE_SESSION,
        f"arn:aws:sts::{shown}:assumed-role/something/session",
        shown,
        f"arn:aws:iam::{shown}:role/something",
    )
    for principal, service, name in (
        (Principal(PrincipalKind.ROOT, f"arn:aws:iam::{shown}:root", shown), "iam", "root"),
        (Principal(PrincipalKind.USER, f"arn:aws:iam::{shown}:user/someone", shown), "iam", "user/?*"),
        (session, "iam", "role/?*"),
        (
            Principal(PrincipalKind.FEDERATED_USER, f"arn:aws:sts::{shown}:federated-user/someone", shown),
            "sts",
            "federated-user/?*",
        ),
    ):
        free = {_ARN: tuple(f"arn:{part}:{service}::{number or _ANY_ACCOUNT}:{name}" for part in _PARTITIONS)}
        if not number:
            free[_ACCOUNT] = (_ANY_ACCOUNT,)
        is_user = principal.kind is PrincipalKind.USER
        known = {
            key: value
            for key, value in caller_keys(principal).items()
            if key not in free and not (is_user and key == _NAME)
        }
        of_others = () if name == "root" else tuple(arn for arn in arns if number in arn)
        request = Request(principal, "", resource, resource_account=account)
        yield Caller(request, known, free, {_ARN: of_others, _ACCOUNT: taken})


def _mentioned(policies: Iterable[Policy]) -> Iterator[tuple[str, str]]:
    for policy in policies:
        for statement in policy.statements:
            for pattern in statement.principals.patterns if statement.principals else ():
                yield pattern.kind, pattern.value


def _principal(sort: str, value: str) -> Principal | None:
    """Give the caller that an entry names; None for the star, whole accounts and unique ids."""
    if sort == "Service":
        return Principal(PrincipalKind.SERVICE, value)
    if sort == "Federated":
        return Principal(PrincipalKind.WEB_IDENTITY, value)
    fields = value.split(":", 5)
    if sort != "AWS" or len(fields) != 6:
        return None
    account, name = fields[4], fields[5]
    if name.startswith("user/"):
        return Principal(PrincipalKind.USER, value, account)
    if name.startswith("role/"):
        session = f"arn:{fields[1]}:sts::{account}:assumed-role/{name.rpartition('/')[2]}/session"
        return Principal(PrincipalKind.ROLE_SESSION, session, account, value)
    if name.startswith("assumed-role/"):
        role = f"arn:{fields[1]}:iam::{account}:role/{name.split('/')[1]}"
        return Principal(PrincipalKind.ROLE_SESSION, value, account, role)
    if name.startswith("federated-user/"):
        return Principal(PrincipalKind.FEDERATED_USER, value, account)
    return None


def caller_keys(principal: Principal) -> dict[str, ContextValue | None]:
    """Give what AWS says of the caller in every request; what it does not say of such callers is absent."""
    keys: dict[str, ContextValue | None] = {
        "aws:principalisawsservice": "true" if principal.kind is PrincipalKind.SERVICE else "false",
        "aws:principalservicename": principal.arn if principal.kind is PrincipalKind.SERVICE else None,
    }
    if principal.kind in ACCOUNT_KINDS:
        keys["aws:principalarn"] = principal.role_arn or principal.arn
        keys["aws:principalaccount"] = principal.account
        keys["aws:principaltype"] = _TYPES[principal.kind]
        is_user = principal.kind is PrincipalKind.USER
        keys["aws:username"] = principal.arn.rpartition("/")[2] if is_user else None
    else:
        keys.update(dict.fromkeys(("aws:principalarn", "aws:principalaccount", "aws:username", "aws:principalorgid")))
    return keys
