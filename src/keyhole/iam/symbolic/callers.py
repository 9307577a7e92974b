"""The callers that a question must be asked for: everyone whom the policies name, and strangers of each sort.

A Principal element has no wildcards but the lone star, so callers whom no policy names are alike but for their names.
Those stay free, their account's number too: what a condition says of `aws:PrincipalArn` is solved along with the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

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
OWNER_KEYS = ("aws:resourceaccount", "s3:resourceaccount")
"""The keys that say whose the resource is."""
_ARN, _ACCOUNT, _NAME, _SERVICE = "aws:principalarn", "aws:principalaccount", "aws:username", "aws:principalservicename"
_TYPE, _OF_SERVICES = "aws:principaltype", "aws:principalisawsservice"
EXAMPLES = {_NAME: "someone", _ACCOUNT: OWN_ACCOUNT, "aws:userid": "AIDAEXAMPLE"}
"""What policy variables of the caller stand for, where it does not matter."""
_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE_SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
}
_NUMBER = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])", re.ASCII)
_ANY_ACCOUNT = "?" * 12
_PARTITIONS = ("aws", "aws-us-gov", "aws-cn")
_HOLDERS = tuple(
    f"arn:aws*:{service}::{_ANY_ACCOUNT}:{sort}/?*"
    for service, sort in (("iam", "user"), ("iam", "role"), ("sts", "federated-user"))
)
"""Who has identity-based policies, as `aws:PrincipalArn` says it."""


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
    is_anyone: bool = False
    """Whether it stands for whoever has the policy: users and roles of any account."""

    def domain(self, encoder: Encoder) -> Iterator[Formula]:
        """Give what holds of the caller's own keys, where a policy asks for them and they are free."""
        for key, patterns in self.free.items():
            if key in encoder.keys:
                # AWS says of nearly every request whose the resource is, but not of each.
                yield Lit(Atom(KEY + key, _language(*patterns), absent=key in OWNER_KEYS))
                if self.taken.get(key):
                    yield Lit(
                        Atom(KEY + key, Language(tuple(make_pattern((name,)) for name in self.taken[key]))), False
                    )

    def complete(self, request: Request) -> Request:
        """Give the request with a caller that has the names which were found for it."""
        if self.is_anyone:
            return _as_told(request)
        if not self.free:
            return request
        caller, found, owner = request.principal, dict(request.context), request.resource_account
        if caller.kind is PrincipalKind.SERVICE:
            name = found.get(_SERVICE)
            caller = replace(caller, arn=name) if isinstance(name, str) else caller
        elif caller.kind in ACCOUNT_KINDS:
            caller = self._named(caller, found)
        for key in OWNER_KEYS:
            if key in self.free and key in found:
                owner = found[key] = self._as_owner(_text(found[key]), caller.account, owner)
        return replace(request, principal=caller, context=Context(found), resource_account=owner)

    def _named(self, caller: Principal, found: dict[str, ContextValue]) -> Principal:
        """Give the caller with the name and account that were found, which are written into what was found, too."""
        arn = _text(found.get(_ARN)) or caller.role_arn or caller.arn
        number = _text(found.get(_ACCOUNT)) or arn.split(":", 5)[4]
        number = self._as_number(number) if _ACCOUNT in self.free else caller.account
        fields = arn.split(":", 5)
        name = _text(found.get(_NAME))
        if name and _ARN not in found:
            is_taken = f"{':'.join((*fields[:4], number))}:user/{name}" in self.taken.get(_ARN, ())
            fields[5] = f"user/{'other/' if is_taken else ''}{name}"
        arn = ":".join((*fields[:4], number, fields[5]))
        for key, value in ((_ARN, arn), (_ACCOUNT, number)):
            if key in found:
                found[key] = value
        if caller.kind is not PrincipalKind.ROLE_SESSION:
            return replace(caller, arn=arn, account=number)
        role, session = arn.rpartition("/")[2], caller.arn.rpartition("/")[2]
        session = f"arn:{fields[1]}:sts::{number}:assumed-role/{role}/{session}"
        return replace(caller, role_arn=arn, arn=session, account=number)

    def _as_owner(self, text: str, own: str, owner: str) -> str:
        """Give the number of whose the resource is: of some account that is not the caller's."""
        found = next((number for number in _as_numbers(text) if number != own), owner)
        return owner if own == owner else found

    def is_coherent(self, request: Request) -> bool:
        """Hold unless what the request says of its caller contradicts itself."""
        caller, name = request.principal, request.context.get(_NAME)
        if caller.kind is not PrincipalKind.USER or not self.free or name is None:
            return True
        return caller.arn.rpartition("/")[2] == name

    def _as_number(self, text: str) -> str:
        """Give an account's number where letters stand for free digits, of one that is not taken."""
        taken = self.taken.get(_ACCOUNT, ())
        found = next((number for number in _as_numbers(text) if number not in taken), text)
        return found if found.isdecimal() else _fresh_account(taken)

    def finish(self, answer: Answer) -> Answer:
        """Give the answer with its witness completed."""
        return answer if answer.witness is None else replace(answer, witness=self.complete(answer.witness))


