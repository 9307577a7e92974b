"""Events for people: which ones are wanted, and each as the columns of one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from keyhole.errors import KeyholeError

Event = Mapping[str, Any]

_AGE = re.compile(r"(\d{1,9})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# Refusals of the caller itself, before any policy is asked, in the protocols that answer them with status 400.
_REFUSALS = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException"),
        *("ExpiredToken", "ExpiredTokenException", "InvalidToken", "MissingAuthenticationTokenException"),
        *("IncompleteSignature", "IncompleteSignatureException", "AuthorizationHeaderMalformed", "RequestExpired"),
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events to show: empty fields ask for nothing."""

    only_denied: bool = False
    principal: str = ""
    since: str = ""

    def has(self, event: Event) -> bool:
        """Hold iff the event is one of them."""
        return (
            (not self.only_denied or is_denied(event))
            and (not self.principal or self.principal.casefold() in _names(event).casefold())
            and (not self.since or event["eventTime"] >= self.since)
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One event as columns; `outcome` is "allowed", "DENIED", "REFUSED" (who called was not believed) or an error."""

    time: str
    principal: str
    call: str
    resource: str
    outcome: str
    detail: str


def parse_since(text: str, now: datetime) -> str:
    """Give the first eventTime that is meant by `10m`, `2h`, `1d`, `45s` ago, or by a moment in ISO 8601.

    Raises: KeyholeError.
    """
    if not text:
        return ""
    try:
        if age := _AGE.fullmatch(text):
            moment = now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.astimezone()
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):
        hint = "write how long ago (`10m`, `2h`, `1d`) or a moment (`2026-01-31T12:00`)"
        raise KeyholeError(f"`{text}` is no time", hint=hint) from None


def is_denied(event: Event) -> bool:
    """Hold iff a policy denied something, or the caller was refused; also where the mode let the call through."""
    own = event["keyhole"]
    if any(not decision["allowed"] for decision in own["decisions"]):
        return True
    return own["status"] in (401, 403) or event.get("errorCode") in _REFUSALS


def describe_line(event: Event) -> Line:
    """Give the columns of an event. What a client chose has no control characters left in it."""
    own = event["keyhole"]
    decisions = own["decisions"]
    denied = [decision for decision in decisions if not decision["allowed"]]
    resource = (denied or decisions)[0]["resource"] if decisions else _named(event)
    more = len({decision["resource"] for decision in decisions}) - 1
    outcome, detail = _outcome(event, denied)
    return Line(
        time=_plain(event["eventTime"][11:]),
        principal=_plain(_claimed(event) or short_principal(event["userIdentity"])),
        call=_plain(f"{event['eventSource'].partition('.')[0]}:{event['eventName'] or '?'}"),
        resource=_plain(short_resource(resource) + (f" (+{more})" if more > 0 else "")),
        outcome=outcome,
        detail=_plain(detail),
    )


def short_principal(identity: Mapping[str, Any]) -> str:
    """Give `user/web`, `assumed-role/web/i-0a…`, `root 123456789012` or `anonymous`."""
    arn = str(identity.get("arn", ""))
    if not arn:
        return "anonymous"
    name = arn.split(":", 5)[-1]
    return f"root {identity.get('accountId', '')}" if name == "root" else name


def short_resource(arn: str) -> str:
    """Give `images/uploads/a.png` for an object, and the last part of other ARNs."""
    if arn.startswith("arn:"):
        return arn.split(":", 5)[-1]
    return "" if arn == "*" else arn


def _outcome(event: Event, denied: list[Mapping[str, Any]]) -> tuple[str, str]:
    own, code = event["keyhole"], event.get("errorCode", "")
    if denied:
        let_through = own["mode"] == "soft" and own["status"] < 400
        return ("denied, let through" if let_through else "DENIED"), denied[0]["reason"]
    message = event.get("errorMessage", "")
    if is_denied(event):
        return ("DENIED" if own["decisions"] else "REFUSED"), f"{code}: {message}" if code else ""
    if code:
        return code, message
    return ("allowed" if own["status"] < 400 else str(own["status"])), ""


def _named(event: Event) -> str:
    parameters = event.get("requestParameters") or {}
    return "/".join(str(parameters[name]) for name in ("bucketName", "key") if name in parameters)


def _names(event: Event) -> str:
    identity = event["userIdentity"]
    names = (str(identity.get(name, "")) for name in ("arn", "accessKeyId", "userName"))
    return " ".join((short_principal(identity), _claimed(event), *names))


def _claimed(event: Event) -> str:
    claimed = event["keyhole"].get("claimedAccessKeyId", "")
    return f"unverified {claimed}" if claimed else ""


def _plain(text: str) -> str:
    # A key may hold what a terminal takes for a command.
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
