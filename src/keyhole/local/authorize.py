"""May the caller make the call? Every question that the tables have for it is put to the policies."""

from __future__ import annotations

from keyhole.iam.model import PrincipalKind
from keyhole.iam.service_rules import RESERVED_ROLE
from keyhole.local import refusals, role_trust, sts
from keyhole.local.actions import find_row
from keyhole.local.actions.row import Place, questions
from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Caller
from keyhole.local.inquiry import Inquiry, access_denied
from keyhole.local.linked_roles import protected_role
from keyhole.local.mode import Mode


def authorize(inquiry: Inquiry) -> None:
    """Return where the call is allowed, or the mode lets it through. Raises: Fault with AWS's sentence."""
    call, caller, backend = inquiry.call, inquiry.caller, inquiry.backend
    if call.service == "iam" and caller.session and caller.principal.kind is not PrincipalKind.ROLE_SESSION:
        # AWS: STS API Reference, GetSessionToken: without MFA, its credentials cannot call IAM.
        raise refusals.unknown_key(call.service, call.protocol, caller.access_key_id)
    if call.service == "sts":
        sts.check_call(call, caller)
    row = find_row(call.service, call.operation)
    if row is None:
        if inquiry.mode is Mode.STRICT:
            _check_unknown(call, caller, backend)
        return
    if call.service != "s3" and caller.principal.kind is PrincipalKind.ANONYMOUS:
        raise access_denied(call, "Access Denied")
    place = Place(caller.account, call.region, backend, caller.user_name)
    for question in questions(row, call, place):
        if message := inquiry.ask(question, is_new=call.operation == "CreateBucket"):
            decision = inquiry.trail[-1].decision
            if decision and decision.reason == RESERVED_ROLE:
                raise protected_role(str(call.params.get("RoleName", "")))
            raise access_denied(call, message)
    if call.service == "sts" and call.operation in role_trust.OPERATIONS:
        role_trust.check_trust(inquiry)


def _check_unknown(call: ApiCall, caller: Caller, backend: Backend) -> None:
    """Only the account's root may make a call of which nobody has said what it needs."""
    bucket = backend.find_bucket(str(call.params.get("Bucket", ""))) if call.service == "s3" else None
    if caller.principal.kind is PrincipalKind.ROOT and (bucket is None or bucket.account == caller.account):
        return
    who = f"User: {caller.principal.arn}" if caller.principal.arn else "User: anonymous"
    raise access_denied(
        call,
        f"{who} is not authorized to perform {call.service}:{call.operation}: Keyhole's local AWS does not know which "
        "permissions this call needs, so it is denied to everyone but the account's root user",
    )
