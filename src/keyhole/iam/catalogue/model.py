"""The types of the catalogue: a service, its actions, its resource types and its condition keys.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for AWS services" and its page on how to
read the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from keyhole.iam.match import compile_glob, match_glob


class AccessLevel(StrEnum):
    """What an action can do at most, in the words of the reference. UNKNOWN: it uses another word."""

    LIST = "List"
    READ = "Read"
    WRITE = "Write"
    PERMISSIONS_MANAGEMENT = "Permissions management"
    TAGGING = "Tagging"
    UNKNOWN = "Unknown"


class KeyType(StrEnum):
    """The type of a condition key's values. UNKNOWN: actions list the key, but no table says its type."""

    STRING = "String"
    ARN = "ARN"
    NUMERIC = "Numeric"
    DATE = "Date"
    BOOL = "Bool"
    IP_ADDRESS = "IPAddress"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """A condition key. `name` may end in a placeholder: `aws:PrincipalTag/${TagKey}` stands for every tag.

    `types` has several members only where AWS documents operators of several types for the key.
    """

    name: str
    types: tuple[KeyType, ...]
    is_multivalued: bool = False


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of resource and the format of its ARN, `arn:${Partition}:s3:::${BucketName}/${ObjectName}`.

    `arn_format` is "" for a type that an action names and no table describes: its resources may be any.
    """

    name: str
    arn_format: str
    condition_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActionResource:
    """A resource type that an action takes; `condition_keys` are those that come with it in this action only."""

    type: ResourceType
    is_required: bool
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """An action. No `resources` means that it takes none: a policy can name it with `Resource: "*"` only.

    `condition_keys` are those of every request; those that come with a resource type stand there.
    """

    prefix: str
    name: str
    access_level: AccessLevel
    resources: tuple[ActionResource, ...]
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """The action as a policy writes it."""
        return f"{self.prefix}:{self.name}"

    def has_condition_key(self, key: str) -> bool:
        """Hold iff some request for this action can carry the key, whatever the resource."""
        wanted = key.lower()
        return any(match_key(name, wanted) for name in self._every_key())

    def _every_key(self) -> Iterator[str]:
        yield from self.condition_keys
        for resource in self.resources:
            yield from resource.condition_keys
            yield from resource.type.condition_keys


@dataclass(frozen=True, slots=True)
class Service:
    """One service prefix. All mappings have lower-case keys: actions, types and condition keys have no case.

    `unlisted_keys`: the condition keys, in lower case, that are documented without any action that carries them.
    """

    prefix: str
    name: str
    actions: Mapping[str, Action]
    resource_types: Mapping[str, ResourceType]
    condition_keys: Mapping[str, ConditionKey]
    key_formats: tuple[ConditionKey, ...]
    unlisted_keys: frozenset[str]

    def find_action(self, name: str) -> Action | None:
        """The action of that name, without the prefix."""
        return self.actions.get(name.lower())

    def find_resource_type(self, name: str) -> ResourceType | None:
        """The resource type of that name."""
        return self.resource_types.get(name.lower())

    def find_condition_key(self, key: str) -> ConditionKey | None:
        """The key as a policy writes it, with the prefix: by its name, or by the format that it fits."""
        wanted = key.lower()
        exact = self.condition_keys.get(wanted)
        return exact or next((form for form in self.key_formats if match_key(form.name, wanted)), None)

    def expand(self, pattern: str) -> tuple[Action, ...]:
        """The actions whose names, without the prefix, fit the pattern, in the order of the reference."""
        if "*" not in pattern and "?" not in pattern:
            action = self.find_action(pattern)
            return () if action is None else (action,)
        glob = compile_glob(pattern.lower())
        return tuple(action for name, action in self.actions.items() if match_glob(glob, name))


def is_key_format(name: str) -> bool:
    """Hold iff the key's name has a place for another name: `${TagKey}`, `<key>`, `tag-key`, or an end in `/`."""
    return "${" in name or name.endswith(("<key>", "/tag-key", "/"))


def match_key(name: str, key: str) -> bool:
    """Hold iff a key in lower case is the one of that name, or fits its format with at least one character each."""
    if not is_key_format(name):
        return name.lower() == key
    return match_glob(compile_glob(_write_pattern(name.lower())), key)


def _write_pattern(name: str) -> str:
    """The format as a wildcard pattern."""
    for ending in ("<key>", "tag-key"):
        name = name.removesuffix(ending)
    pattern = ""
    while "${" in name:
        head, _, rest = name.partition("${")
        _, _, name = rest.partition("}")
        pattern += head + "?*"
    return pattern + name + ("?*" if name.endswith("/") else "")
