"""The values of a hand-over: templates that a plan may show, filled with the key only at the moment of writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Scalar = str | int | bool

KEY_ID = "{access_key_id}"
SECRET = "{secret_access_key}"
ENDPOINT = "{endpoint}"
ENDPOINT_IF_ANY = "{endpoint?}"


@dataclass(frozen=True, slots=True)
class Key:
    """An access key; only its id is ever shown."""

    id: str
    secret: str = field(repr=False)


def fill(template: Scalar, key: Key, endpoint: str) -> Scalar | None:
    """Give the value that a template stands for; None for one that is left out, `{endpoint?}` on AWS itself."""
    if not isinstance(template, str):
        return template
    if template == ENDPOINT_IF_ANY:
        return endpoint or None
    # The secret goes in last: whatever it is, nothing in it is taken for a placeholder.
    return template.replace(KEY_ID, key.id).replace(ENDPOINT, endpoint).replace(SECRET, key.secret)


def fill_all(templates: Mapping[str, Scalar], key: Key, endpoint: str) -> dict[str, Scalar | None]:
    """Give every value of a place."""
    return {name: fill(template, key, endpoint) for name, template in templates.items()}


def find_key(templates: Mapping[str, Scalar], found: Mapping[str, Scalar]) -> Key | None:
    """Give the key that is among the values of a place, None if there is none, or only half of one."""
    names = {template: name for name, template in templates.items() if template in {KEY_ID, SECRET}}
    key_id, secret = (found.get(names[template], "") if template in names else "" for template in (KEY_ID, SECRET))
    if not isinstance(key_id, str) or not isinstance(secret, str) or not key_id or not secret:
        return None
    return Key(key_id, secret)
