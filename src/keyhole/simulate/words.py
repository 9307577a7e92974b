"""A question in the words of a command line, its policies in files or in the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keyhole.aws import Aws
from keyhole.errors import KeyholeError
from keyhole.iam import Context, ContextValue, Policy, PolicyKind, Request
from keyhole.simulate.account import Caller, Resource, read_caller, read_resource
from keyhole.simulate.files import PolicyFiles, read_levels, read_policies, read_policy
from keyhole.simulate.question import Question, is_for_trust, make_request, make_rules


@dataclass(frozen=True, slots=True)
class Words:
    """The request as it was typed. `context`: words `KEY=VALUE`."""

    principal: str = ""
    action: str = ""
    resource: str = ""
    resource_account: str = ""
    context: tuple[str, ...] = ()


def read_question(words: Words, files: PolicyFiles, aws: Aws | None = None) -> tuple[Question, tuple[str, ...]]:
    """The question, and what is to be said of it; what `aws` is asked for is what the files do not say.

    Identity policies in files come to those of the account; a boundary, resource or trust policy takes the place of
    the account's. The context that is given is heeded rather than what the account knows.
    Raises: KeyholeError, AwsError.
    """
    for name, value in (("principal", words.principal), ("action", words.action), ("resource", words.resource)):
        if not value:
            raise KeyholeError(
                f"`--{name}` is missing", hint="a request has `--principal`, `--action` and `--resource`"
            )
    _check_encoding(words)
    said = read_context(words.context)
    request = make_request(words.principal, words.action, words.resource, said, words.resource_account)
    if aws is None:
        return _make_question(request, Caller(request.principal), Resource(), files), ()
    caller = read_caller(aws, request.principal)
    resource = Resource()
    if not (files.resource or files.trust or _is_elsewhere(request)):
        resource = read_resource(aws, caller.principal, request.action, request.resource)
    context = {**caller.context, **resource.context, **request.context}
    owner = request.resource_account or resource.account
    request = Request(caller.principal, request.action, request.resource, Context(context), owner)
    return _make_question(request, caller, resource, files), resource.notes


def _check_encoding(words: Words) -> None:
    """Bytes that are no UTF-8 come from a shell as half surrogates, which no request to AWS can have."""
    for word in (words.principal, words.action, words.resource, *words.context):
        try:
            word.encode()
        except UnicodeEncodeError:
            shown = word.encode(errors="backslashreplace").decode()
            raise KeyholeError(f"`{shown}` is not UTF-8 text", hint="write the request in UTF-8") from None


def _is_elsewhere(request: Request) -> bool:
    return bool(request.resource_account) and request.resource_account != request.principal.account


def _make_question(request: Request, caller: Caller, resource: Resource, files: PolicyFiles) -> Question:
    if files.resource and files.trust:
        raise KeyholeError(
            "`--trust` and `--resource-policy` exclude each other", hint="a role has a trust policy only"
        )
    is_trust = is_for_trust(request.action, request.resource)
    trust_file = files.trust or (files.resource if is_trust else None)
    policy_file = None if is_trust else files.resource
    trust = read_policy(trust_file, PolicyKind.TRUST) if trust_file else resource.trust
    boundaries = read_policies(files.boundaries, PolicyKind.BOUNDARY)
    if not boundaries and caller.boundary:
        boundaries = (caller.boundary,)
    rules = make_rules(
        identity=(*caller.identity, *read_policies(files.identity, PolicyKind.IDENTITY)),
        resource=read_policy(policy_file, PolicyKind.RESOURCE) if policy_file else resource.policy,
        # A role always has a trust policy: one that is not given trusts nobody.
        trust=trust or (Policy((), name="no trust policy") if is_trust else None),
        boundaries=boundaries,
        session=read_policies(files.session, PolicyKind.SESSION),
        scps=read_levels(files.scps, PolicyKind.SCP),
        rcps=read_levels(files.rcps, PolicyKind.RCP),
        endpoints=read_policies(files.endpoints, PolicyKind.ENDPOINT),
    )
    return Question(request, rules)


def read_context(pairs: Sequence[str]) -> dict[str, ContextValue]:
    """The condition keys in `KEY=VALUE` words; one that is given several times, in any case, has several values.

    Raises: KeyholeError.
    """
    found: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise KeyholeError(f"`{pair}` is no condition key with its value", hint="write `aws:SourceIp=203.0.113.7`")
        found.setdefault(key.lower(), []).append(value)
    return {key: values[0] if len(values) == 1 else tuple(values) for key, values in found.items()}
