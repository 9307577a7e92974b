"""What a call to the policy simulator gives it: policies, who calls, and condition keys with their values.

AWS: IAM API Reference, SimulatePrincipalPolicy and SimulateCustomPolicy, request parameters, and ContextEntry.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase

from keyhole.errors import PolicyError
from keyhole.iam import parse_policy
from keyhole.iam.model import Context, PolicyKind, Principal, PrincipalKind
from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Caller, Fault
from keyhole.local.iam_backend import Entity
from keyhole.local.overrides.iam_entities import no_such
from keyhole.local.simulation import Source

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?|\d{1,19}", re.ASCII)
_HANDLING = frozenset(
    f"EC2-{place}-{storage}{subnet}"
    for place, subnets in (("Classic", ("",)), ("VPC", ("", "-Subnet")))
    for storage in ("InstanceStore", "EBS")
    for subnet in subnets
)


def read_sources(texts: Iterable[object], label: str, kind: PolicyKind) -> tuple[Source, ...]:
    """Give the policies that the call brings as texts. Raises: Fault (InvalidInput)."""
    return tuple(_source(f"{label}.{number}", str(text), kind) for number, text in enumerate(texts, 1))


def attached_sources(entity: Entity, account: str, backend: Backend) -> Iterator[Source]:
    """Give the policies that a user, group or role has, a user's groups included."""
    for name, text in entity.inline:
        yield _source(f"{entity.kind}_{entity.name}_{name}", text, PolicyKind.IDENTITY)
    for arn in entity.attached:
        document = backend.find_policy(arn)
        if document:
            yield _source(arn.rsplit("/", 1)[-1], document.text, PolicyKind.IDENTITY)
    for group in entity.groups:
        found = backend.find_entity(account, "group", group)
        if found:
            yield from attached_sources(found, account, backend)


def boundary_source(entity: Entity, backend: Backend) -> Source | None:
    """Give the boundary that the user or role has."""
    document = backend.find_policy(entity.boundary_arn) if entity.boundary_arn else None
    name = entity.boundary_arn.rsplit("/", 1)[-1]
    return _source(name, document.text, PolicyKind.BOUNDARY) if document else None


def is_excluded(source: Source, entity: Entity, arns: Iterable[str], exclusions: Iterable[dict[str, object]]) -> bool:
    """Hold iff the call leaves a policy of the entity out: by its ARN, or as an inline one by its name."""
    for exclusion in exclusions:
        pattern = str(exclusion.get("PolicyArn") or "")
        if pattern and any(fnmatchcase(arn, pattern) and arn.endswith(f"/{source.policy_id}") for arn in arns):
            return True
        inline = exclusion.get("InlinePolicyIdentifier")
        if isinstance(inline, dict):
            name = str(inline.get("PolicyName") or "")
            if source.policy_id == f"{entity.kind}_{entity.name}_{name}":
                return True
    return False


def find_source_entity(call: ApiCall, caller: Caller, backend: Backend) -> Entity:
    """Give the user, group or role whose policies are simulated. Raises: Fault (InvalidInput, NoSuchEntity)."""
    arn = str(call.params.get("PolicySourceArn", ""))
    fields = arn.split(":", 5)
    kind, _, rest = fields[5].partition("/") if len(fields) == 6 else ("", "", "")
    if len(fields) != 6 or fields[2] != "iam" or kind not in ("user", "group", "role") or not rest:
        raise _invalid(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    entity = backend.find_entity(fields[4], kind, rest.rsplit("/", 1)[-1]) if fields[4] == caller.account else None
    if entity is None or entity.arn != arn:
        raise no_such(f"The {kind} with name {rest.rsplit('/', 1)[-1]} cannot be found.")
    return entity


def read_principal(call: ApiCall, entity: Entity | None, account: str) -> Principal:
    """Give who is simulated as the caller. Raises: Fault (InvalidInput)."""
    arn = str(call.params.get("CallerArn") or (entity.arn if entity else ""))
    has_resource_policy = "ResourcePolicy" in call.params
    if not arn:
        if has_resource_policy:
            raise _invalid("CallerArn is required when ResourcePolicy is specified.")
        return Principal(PrincipalKind.USER, f"arn:aws:iam::{account}:user/", account)
    fields = arn.split(":", 5)
    kind, _, rest = fields[5].partition("/") if len(fields) == 6 else ("", "", "")
    if len(fields) != 6 or fields[2] != "iam" or kind not in ("user", "group", "role") or not rest:
        raise _invalid(f"Invalid Caller Arn: {arn} must be the ARN of a user, group or role.")
    if kind != "role":
        return Principal(PrincipalKind.USER, arn, fields[4])
    if has_resource_policy:
        raise _invalid("Simulation of resource-based policies isn't supported for IAM roles.")
    session = f"arn:{fields[1]}:sts::{fields[4]}:assumed-role/{rest.rsplit('/', 1)[-1]}/simulated"
    return Principal(PrincipalKind.ROLE_SESSION, session, fields[4], role_arn=arn)


def check_questions(call: ApiCall) -> None:
    """Hold iff the call names whole actions and ARNs, and a way of handling that there is. Raises: Fault."""
    for action in call.params.get("ActionNames", ()):
        if not _ACTION.fullmatch(str(action)):
            raise _invalid(f"Invalid Action Name: {action}")
    for arn in call.params.get("ResourceArns", ()):
        if arn != "*" and (not str(arn).startswith("arn:") or str(arn).count(":") < 5):
            raise _invalid(f"Invalid Resource ARN: {arn}")
    option = call.params.get("ResourceHandlingOption")
    if option is not None and option not in _HANDLING:
        raise _invalid(f"Invalid Resource Handling Option: {option}")


def read_context(call: ApiCall) -> Context:
    """Give the condition keys with their values, each as its type writes it. Raises: Fault (InvalidInput)."""
    values: dict[str, str | tuple[str, ...]] = {}
    for entry in call.params.get("ContextEntries", ()):
        key, kind = str(entry.get("ContextKeyName") or ""), str(entry.get("ContextKeyType") or "string")
        given = [str(value) for value in entry.get("ContextKeyValues", ())]
        base = kind.removesuffix("List")
        check = _TYPES.get(base)
        if not key or check is None:
            raise _invalid(f"Invalid Context Key: {key} of type {kind}")
        if key.lower() in {name.lower() for name in values}:
            raise _invalid(f"Duplicate Context Key: {key}")
        for value in given:
            if not check(value):
                raise _invalid(f"Invalid Context Value: {value} for key {key} is not of type {base}")
        if kind == base and len(given) > 1:
            raise _invalid(f"Invalid Context Value: key {key} of type {kind} takes one value only")
        if kind == base:
            values |= {key: given[0]} if given else {}
        else:
            values[key] = tuple(given)
    return Context(values)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d{1,30}(\.\d{1,30})?", text, re.ASCII) is not None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_binary(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


_TYPES: dict[str, Callable[[str], bool]] = {
    "string": lambda _text: True,
    "numeric": _is_number,
    "boolean": lambda text: text.lower() in ("true", "false"),
    "ip": _is_address,
    "binary": _is_binary,
    "date": lambda text: _DATE.fullmatch(text) is not None,
}


def _source(policy_id: str, text: str, kind: PolicyKind) -> Source:
    try:
        return Source(policy_id, text, parse_policy(text, kind, policy_id))
    except PolicyError as error:
        raise _invalid(f"Invalid Input Policy: {policy_id} is not a valid policy: {error}") from error


def _invalid(message: str) -> Fault:
    return Fault("InvalidInput", message, 400)
