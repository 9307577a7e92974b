"""A place that a key is handed over to: a file, or a secret in Secrets Manager; and what is in it now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from keyhole.aws import Aws
from keyhole.errors import AwsError, KeyholeError
from keyhole.handover import csv_text, env_text, json_text, toml_text
from keyhole.handover.files import check_file, is_private, read_text
from keyhole.handover.values import Key, Scalar, fill_all, find_key

_SAMPLE = Key("AKIA0000000000000000", "0" * 40)


class _Text(Protocol):
    def read_values(self, text: str, /) -> dict[str, Scalar]: ...
    def write_values(self, text: str, values: dict[str, Scalar | None], /) -> str: ...
    def remove_values(self, text: str, names: set[str], /) -> str: ...


TEXTS: dict[str, _Text] = {"env": env_text, "toml": toml_text, "csv": csv_text, "json": json_text}


@dataclass(frozen=True, slots=True)
class Place:
    """`target` is a path, or the name of a secret if `format` is "json"; `values` are templates by name.

    `shown` is what the user wrote.
    """

    format: str
    target: str
    values: dict[str, Scalar]
    shown: str

    @property
    def is_secret(self) -> bool:
        return self.format == "json"

    @property
    def sentence(self) -> str:
        """The place as a person reads it."""
        return f"secret {self.shown}" if self.is_secret else self.shown


@dataclass(frozen=True, slots=True)
class PlaceState:
    """What a place holds: the id of the key in it, "" if there is no whole key; `agrees` if all is as it shall be."""

    place: Place
    key_id: str = ""
    agrees: bool = False
    is_there: bool = False


def check_place(place: Place) -> None:
    """Return if a key can be written here; nothing is written. Raises: KeyholeError."""
    if place.is_secret:
        return
    path = Path(place.target)
    check_file(path)
    write_text(place, read_text(path), _SAMPLE, "")


def read_place(aws: Aws, place: Place) -> PlaceState:
    """Give what the place holds now. Raises: KeyholeError, AwsError."""
    text = read_now(aws, place)
    found = _values(place, text)
    key = find_key(place.values, found)
    if key is None:
        return PlaceState(place, is_there=bool(text))
    wanted = fill_all(place.values, key, aws.endpoint_url)
    agrees = all(_same(place, found.get(name), value) for name, value in wanted.items())
    if not place.is_secret:
        agrees = agrees and is_private(Path(place.target))
    return PlaceState(place, key.id, agrees, is_there=True)


def read_key(aws: Aws, place: Place) -> Key | None:
    """Give the key that the place holds, with its secret. Raises: KeyholeError, AwsError."""
    return find_key(place.values, _values(place, read_now(aws, place)))


def write_text(place: Place, before: str, key: Key, endpoint: str) -> str:
    """Give the place's text with the key in it. Raises: KeyholeError if the text cannot be edited."""
    try:
        return TEXTS[place.format].write_values(before, fill_all(place.values, key, endpoint))
    except KeyholeError as error:
        raise _at(place, error) from None


def clear_text(place: Place, before: str) -> str:
    """Give the place's text without the hand-over's values. Raises: KeyholeError if the text cannot be edited."""
    try:
        return TEXTS[place.format].remove_values(before, set(place.values))
    except KeyholeError as error:
        raise _at(place, error) from None


def read_now(aws: Aws, place: Place) -> str:
    """Give the whole text that the place has now, "" if it has none. Raises: KeyholeError, AwsError."""
    if not place.is_secret:
        return read_text(Path(place.target))
    try:
        return str(aws.call("secretsmanager", "GetSecretValue", SecretId=place.target).get("SecretString", ""))
    except AwsError as error:
        # No such secret, no value yet, or on its way out: AWS's InvalidRequestException is for the last.
        if error.code in {"ResourceNotFoundException", "InvalidRequestException"}:
            return ""
        raise


def _values(place: Place, text: str) -> dict[str, Scalar]:
    try:
        return TEXTS[place.format].read_values(text)
    except KeyholeError as error:
        raise _at(place, error) from None


def _at(place: Place, error: KeyholeError) -> KeyholeError:
    return KeyholeError(error.message, hint=error.hint, where=place.sentence)


def _same(place: Place, found: Scalar | None, wanted: Scalar | None) -> bool:
    if place.format != "env" or found is None or wanted is None:
        return found == wanted
    return found == (str(wanted).lower() if isinstance(wanted, bool) else str(wanted))
