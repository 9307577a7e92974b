"""Decisions in words: AWS's own sentence when it denies, and a longer account for people.

AWS: IAM User Guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.iam.decide import LAYER_NAMES, describe_statement
from keyhole.iam.model import Decision, Outcome, PolicyKind, PrincipalKind, Request, StatementTrace, Truth

_OUTCOMES = {
    Outcome.ALLOWED: "allowed",
    Outcome.EXPLICIT_DENY: "denied explicitly",
    Outcome.IMPLICIT_DENY: "denied, because nothing allows it",
}

_VERDICTS = {Truth.TRUE: "applies", Truth.FALSE: "does not apply", Truth.UNKNOWN: "could not be evaluated"}


def denial_message(request: Request, decision: Decision) -> str:
    """The sentence that AWS answers a denied request with, word for word; "" where the decision allows.

    S3 puts the resource into quotes, other services do not; an action that takes no resource names none.
    STS has a sentence of its own for account roots, which assume no role.
    S3 tells anonymous callers, and STS those with a provider's token, nothing but that they are denied.
    """
    if decision.is_allowed:
        return ""
    caller, action = request.principal, request.action
    if caller.kind is PrincipalKind.ROOT and action.lower() == "sts:assumerole":
        return "Roles may not be assumed by root accounts."
    is_s3 = action.lower().startswith("s3:")
    if caller.kind is PrincipalKind.WEB_IDENTITY:
        return f"Not authorized to perform {action}"
    if caller.kind is PrincipalKind.ANONYMOUS and is_s3:
        return "Access Denied"
    quote = '"' if is_s3 else ""
    resource = "" if request.resource == "*" else f" on resource: {quote}{request.resource}{quote}"
    who = caller.arn or caller.kind.value
    return f"User: {who} is not authorized to perform: {action}{resource} {_give_reason(request, decision)}"


def _give_reason(request: Request, decision: Decision) -> str:
    """Why, in AWS's words: it names one kind of policy only."""
    kind = decision.blocked_by[0]
    if decision.outcome is Outcome.EXPLICIT_DENY:
        if kind is PolicyKind.TRUST:
            return "with an explicit deny in the role trust policy"
        article = "an" if kind is PolicyKind.IDENTITY else "a"
        return f"with an explicit deny in {article} {LAYER_NAMES[kind]}"
    return f"because no {LAYER_NAMES[kind]} allows the {request.action} action"


def explain(request: Request, decision: Decision) -> str:
    """The question, the answer and the reason, then each statement and what it was compared with."""
    caller = request.principal.arn or request.principal.kind.value
    lines = [
        f"{caller} may {'' if decision.is_allowed else 'not '}{request.action} on {request.resource}",
        f"  {_OUTCOMES[decision.outcome]}: {decision.reason}",
    ]
    if decision.blocked_by:
        lines.append(f"  blocked by: {', '.join(LAYER_NAMES[kind] for kind in decision.blocked_by)}")
    for trace in decision.trace:
        lines.extend(_describe_trace(trace))
    if not decision.trace:
        lines.append("  no statement had a say")
    return "\n".join(lines)


def _describe_trace(trace: StatementTrace) -> Iterator[str]:
    yield f"  {describe_statement(trace)}: {trace.effect.value} {_VERDICTS[trace.truth]}"
    for element in trace.elements:
        yield f"    {_MARKS[element.truth]} {element.element}: {element.detail}"


_MARKS = {Truth.TRUE: "+", Truth.FALSE: "-", Truth.UNKNOWN: "?"}