def _as_told(request: Request) -> Request:
    """Give the request of whom it tells itself: a user or a role by name and account, all of it saying the same."""
    found = dict(request.context)
    if not {_ARN, _ACCOUNT, _NAME, _TYPE} & found.keys():
        return request
    fields = _text(found.get(_ARN)).split(":", 5)
    if len(fields) < 6 or fields[5].partition("/")[0] not in {"user", "role"}:
        sort = "role" if found.get(_TYPE) == _TYPES[PrincipalKind.ROLE_SESSION] else "user"
        fields = ["arn", "aws", "iam", "", "", f"{sort}/{_text(found.get(_NAME)) or 'someone'}"]
    number = re.sub("[^0-9]", "9", _text(found.get(_ACCOUNT)) or fields[4])
    number = number if len(number) == len(_ANY_ACCOUNT) else request.principal.account
    arn, name = ":".join((*fields[:4], number, fields[5])), fields[5].rpartition("/")[2]
    caller = Principal(PrincipalKind.USER, arn, number)
    if fields[5].startswith("role/"):
        session = f"arn:{fields[1]}:sts::{number}:assumed-role/{name}/session"
        caller = Principal(PrincipalKind.ROLE_SESSION, session, number, arn)
    told = {key: value for key, value in caller_keys(caller).items() if key in found}
    known = {key: value for key, value in {**found, **told}.items() if value is not None}
    return replace(request, principal=caller, context=Context(known), resource_account=number)


def _language(*patterns: str) -> Language:
    return Language(tuple(make_pattern(split_wildcards(pattern)) for pattern in patterns))


def _text(value: ContextValue | None) -> str:
    return value if isinstance(value, str) else ""


def ask_with_variables(
    given: Mapping[str, ContextValue | None],
    make: Callable[[Mapping[str, ContextValue | None]], Encoder],
    ask: Callable[[Encoder], Answer],
    examples: Mapping[str, str] = EXAMPLES,
) -> Answer:
    """Ask with policy variables free; what hangs on them is asked once more with a value for each, for a witness.

    `make` gives the encoder where these keys have these values.
    """
    encoder = make(given)
    answer = ask(encoder)
    if answer.verdict is Verdict.UNKNOWN and encoder.variables:
        values = {key: examples.get(key, "example") for key in encoder.variables}
        second = ask(make({**given, **values}))
        if second.verdict is Verdict.FAILS:
            return second
    return answer


