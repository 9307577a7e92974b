"""Access keys: how old they are, when they were last used, and what should become of them. Pure.

AWS: IAM User Guide, "Update access keys" and "Manage access keys for IAM users".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from keyhole.errors import KeyholeError
from keyhole.findings import Finding, Severity
from keyhole.status.reading import AccessKey

ROTATE_AFTER_DAYS = 90
"""Where the file does not say."""
UNUSED_AFTER_DAYS = 7
DOC_URL = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html"
# AWS: IAM API Reference, AccessKey: 16 to 128 letters, digits and underscores.
_KEY_ID = re.compile(r"AKIA\w{12,124}", re.ASCII)


def check_key_id(text: str) -> str:
    """Give the id of an access key. Raises: KeyholeError, without the text: it may be a secret."""
    if not _KEY_ID.fullmatch(text):
        raise KeyholeError("that is no id of an access key", hint="it begins with AKIA; the secret is never needed")
    return text


def describe_key(key: AccessKey, now: datetime) -> str:
    """Give the key's age and last use in a few words."""
    age = f"made {_ago(now, key.created)}" if key.created else "of unknown age"
    return f"{'active' if key.is_active else 'inactive'}, {age}, {describe_use(key, now)}"


def describe_use(key: AccessKey, now: datetime) -> str:
    """Give when and where the key was last used."""
    if key.last_used is None:
        return "never used"
    where = f" for {key.service}" if key.service else ""
    where += f" in {key.region}" if key.region else ""
    return f"last used {_ago(now, key.last_used)}{where}"


def key_findings(key: AccessKey, now: datetime, flags: str, rotate_days: int = ROTATE_AFTER_DAYS) -> Iterator[Finding]:
    """Give what should become of one key of a workload; after `rotate_days` another one should take its place."""
    if not key.is_active:
        fix = f"if nothing misses it: `{_delete(key)}`"
        yield Finding("key.inactive", Severity.WARNING, describe_key(key, now), fix=fix, doc_url=DOC_URL)
        return
    if key.created is not None and now - key.created > timedelta(days=rotate_days):
        summary = f"{describe_key(key, now)}: older than {_count(rotate_days, 'day')}"
        yield Finding("key.age", Severity.WARNING, summary, fix=f"`keyhole rotate{flags}`", doc_url=DOC_URL)


def keys_findings(keys: tuple[AccessKey, ...], now: datetime, flags: str) -> Iterator[Finding]:
    """Give what is to be said of all keys of a workload together."""
    active = [key for key in keys if key.is_active]
    if keys and not active:
        summary = "none of its access keys is active: whatever runs with them is refused"
        fix = f"`{_set_status(keys[-1], 'Active')}`"
        yield Finding("key.none-active", Severity.PROBLEM, summary, fix=fix, doc_url=DOC_URL)
    if len(active) > 1:
        summary = "two access keys are active at once: a rotation was begun and not finished"
        evidence = tuple(f"{key.id}: {describe_use(key, now)}" for key in active)
        yield Finding("key.two", Severity.WARNING, summary, evidence, f"`keyhole rotate{flags}`", DOC_URL)


def old_key_findings(key: AccessKey, now: datetime) -> Iterator[Finding]:
    """Give whether a key that is to go may go, and the commands that take it away, one step at a time."""
    late = "AWS reports a use some hours late"
    whose = f"of user {key.user}, {describe_key(key, now)}" if key.user else describe_key(key, now)
    if not key.is_active:
        fix = f"if nothing misses it: `{_delete(key)}`; to have it back: `{_set_status(key, 'Active')}`"
        yield Finding("old-key.inactive", Severity.WARNING, f"{whose}: nobody can use it", (), fix, DOC_URL)
        return
    unused_since = key.last_used or key.created
    if key.last_used is not None and now - key.last_used < timedelta(days=UNUSED_AFTER_DAYS):
        summary = f"{whose}: still in use"
        fix = f"switch over what uses it; deactivate it once it is unused for {UNUSED_AFTER_DAYS} days"
        yield Finding("old-key.in-use", Severity.WARNING, summary, (late,), fix, DOC_URL)
        return
    days = (now - unused_since).days if unused_since else 0
    summary = f"{whose}: unused for {_count(days, 'day')}" if key.last_used else f"{whose}"
    fix = f"deactivate it: `{_set_status(key, 'Inactive')}`; if nothing misses it some days later: `{_delete(key)}`"
    yield Finding("old-key.unused", Severity.WARNING, summary, (late,), fix, DOC_URL)


def _set_status(key: AccessKey, status: str) -> str:
    return f"aws iam update-access-key{_of(key)} --status {status}"


def _delete(key: AccessKey) -> str:
    return f"aws iam delete-access-key{_of(key)}"


def _of(key: AccessKey) -> str:
    user = f" --user-name {key.user}" if key.user else ""
    return f"{user} --access-key-id {key.id}"


def _ago(now: datetime, then: datetime) -> str:
    seconds = max(0.0, (now - then).total_seconds())
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return f"{_count(int(seconds // length), unit)} ago"
    return "just now"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
