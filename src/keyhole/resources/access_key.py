"""The access key of a user, and where it is handed over: one that works, in every place that the file names.

IAM gives a key's secret once, in the answer that makes the key. A key that no place holds is therefore of no use to
anybody, unless it was used: then someone has it, and only `keyhole rotate` ends it. A user has two keys at most.
AWS: IAM User Guide, "Manage access keys for IAM users"; "IAM and AWS STS quotas".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from keyhole.aws import Aws, Call
from keyhole.aws.client import Credentials
from keyhole.errors import AwsError, KeyholeError
from keyhole.handover import Place, PlaceState, check_place, read_key, read_place
from keyhole.handover.steps import remove_step, take_step, write_step
from keyhole.naming import Scope
from keyhole.resources.kind import Foreign, removal, tag_dict

NAME = "access-key"
DEPENDS_ON = ("user", "secret")
# The user refuses for both: whose the user is, his are its keys.
FOREIGN = Foreign.REPLACED
TAG_ROTATING = "keyhole:rotating"
MOST_KEYS = 2


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A user's key as it shall be: handed over in these places."""

    address: str
    name: str
    places: tuple[Place, ...]
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key of a user: when it was made, and when and for what it was last used, as far as AWS tells yet."""

    id: str
    is_active: bool
    made: datetime
    used: datetime | None = None
    used_for: str = ""

    @property
    def last_use(self) -> str:
        """The last use as a person reads it."""
        if self.used is None:
            return "never used as far as AWS tells"
        return f"last used {self.used:%Y-%m-%d %H:%M} UTC for {self.used_for}"


@dataclass(frozen=True, slots=True)
class ExistingAccessKey:
    """A user's keys, oldest first, and what the places hold. `rotating` is the key that a rotation is to end.

    `tags` are the user's.
    """

    name: str
    keys: tuple[KeyUse, ...]
    places: tuple[PlaceState, ...]
    rotating: str
    tags: dict[str, str]

    @property
    def current(self) -> KeyUse | None:
        """The active key that a place holds; of two the one that is not to end, else the newer."""
        held = {state.key_id for state in self.places}
        found = [key for key in self.keys if key.is_active and key.id in held]
        return max(found, key=lambda key: (key.id != self.rotating, key.made), default=None)

    @property
    def lost(self) -> tuple[KeyUse, ...]:
        """The keys that were made to take the current one's place and never arrived anywhere: nobody has the secret."""
        held = {state.key_id for state in self.places}
        current = self.current
        return tuple(
            key
            for key in self.keys
            if current is not None
            and key.id not in {*held, self.rotating}
            and key.used is None
            and (key.made > current.made or self.rotating == current.id)
        )


def find(_aws: Aws, _scope: Scope) -> Iterator[str]:
    """Give nothing: what is left of a user's keys goes with the user."""
    yield from ()


def read(aws: Aws, _scope: Scope, name: str) -> ExistingAccessKey | None:
    """Give the keys of the user of this name, and no places: those are the file's to say."""
    return _read(aws, name, ())


def read_handed_over(aws: Aws, want: AccessKey, *, check: bool = True) -> ExistingAccessKey | None:
    """Give the user's keys and what the places hold; None if there is neither.

    Raises: KeyholeError if `check` and the key cannot be written to one of the places; AwsError.
    """
    states = []
    for place in want.places:
        try:
            if check:
                check_place(place)
            states.append(read_place(aws, place))
        except AwsError:
            raise
        except KeyholeError:
            if check:
                raise
            states.append(PlaceState(place))
    found = _read(aws, want.name, tuple(states))
    if found is None and any(state.key_id for state in states):
        return ExistingAccessKey(want.name, (), tuple(states), "", {})
    return found


def read_credentials(aws: Aws, want: AccessKey) -> Credentials | None:
    """Give the credentials that are handed over, None if none of the user's active keys is.

    Raises: KeyholeError, AwsError.
    """
    have = read_handed_over(aws, want, check=False)
    if have is None or have.current is None:
        return None
    place = next(state.place for state in have.places if state.key_id == have.current.id)
    key = read_key(aws, place)
    return Credentials(key.id, key.secret) if key is not None else None


