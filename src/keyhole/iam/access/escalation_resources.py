"""Steps to more through a resource's own policy: who may write that may let itself in.

AWS: S3 User Guide, "Bucket policies for Amazon S3"; KMS Developer Guide, "Key policies in AWS KMS" and "Grants".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from keyhole.iam.access.document import may_overlap
from keyhole.iam.access.escalation_search import Escalation, FoundError, Power, Search, Step, key_policy, policy_naming
from keyhole.iam.model import Effect, PolicyKind, PolicySet, Statement
from keyhole.iam.symbolic.question import Verdict

_OBJECTS = "arn:*:s3:::*/*"
_WRITES = "writes a policy of {} that names itself"
_ACL = "whether its bucket takes ACLs is not looked at"


@dataclass(frozen=True, slots=True)
class ResourceStep:
    """An action on a resource's own policy, what it lets its caller do there, and why that may be in doubt."""

    action: str
    gives: str
    resource: str
    says: str
    doubt: str = ""
    outside: str = ""
    """A pattern of what is no resource of the action: of a bucket's, its objects."""


_STEPS = (
    ResourceStep("s3:PutBucketPolicy", "s3:*", "arn:{}:s3:::*", _WRITES, "", _OBJECTS),
    ResourceStep("kms:PutKeyPolicy", "kms:*", "arn:{}:kms:*:*:key/*", _WRITES),
    ResourceStep("kms:CreateGrant", "kms:Decrypt", "arn:{}:kms:*:*:key/*", "grants itself the use of {}"),
    ResourceStep("s3:PutBucketAcl", "s3:ListBucket", "arn:{}:s3:::*", "opens the ACL of {}", _ACL, _OBJECTS),
    ResourceStep("s3:PutObjectAcl", "s3:GetObject", "arn:{}:s3:::*", "opens the ACL of {}", _ACL),
)


def open_resources(search: Search, power: Power) -> None:
    """Take each step that this one can. Raises: FoundError if one gives what the start does not have."""
    for step in _STEPS:
        resource = step.resource.format(search.account.partition)
        beside = key_policy(search.account) if step.action.startswith("kms:") else None
        policies = replace(power.policies, resource=beside)
        if search.ask(power, step.action, resource, beside=policies, outside=step.outside).verdict is Verdict.HOLDS:
            continue
        for pattern in dict.fromkeys(
            pattern
            for policy in policies.identity
            for statement in policy.statements
            if statement.effect is Effect.ALLOW and _may_be_for(statement, step.action)
            for pattern in _patterns(statement)
        ):
            _open(search, power, step, resource if pattern == "*" else pattern, policies)


def _may_be_for(statement: Statement, action: str) -> bool:
    actions = statement.actions
    return actions.negated or any(may_overlap(each.lower(), action.lower()) for each in actions.patterns)


def _patterns(statement: Statement) -> tuple[str, ...]:
    element = statement.resources
    return ("*",) if element is None or element.negated else element.patterns


def _open(search: Search, power: Power, step: ResourceStep, pattern: str, policies: PolicySet) -> None:
    """Look for what a policy on one of the pattern's resources would give that the start does not have."""
    if search.ask(power, step.action, pattern, beside=policies, outside=step.outside).witness is None:
        return
    if "${" in pattern:
        search.doubts.append(f"`{step.action}` hangs on a variable in `{pattern}`")
        return
    opened = replace(policies, resource=policy_naming(power.holder, PolicyKind.RESOURCE, step.gives))
    gain = search.find_gain(power.holder, opened, step.gives, (pattern, f"{pattern}/*"))
    if gain.verdict is Verdict.UNKNOWN:
        search.doubts.append(f"what `{step.action}` gives cannot be told: {gain.reason}")
    if gain.witness is None:
        return
    place = gain.witness.resource
    if step.action.startswith("s3:PutBucket"):
        place = place.partition("/")[0]
    writing = search.ask(power, step.action, place, beside=policies, outside=step.outside)
    if writing.witness is None or step.doubt:
        search.doubts.append(f"`{step.action}` on {pattern} may give it more: {step.doubt or 'not on all of them'}")
        return
    steps = (*power.steps, Step(f"{power.holder.name} {step.says.format(place)}", (writing.witness,)))
    raise FoundError(Escalation(Verdict.FAILS, steps, gain.witness))