def callers_of(
    policies: Iterable[Policy],
    kind: PolicyKind,
    *,
    account: str = OWN_ACCOUNT,
    resource: str = "",
    within: str = "",
    is_owner_free: bool = False,
) -> Iterator[Caller]:
    """Give the callers to ask for; of a policy that names nobody, one in whose place anyone may stand.

    `account` owns the resource, or the role that is assumed; `is_owner_free`: it stands for any but the caller's.
    `within`: only callers of this account.
    """
    if kind not in PRINCIPAL_KINDS:
        someone = Principal(PrincipalKind.USER, f"arn:aws:iam::{account}:user/someone", account)
        # Such policies are no service's.
        known = {_OF_SERVICES: "false", _SERVICE: None}
        free = {_ARN: _HOLDERS, _ACCOUNT: (_ANY_ACCOUNT,)}
        yield Caller(Request(someone, "", resource, resource_account=account), known, free, is_anyone=True)
        return
    listed = tuple(policies)
    stage = _Stage(tuple(dict.fromkeys(_mentioned(listed))), account, resource, named_accounts(listed), is_owner_free)
    yield from stage.named(within)
    if within:
        yield from stage.strangers(within)
        return
    # Of several requests that show the same, that of somebody from elsewhere says the most.
    for number in ("", *stage.taken):
        yield from stage.strangers(number)
    yield from stage.of_no_account()


def named_accounts(policies: Iterable[Policy]) -> tuple[str, ...]:
    """Give the accounts that the policies speak of, as principals or in conditions on them."""
    found: dict[str, None] = {}
    for policy in policies:
        for statement in policy.statements:
            texts = [pattern.value for pattern in statement.principals.patterns] if statement.principals else []
            for condition in statement.conditions:
                if condition.key.lower() in {_ARN, _ACCOUNT, *OWNER_KEYS}:
                    texts.extend(condition.values)
            for text in texts:
                found.update(dict.fromkeys(_NUMBER.findall(text)))
    return tuple(found)


