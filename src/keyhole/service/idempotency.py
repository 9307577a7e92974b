"""The same request twice makes one image, also across processes and crashes; there is no database.

A request with an `Idempotency-Key` leaves a marker in the bucket before anything else, written on the condition that
there is none. Where the upload has a quarantine it is there, in `incoming/<upload>/[<caller>/]idempotency/`, which is
never public and expires. Elsewhere it is in `.idempotency/` under the upload's own prefix: no list shows it, and no
route gives it out. The prefix may be public, and a client's keys may be guessed, so a marker tells nothing: the image's
name follows from it together with the image's own bytes.

IETF draft "The Idempotency-Key HTTP Header Field".
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from keyhole.errors import AwsError
from keyhole.service.keys import MARKERS, RANDOM_BITS, make_name
from keyhole.service.problems import RETRY_AFTER_S, Problem
from keyhole.service.settings import Settings
from keyhole.service.store import ObjectHeaders, Store
from keyhole.spec.upload_rules import QUARANTINE

KEPT_S = 24 * 3600
"""For how long a key is remembered at least."""
_LONGEST = 255
_MOST_BYTES = 4096
_SWEEP_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """The name that the image of a request has. `is_new` holds iff no request came before with the same key."""

    name: str
    is_new: bool


def check_idempotency_key(key: str) -> None:
    """Return if it is one. Raises: Problem (400)."""
    if 1 <= len(key) <= _LONGEST and key.isascii() and key.isprintable():
        return
    raise Problem(
        400,
        "bad-idempotency-key",
        "the Idempotency-Key is not one",
        hint=f"send 1 to {_LONGEST} printable ASCII characters, new ones for each image: a UUID is right",
        headers={"Connection": "close"},
    )


def marker_folder(settings: Settings, prefix: str, quarantine: str) -> str:
    """Give where markers are, of an upload with these prefixes of the caller."""
    return f"{quarantine}idempotency/" if settings.signed_uploads else f"{prefix}{MARKERS}"


def plan_name(store: Store, folder: str, key: str, sha256: str, *, clock: Callable[[], float] = time.time) -> Plan:
    """Give the name for the image with these bytes that is sent under this key; the same one every time.

    Blocks. Raises: Problem (422) if other bytes came under this key, AwsError.
    """
    address = _find_address(key)
    if address.startswith("0") and not folder.startswith(QUARANTINE):
        # In quarantine they expire by themselves. Whatever is in the way of tidying is not in the request's.
        with contextlib.suppress(AwsError):
            sweep_markers(store, folder, address[1:], clock=clock)
    place = folder + address
    for _ in range(3):
        marker = _make_marker(sha256, clock)
        if _write(store, place, marker):
            return Plan(_find_name(marker, sha256), is_new=True)
        found = _read(store, place)
        if found is None:
            continue  # deleted in between: a sweep of another process
        if clock() - found.made_at > KEPT_S:
            store.delete_object(place)
            continue
        if not hmac.compare_digest(found.proof, _prove(found.salt, sha256)):
            raise Problem(
                422,
                "idempotency-key-reused",
                "another image was sent with this Idempotency-Key",
                hint="send a new key with each image, and the same one only to try the same image again",
            )
        return Plan(_find_name(found, sha256), is_new=False)
    raise Problem(
        503,
        "busy",
        "the Idempotency-Key could not be noted now",
        hint="nothing is lost: try again in a moment",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def forget_plan(store: Store, folder: str, key: str) -> None:
    """Let the key be used for another file: what was sent under it is not kept. Blocks."""
    with contextlib.suppress(AwsError):  # then it stays for a day, and the file is refused again
        store.delete_object(folder + _find_address(key))


def _find_address(key: str) -> str:
    return hashlib.sha256(f"keyhole idempotency\n{key}".encode()).hexdigest()


def sweep_markers(store: Store, folder: str, start: str, *, clock: Callable[[], float] = time.time) -> None:
    """Delete markers that are too old to count: some, now and then, for not every folder has a lifecycle rule.

    They are looked for from `start` on, and from the beginning where the folder ends: if it were always from the
    beginning, young ones would hide the old ones behind them for good.
    """
    listing = store.list_objects(folder, limit=_SWEEP_LIMIT, after_key=folder + start)
    found = listing.objects
    if not listing.has_more:
        found += store.list_objects(folder, limit=_SWEEP_LIMIT).objects
    for marker in dict.fromkeys(found):
        if clock() - marker.modified.timestamp() > KEPT_S:
            store.delete_object(marker.key)


@dataclass(frozen=True, slots=True)
class _Marker:
    made_ms: int
    salt: str
    proof: str

    @property
    def made_at(self) -> float:
        return self.made_ms / 1000


def _make_marker(sha256: str, clock: Callable[[], float]) -> _Marker:
    salt = secrets.token_hex(16)
    return _Marker(int(clock() * 1000), salt, _prove(salt, sha256))


def _prove(salt: str, sha256: str) -> str:
    return hmac.digest(sha256.encode(), f"proof {salt}".encode(), "sha256").hex()


def _find_name(marker: _Marker, sha256: str) -> str:
    chance = hmac.digest(sha256.encode(), f"name {marker.salt}".encode(), "sha256")
    bits = int.from_bytes(chance, "big") >> (8 * len(chance) - RANDOM_BITS)
    return make_name(now_ms=marker.made_ms, random_bits=bits)


def _write(store: Store, place: str, marker: _Marker) -> bool:
    text = json.dumps({"made_ms": marker.made_ms, "salt": marker.salt, "proof": marker.proof}).encode()
    headers = ObjectHeaders("application/json", content_disposition="attachment")
    digest = hashlib.sha256(text).hexdigest()
    return store.put_object(place, io.BytesIO(text), headers, sha256=digest, only_new=True)


def _read(store: Store, place: str) -> _Marker | None:
    """Give the marker; None where there is none. One that nobody wrote like this belongs to no image: no proof fits."""
    head = store.read_head(place)
    if head is None:
        return None
    if head.size_bytes > _MOST_BYTES:
        return _Marker(int(head.modified.timestamp() * 1000), "", "")
    body = io.BytesIO()
    store.read_object(place, body, etag=head.etag)
    try:
        found = json.loads(body.getvalue())
        return _Marker(int(found["made_ms"]), str(found["salt"]), str(found["proof"]))
    except (ValueError, KeyError, TypeError):
        return _Marker(int(head.modified.timestamp() * 1000), "", "")
