"""The policies of request lines: from JSON text to the engine's layers, each text parsed once."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from keyhole.errors import KeyholeError, PolicyError
from keyhole.iam import Policy, PolicyKind, parse_policy
from keyhole.simulate.question import Rules, make_rules
from keyhole.simulate.scan import scan_items

POLICY_FIELDS = ("identity", "resource_policy", "boundaries", "scps", "rcps", "session", "endpoint")
_KINDS = {
    "identity": PolicyKind.IDENTITY,
    "resource_policy": PolicyKind.RESOURCE,
    "boundaries": PolicyKind.BOUNDARY,
    "scps": PolicyKind.SCP,
    "rcps": PolicyKind.RCP,
    "session": PolicyKind.SESSION,
    "endpoint": PolicyKind.ENDPOINT,
}
# What is remembered stays within this, so that a batch without end takes no memory without end.
MOST_CHARACTERS = 16_000_000

Texts = tuple[str | None, ...]
"""The JSON text of each of POLICY_FIELDS, None where there is none."""


class ResourceKind(StrEnum):
    """Resources whose own policy decides by rules of its own."""

    TRUST = "trust"
    KMS_KEY = "kms-key"


class PolicyTexts:
    """Policies by their text. When too much is remembered, all is forgotten: a batch that repeats parses it again."""

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._most_characters = most_characters
        self._characters = 0
        self._rules: dict[tuple[ResourceKind | None, Texts], Rules] = {}
        self._policies: dict[tuple[PolicyKind, str, str], Policy] = {}

    def find_rules(self, kind: ResourceKind | None, texts: Texts) -> Rules:
        """The layers of these texts.

        Raises: KeyholeError that says which policy is wrong, and where.
        """
        key = (kind, texts)
        rules = self._rules.get(key)
        if rules is None:
            rules = self._parse_rules(kind, dict(zip(POLICY_FIELDS, texts, strict=True)))
            self._make_room(sum(len(text) for text in texts if text is not None))
            self._rules[key] = rules
        return rules

    def _parse_rules(self, kind: ResourceKind | None, texts: dict[str, str | None]) -> Rules:
        resource = self._parse_resource(kind, texts["resource_policy"])
        is_trust = kind is ResourceKind.TRUST
        return make_rules(
            identity=self._parse_list("identity", texts["identity"]),
            resource=None if is_trust else resource,
            trust=resource if is_trust else None,
            boundaries=self._parse_list("boundaries", texts["boundaries"]),
            session=self._parse_list("session", texts["session"]),
            scps=self._parse_levels("scps", texts["scps"]),
            rcps=self._parse_levels("rcps", texts["rcps"]),
            endpoints=self._parse_list("endpoint", texts["endpoint"]),
        )

    def _parse_resource(self, kind: ResourceKind | None, text: str | None) -> Policy | None:
        """The resource's policy; a role or key without one is one whose policy allows nobody."""
        if text is None:
            return None if kind is None else Policy((), name="resource_policy")
        policy_kind = PolicyKind.TRUST if kind is ResourceKind.TRUST else PolicyKind.RESOURCE
        return self._parse(policy_kind, "resource_policy", text)

    def _parse_levels(self, field: str, text: str | None) -> tuple[tuple[Policy, ...], ...]:
        levels = tuple(_split(field, text, "a list of levels, each a list of policies: `[[…], …]`"))
        return tuple(self._parse_list(field, level, f"{field}[{index}]") for index, level in enumerate(levels))

    def _parse_list(self, field: str, text: str | None, label: str = "") -> tuple[Policy, ...]:
        label = label or field
        items = _split(label, text, "a list of policies, `[{…}, …]`")
        return tuple(self._parse(_KINDS[field], f"{label}[{index}]", item) for index, item in enumerate(items))

    def _parse(self, kind: PolicyKind, label: str, text: str) -> Policy:
        key = (kind, label, text)
        policy = self._policies.get(key)
        if policy is None:
            if not text.startswith("{"):
                raise KeyholeError(f"`{label}`: the policy is no object", hint="write the document itself, `{…}`")
            try:
                policy = parse_policy(text, kind, label)
            except PolicyError as error:
                raise KeyholeError(f"`{label}`: {error}", hint=error.hint) from None
            self._make_room(len(text))
            self._policies[key] = policy
        return policy

    def _make_room(self, characters: int) -> None:
        self._characters += characters
        if self._characters > self._most_characters:
            self._rules.clear()
            self._policies.clear()
            self._characters = characters


def _split(place: str, text: str | None, form: str) -> Iterator[str]:
    """The items of a list; none where there is no list."""
    if text is None:
        return
    try:
        yield from scan_items(text)
    except ValueError:
        raise KeyholeError(f"`{place}`: something else stands where a list belongs", hint=f"write {form}") from None
