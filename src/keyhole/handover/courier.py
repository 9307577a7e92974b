"""The courier takes a new key from the answer that has it to every place of its change, or sees that it ends.

All files are complete on disk before anything is put into a secret or replaced: what can fail fails while every place
is still as it was. A key that did not arrive is deleted again: nobody knows its secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError, ExitCode, KeyholeError
from keyhole.handover.files import StagedFile, read_text, replace_file, stage_file
from keyhole.handover.place import clear_text, read_key, read_now, write_text
from keyhole.handover.steps import SERVICE, place_of
from keyhole.handover.values import Key

CREATE = "CreateAccessKey"
PUT = "PutSecretValue"

MakeCall = Callable[[Call], Mapping[str, Any]]


class Courier:
    """Makes the calls of one change. Its repr has no secret; nothing that it holds outlives the change."""

    def __init__(self, aws: Aws, calls: Sequence[Call], make_call: MakeCall) -> None:
        """`make_call` makes a call of AWS and gives its answer."""
        self._aws = aws
        self._calls = tuple(calls)
        self._make_call = make_call
        self._key: Key | None = None
        self._made: Call | None = None
        self._staged: dict[str, StagedFile] = {}
        self._waiting = 0

    @property
    def is_on_its_way(self) -> bool:
        """Hold iff a new key is made and not yet in all of its places: no moment to stop."""
        return self._made is not None and self._waiting > 0

    def make(self, call: Call) -> None:
        """Make a call or a step. Raises: KeyholeError, AwsError."""
        if call.service == SERVICE:
            self._step(call)
        elif call.operation == CREATE:
            answer = self._make_call(call)["AccessKey"]
            self._made = call
            self._waiting = sum(_writes(step) for step in self._calls)
            self._carry(Key(answer["AccessKeyId"], answer["SecretAccessKey"]))
        elif call.operation == PUT:
            self._put(call)
        else:
            self._make_call(call)

    def give_up(self, error: KeyholeError) -> KeyholeError:
        """Undo what is half done, and give the error to report: a key that did not arrive is deleted again."""
        for staged in self._staged.values():
            staged.undo()
        if self._made is None or self._key is None or not self._waiting:
            return error
        user_name, key = self._made.params["UserName"], self._key
        try:
            self._make_call(Call("iam", "DeleteAccessKey", {"UserName": user_name, "AccessKeyId": key.id}))
            fate = f"access key {key.id} was deleted again"
        except AwsError as other:
            fate = f"access key {key.id} is there and its secret is lost ({other.code}): the next `keyhole up` ends it"
        error.message = f"{error.message}; the key could not be handed over: {fate}"
        error.args = (error.message,)
        if not isinstance(error, AwsError):
            error.exit_code = ExitCode.FINDING
        return error

    def stop(self) -> None:
        """Leave nothing half written behind where the change ends between two steps."""
        for staged in self._staged.values():
            if not staged.is_in_place:
                staged.undo()

    def _step(self, step: Call) -> None:
        place = place_of(step)
        match step.operation:
            case "TakeKey":
                key = read_key(self._aws, place)
                if key is None:
                    raise KeyholeError(f"the key is no longer in {place.sentence}", hint="run the command again")
                self._carry(key)
            case "WriteValues":
                self._staged[place.target].commit()
                self._waiting -= 1
            case "RemoveValues":
                path = Path(place.target)
                if path.exists():
                    replace_file(path, clear_text(place, read_text(path)))
            case _:
                raise KeyholeError(f"there is no step `{step.operation}` of a hand-over")

    def _carry(self, key: Key) -> None:
        """Take the key along, and lay every file of the change out, complete."""
        self._key = key
        for step in self._calls:
            if step.service == SERVICE and step.operation == "WriteValues":
                place = place_of(step)
                path = Path(place.target)
                text = write_text(place, read_text(path), key, self._aws.endpoint_url)
                self._staged[place.target] = stage_file(path, text)

    def _put(self, call: Call) -> None:
        if self._key is None:
            raise KeyholeError(f"there is no key to put into secret {call.params['SecretId']}")
        place = place_of(call)
        value = write_text(place, read_now(self._aws, place), self._key, self._aws.endpoint_url)
        self._make_call(replace(call, params={**call.params, "SecretString": value}))
        self._waiting -= 1


def _writes(step: Call) -> bool:
    return step.operation == PUT or (step.service == SERVICE and step.operation == "WriteValues")
