"""Rotating an access key: a second one takes the first one's places, and the first ends when nobody uses it any more.

What is to be done is told from AWS each time: the user's keys, when they were last used, what the places hold, and a
tag on the user that names the key that is to end. So a rotation goes on from wherever it was broken off, and at every
moment an active key is in every place.
AWS: IAM User Guide, "Update access keys"; IAM API Reference, GetAccessKeyLastUsed (uses are told some hours late).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from keyhole.aws import Aws, Call
from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.errors import AwsError, KeyholeError
from keyhole.findings import Finding, Severity
from keyhole.naming import Scope
from keyhole.provision.plan import Change, Plan, Verb
from keyhole.resources import access_key
from keyhole.resources.access_key import AccessKey, ExistingAccessKey, KeyUse, delete_call

UNUSED_FOR = timedelta(hours=24)
"""By default: much longer than AWS is late with telling a use."""
PATIENCE_S = 60.0
PAUSE_S = 2.0
_LAGGING = frozenset({"InvalidClientTokenId", "AccessDenied", "UnrecognizedClientException"})
DOC_URL = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the old key ends now: by which calls. `waits_for` is the key that must not end yet, `until` when it may."""

    calls: tuple[Call, ...] = ()
    waits_for: KeyUse | None = None
    until: datetime | None = None


def plan_renewal(want: AccessKey, have: ExistingAccessKey, scope: Scope, note: str = "") -> Plan:
    """Give the first half of a rotation: the new key in its places; nothing if that is done already. Pure.

    Raises: KeyholeError if no second key can be made.
    """
    is_begun = have.rotating not in {"", have.current.id if have.current else ""}
    others = [key for key in have.keys if key != have.current and key not in have.lost]
    if have.current is None or others or is_begun:
        calls = tuple(access_key.calls(want, have))
    else:
        calls = tuple(access_key.renewal_calls(want, have))
    return _plan(want, calls, scope, note)


def end_old_key(have: ExistingAccessKey, now: datetime, *, unused_for: timedelta, force: bool = False) -> Ending:
    """Give how the key ends that is not the current one. Pure.

    It is unused if nobody used it for `unused_for`, and the new one has been in place as long: AWS tells of uses late.
    Then it is deactivated and deleted. `force` deactivates it without waiting, and leaves the deletion to the next
    run: until then it can be had back.
    """
    current = have.current
    if current is None:
        return Ending()
    calls: list[Call] = []
    for key in have.keys:
        if key == current:
            continue
        until = max(key.used or key.made, current.made) + unused_for
        if not key.is_active:
            calls.append(delete_call(have.name, key, "it is inactive"))
        elif now >= until:
            calls += [_deactivate(have.name, key, "nobody uses it"), delete_call(have.name, key, "nobody used it")]
        elif force:
            return Ending((*calls, _deactivate(have.name, key, f"{key.last_use}; it can be activated again")))
        else:
            return Ending(tuple(calls), key, until)
    if have.rotating:
        params = {"UserName": have.name, "TagKeys": [access_key.TAG_ROTATING]}
        calls.append(Call("iam", "UntagUser", params, why="forget the rotation: it is done"))
    return Ending(tuple(calls))


def plan_ending(want: AccessKey, ending: Ending, scope: Scope) -> Plan:
    """Give the second half of a rotation as a plan. Pure."""
    return _plan(want, ending.calls, scope)


def check_key(
    aws: Aws,
    credentials: Credentials,
    *,
    sleep: Callable[[float], object] = time.sleep,
    on_wait: Callable[[str], None] = lambda _reason: None,
) -> str:
    """Give the ARN that AWS knows the key by, once it does: IAM takes some seconds to make a new key known.

    Raises: AwsError if it does not work within a minute.
    """
    holder = BotocoreAws(aws.region, credentials=credentials, endpoint_url=aws.endpoint_url)
    waited_s = 0.0
    while True:
        try:
            return str(holder.call("sts", "GetCallerIdentity")["Arn"])
        except AwsError as error:
            if error.code not in _LAGGING or waited_s >= PATIENCE_S:
                error.hint = "the old key is untouched; run `keyhole rotate` again to go on"
                raise
        on_wait(f"IAM does not know the new key {credentials.access_key_id} everywhere yet")
        sleep(PAUSE_S)
        waited_s += PAUSE_S


def handover_findings(want: AccessKey, have: ExistingAccessKey | None, flags: str = "") -> Iterator[Finding]:
    """Give what is to be said about the places that should hold a workload's key. Pure."""
    current = have.current if have is not None else None
    if have is None or current is None:
        places = ", ".join(place.sentence for place in want.places)
        summary = f"no place holds an active key of user {want.name}: {places}"
        evidence = ("`up` would make another key; if the place is on another machine, look at the status there",)
        fix = f"`keyhole up{flags}`"
        try:
            tuple(access_key.calls(want, have))
        except KeyholeError as error:
            evidence, fix = (error.message,), error.hint
        yield Finding("key.handover", Severity.PROBLEM, summary, evidence, fix, DOC_URL)
        return
    for state in have.places:
        if state.key_id != current.id or not state.agrees:
            what = "differs from the file, or others may read it"
            if state.key_id != current.id:
                what = f"holds {state.key_id}, not {current.id}" if state.key_id else "holds no key"
            summary = f"{state.place.sentence} {what}"
            yield Finding("key.handover", Severity.WARNING, summary, fix=f"`keyhole up{flags}`", doc_url=DOC_URL)


def _plan(want: AccessKey, calls: tuple[Call, ...], scope: Scope, note: str = "") -> Plan:
    verb = Verb.UPDATE if calls else Verb.KEEP
    return Plan(scope, (Change(want.address, want.name, verb, calls, note=note, want=want),))


def _deactivate(user_name: str, key: KeyUse, why: str) -> Call:
    params = {"UserName": user_name, "AccessKeyId": key.id, "Status": "Inactive"}
    return Call("iam", "UpdateAccessKey", params, destructive=True, why=f"deactivate access key {key.id}: {why}")