def calls(want: AccessKey | None, have: ExistingAccessKey | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`. Gone, the keys are the user's to delete: the files are done here.

    Raises: KeyholeError if the user has two keys that are used, and neither is handed over.
    """
    if want is None:
        yield from _clear(have)
    elif have is None:
        yield Call("iam", "CreateAccessKey", {"UserName": want.name}, why="make an access key")
        yield from _writes(want, None)
    elif have.current is None:
        yield from _replace(want, have)
    else:
        yield from _mend(want, have, have.current)
        for key in have.lost:
            yield delete_call(want.name, key, "it was handed over nowhere")


def renewal_calls(want: AccessKey, have: ExistingAccessKey) -> Iterator[Call]:
    """Give the calls that begin a rotation: what was lost goes, the user remembers the old key, a new one arrives."""
    old = have.current
    if old is None:
        raise KeyholeError(f"user `{want.name}` has no key that is handed over", hint="make one: `keyhole up`")
    for key in have.lost:
        yield delete_call(want.name, key, "it was handed over nowhere")
    tags = [{"Key": TAG_ROTATING, "Value": old.id}]
    yield Call("iam", "TagUser", {"UserName": want.name, "Tags": tags}, why=f"remember that {old.id} is to end")
    yield Call("iam", "CreateAccessKey", {"UserName": want.name}, why="make the second access key")
    yield from _writes(want, have)


def delete_call(user_name: str, key: KeyUse, why: str) -> Call:
    """Give the call that deletes a key."""
    params = {"UserName": user_name, "AccessKeyId": key.id}
    return removal("iam", "DeleteAccessKey", params, f"delete access key {key.id}: {why}")


def _read(aws: Aws, name: str, places: tuple[PlaceState, ...]) -> ExistingAccessKey | None:
    try:
        tags = tag_dict(aws.call("iam", "GetUser", UserName=name)["User"].get("Tags"))
        found = list(aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", UserName=name))
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    keys = []
    for item in found:
        last = aws.call("iam", "GetAccessKeyLastUsed", AccessKeyId=item["AccessKeyId"])["AccessKeyLastUsed"]
        used_for = f"{last.get('ServiceName', '')} in {last.get('Region', '')}"
        is_active = item["Status"] == "Active"
        keys.append(KeyUse(item["AccessKeyId"], is_active, item["CreateDate"], last.get("LastUsedDate"), used_for))
    keys.sort(key=lambda key: (key.made, key.id))
    return ExistingAccessKey(name, tuple(keys), places, tags.get(TAG_ROTATING, ""), tags)


def _clear(have: ExistingAccessKey | None) -> Iterator[Call]:
    """Take the user's keys out of the files; what holds someone else's key is left."""
    ids = {key.id for key in have.keys} if have is not None else set()
    for state in have.places if have is not None else ():
        if not state.place.is_secret and state.key_id in ids:
            yield remove_step(state.place)


def _writes(want: AccessKey, have: ExistingAccessKey | None) -> Iterator[Call]:
    """Hand the key over everywhere: in secrets first, for a file that is ready on disk is in its place at once."""
    ids = {key.id for key in have.keys} if have is not None else set()
    states = {state.place.target: state for state in have.places} if have is not None else {}
    for place in sorted(want.places, key=lambda place: not place.is_secret):
        state = states.get(place.target)
        if state is not None and state.key_id and state.key_id not in ids:
            why = f"write it to {place.sentence} in place of {state.key_id}, which is no key of this user"
            yield write_step(place, why, destructive=True)
        else:
            yield write_step(place)


def _mend(want: AccessKey, have: ExistingAccessKey, current: KeyUse) -> Iterator[Call]:
    """Bring the key to the places that lack it, and right the values beside it: no new key is needed for that."""
    right = {state.place.target for state in have.places if state.key_id == current.id and state.agrees}
    if len(right) == len(want.places):
        return
    source = next(state.place for state in have.places if state.key_id == current.id)
    yield take_step(source)
    behind = AccessKey(want.address, want.name, tuple(place for place in want.places if place.target not in right))
    yield from _writes(behind, have)


def _replace(want: AccessKey, have: ExistingAccessKey) -> Iterator[Call]:
    """Make a new key where no place holds one that works. A key that is in use stays, until a rotation ends it."""
    spare = sorted((key for key in have.keys if not key.is_active or key.used is None), key=lambda key: key.is_active)
    in_use = [key for key in have.keys if key not in spare]
    if len(in_use) >= MOST_KEYS:
        told = "; ".join(f"{key.id}: {key.last_use}" for key in in_use)
        raise KeyholeError(
            f"user `{want.name}` has two access keys that are in use, and no place of the file holds one ({told})",
            hint="bring back the file with the newer one, or deactivate the one that nobody needs",
        )
    why = "it is inactive" if spare and not spare[0].is_active else "nobody has its secret"
    if len(have.keys) >= MOST_KEYS:
        yield delete_call(want.name, spare.pop(0), why)
    stays = "".join(f"; {key.id}, {key.last_use}, stays until `keyhole rotate` ends it" for key in in_use)
    yield Call("iam", "CreateAccessKey", {"UserName": want.name}, why=f"make an access key{stays}")
    yield from _writes(want, have)
    for key in spare:
        yield delete_call(want.name, key, "it is inactive" if not key.is_active else "nobody has its secret")