class _Stage:
    """Who may ask where some policies have a say. `named`: the entries of their Principal elements."""

    def __init__(
        self,
        named: tuple[tuple[str, str], ...],
        account: str,
        resource: str,
        accounts: Iterable[str],
        is_owner_free: bool,
    ) -> None:
        self._entries = named
        self._account = account
        self._resource = resource
        self._arns = tuple(value for sort, value in named if sort == "AWS" and value.startswith("arn:"))
        # A stranger that is called as somebody whom a policy names would be none.
        self._names = {part for _, value in named for part in re.split("[:/]", value)}
        self.taken = tuple(dict.fromkeys((*accounts, account)))
        self._owner: dict[str, ContextValue | None] = {} if is_owner_free else dict.fromkeys(OWNER_KEYS, account)
        self._free_owner = dict.fromkeys(OWNER_KEYS, (_ANY_ACCOUNT,)) if is_owner_free else {}

    def named(self, within: str) -> Iterator[Caller]:
        """Give those whom an entry names."""
        session = self._fresh("session")
        for sort, value in self._entries:
            if within and (sort != "AWS" or f":{within}:" not in value):
                continue
            if sort == "AWS" and ":assumed-role/" in value:
                yield from self._session(value)
                continue
            principal = _principal(sort, value, session)
            if principal is not None:
                yield self._caller(principal, caller_keys(principal))

    def _session(self, value: str) -> Iterator[Caller]:
        """Give a session that is named, of each role that it may be of: its own name does not tell the role's path."""
        fields = value.split(":", 5)
        name = fields[5].split("/")[1]
        start = f"arn:{fields[1]}:iam::{fields[4]}:role/"
        roles = tuple(arn for arn in self._arns if arn.startswith(start) and arn.rpartition("/")[2] == name)
        for role in roles:
            principal = Principal(PrincipalKind.ROLE_SESSION, value, fields[4], role)
            yield self._caller(principal, caller_keys(principal))
        role = start + (f"{self._fresh('other')}/" if f"{start}{name}" in roles else "") + name
        principal = Principal(PrincipalKind.ROLE_SESSION, value, fields[4], role)
        known = {key: known for key, known in caller_keys(principal).items() if key != _ARN}
        yield self._caller(principal, known, {_ARN: (start + name, f"{start}*/{name}")}, {_ARN: roles})

    def strangers(self, number: str) -> Iterator[Caller]:
        """Give those of one account whom nobody names; without a number, those of any account that is not taken."""
        shown = number or _fresh_account(self.taken)
        user, role = self._fresh("someone"), self._fresh("something")
        session = f"arn:aws:sts::{shown}:assumed-role/{role}/{self._fresh('session')}"
        for principal, service, name in (
            (Principal(PrincipalKind.USER, f"arn:aws:iam::{shown}:user/{user}", shown), "iam", "user/?*"),
            (
                Principal(PrincipalKind.ROLE_SESSION, session, shown, f"arn:aws:iam::{shown}:role/{role}"),
                "iam",
                "role/?*",
            ),
            (Principal(PrincipalKind.ROOT, f"arn:aws:iam::{shown}:root", shown), "iam", "root"),
            (
                Principal(PrincipalKind.FEDERATED_USER, f"arn:aws:sts::{shown}:federated-user/{user}", shown),
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
            of_others = () if name == "root" else tuple(arn for arn in self._arns if number in arn)
            yield self._caller(principal, known, free, {_ARN: of_others, _ACCOUNT: self.taken})

    def of_no_account(self) -> Iterator[Caller]:
        """Give an AWS service, an identity provider and an anonymous caller whom nobody names."""
        services = tuple(value for sort, value in self._entries if sort == "Service")
        host = f"{self._fresh('login')}.example.com"
        for principal, free in (
            (Principal(PrincipalKind.SERVICE, _fresh("example.amazonaws.com", services)), {_SERVICE: ("?*",)}),
            (Principal(PrincipalKind.ANONYMOUS), {}),
            (Principal(PrincipalKind.WEB_IDENTITY, f"arn:aws:iam::{self._account}:oidc-provider/{host}"), {}),
        ):
            known = {key: value for key, value in caller_keys(principal).items() if key not in free}
            yield self._caller(principal, known, free, {_SERVICE: services})

    def _caller(
        self,
        principal: Principal,
        known: Mapping[str, ContextValue | None],
        free: Mapping[str, tuple[str, ...]] | None = None,
        taken: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Caller:
        request = Request(principal, "", self._resource, resource_account=self._account)
        return Caller(request, {**known, **self._owner}, {**(free or {}), **self._free_owner}, taken or {})

    def _fresh(self, name: str) -> str:
        return _fresh(name, self._names)


def _fresh(name: str, taken: Collection[str]) -> str:
    """Give the name, or one like it, that is not taken."""
    return next(found for number in count(1) if (found := name if number == 1 else f"{number}.{name}") not in taken)


def _as_numbers(text: str) -> Iterator[str]:
    """Give numbers with digits in the place of all that is none."""
    return (re.sub("[^0-9]", digit, text) for digit in "9876543210")


def _fresh_account(taken: Collection[str]) -> str:
    """Give the number of an account that nobody names, one that a person sees to be made up."""
    plain = (digit * 12 for digit in "987654321")
    found = next((number for number in plain if number not in taken), "")
    return found or next(number for made in count(1) if (number := f"{made:012d}") not in taken)


def _mentioned(policies: Iterable[Policy]) -> Iterator[tuple[str, str]]:
    for policy in policies:
        for statement in policy.statements:
            for pattern in statement.principals.patterns if statement.principals else ():
                yield pattern.kind, pattern.value


def _principal(sort: str, value: str, session: str) -> Principal | None:
    """Give the caller that an entry names, a role in a session; None for the star, whole accounts and unique ids."""
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
        arn = f"arn:{fields[1]}:sts::{account}:assumed-role/{name.rpartition('/')[2]}/{session}"
        return Principal(PrincipalKind.ROLE_SESSION, arn, account, value)
    if name.startswith("federated-user/"):
        return Principal(PrincipalKind.FEDERATED_USER, value, account)
    return None


def caller_keys(principal: Principal) -> dict[str, ContextValue | None]:
    """Give what AWS says of the caller in every request; what it does not say of such callers is absent."""
    keys: dict[str, ContextValue | None] = {
        _OF_SERVICES: "true" if principal.kind is PrincipalKind.SERVICE else "false",
        _SERVICE: principal.arn if principal.kind is PrincipalKind.SERVICE else None,
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
