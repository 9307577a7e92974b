"""Steps to more through a resource's own policy: who may write that may let itself in.

AWS: S3 User Guide, "Bucket policies for Amazon S3"; KMS Developer Guide, "Key policies in AWS KMS" and "Grants"; IAM
User Guide, "AWS services that work with IAM", of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from keyhole.iam.access.asking import voice_of
from keyhole.iam.access.document import may_overlap
from keyhole.iam.access.escalation_search import Escalation, FoundError, Power, Search, Step, key_policy, policy_naming
from keyhole.iam.match import join_parts
from keyhole.iam.model import Effect, PolicyKind, PolicySet, Statement
from keyhole.iam.symbolic.question import Verdict
from keyhole.iam.symbolic.variables import Given, expand

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


RESOURCE_STEPS = (
    ResourceStep("s3:PutBucketPolicy", "s3:*", "arn:{}:s3:::*", _WRITES, "", _OBJECTS),
    ResourceStep("kms:PutKeyPolicy", "kms:*", "arn:{}:kms:*:*:key/*", _WRITES),
    ResourceStep("kms:CreateGrant", "kms:Decrypt", "arn:{}:kms:*:*:key/*", "grants itself the use of {}"),
    ResourceStep("sqs:SetQueueAttributes", "sqs:*", "arn:{}:sqs:*:*:*", _WRITES),
    ResourceStep("sqs:AddPermission", "sqs:*", "arn:{}:sqs:*:*:*", _WRITES),
    ResourceStep("sns:SetTopicAttributes", "sns:*", "arn:{}:sns:*:*:*", _WRITES),
    ResourceStep("sns:AddPermission", "sns:*", "arn:{}:sns:*:*:*", _WRITES),
    ResourceStep("secretsmanager:PutResourcePolicy", "secretsmanager:*", "arn:{}:secretsmanager:*:*:secret:*", _WRITES),
    ResourceStep("lambda:AddPermission", "lambda:InvokeFunction", "arn:{}:lambda:*:*:function:*", _WRITES),
    ResourceStep("ecr:SetRepositoryPolicy", "ecr:*", "arn:{}:ecr:*:*:repository/*", _WRITES),
    ResourceStep("dynamodb:PutResourcePolicy", "dynamodb:*", "arn:{}:dynamodb:*:*:table/*", _WRITES),
    ResourceStep("kinesis:PutResourcePolicy", "kinesis:*", "arn:{}:kinesis:*:*:stream/*", _WRITES),
    ResourceStep("glacier:SetVaultAccessPolicy", "glacier:*", "arn:{}:glacier:*:*:vaults/*", _WRITES),
    ResourceStep("s3:PutBucketAcl", "s3:ListBucket", "arn:{}:s3:::*", "opens the ACL of {}", _ACL, _OBJECTS),
    ResourceStep("s3:PutObjectAcl", "s3:GetObject", "arn:{}:s3:::*", "opens the ACL of {}", _ACL),
)


def open_resources(search: Search, power: Power) -> None:
    """Take each step that this one can. Raises: FoundError if one gives what the start does not have."""
    for step in RESOURCE_STEPS:
        resource = step.resource.format(search.account.partition)
        beside = key_policy(search.account) if step.action.startswith("kms:") else None
        policies = replace(power.policies, resource=beside)
        if search.ask(power, step.action, resource, beside=policies, outside=step.outside).verdict is Verdict.HOLDS:
            continue
        known = voice_of(power.holder, policies, search.account.number).given
        for pattern in dict.fromkeys(
            pattern
            for policy in policies.identity
            for statement in policy.statements
            if statement.effect is Effect.ALLOW and _may_be_for(statement, step.action)
            for text in _patterns(statement)
            if (pattern := _fill_in(text, known, policy.version))
        ):
            _open(search, power, step, resource if pattern == "*" else pattern, policies)


def _may_be_for(statement: Statement, action: str) -> bool:
    actions = statement.actions
    return actions.negated or any(may_overlap(each.lower(), action.lower()) for each in actions.patterns)


def _patterns(statement: Statement) -> tuple[str, ...]:
    element = statement.resources
    return ("*",) if element is None or element.negated else element.patterns


def _fill_in(pattern: str, known: Given, version: str) -> str:
    """Give the pattern with its variables filled in, a star for what is not known; "" if it names nothing."""
    found = expand(pattern, known, version)
    return join_parts(found.parts) if found is not None else ""


def _open(search: Search, power: Power, step: ResourceStep, pattern: str, policies: PolicySet) -> None:
    """Look for what a policy on one of the pattern's resources would give that the start does not have."""
    allowed = search.ask(power, step.action, pattern, beside=policies, outside=step.outside).witness
    if allowed is None:
        return
    opened = replace(policies, resource=policy_naming(power.holder, PolicyKind.RESOURCE, step.gives))
    is_more = False
    # The pattern may have more than is allowed: then what is allowed for certain is tried by itself.
    for place in dict.fromkeys((pattern, allowed.resource)):
        gain = search.find_gain(power.holder, opened, step.gives, (place, f"{place}/*"))
        if gain.verdict is Verdict.UNKNOWN:
            search.doubts.append(f"what `{step.action}` gives cannot be told: {gain.reason}")
        if gain.witness is None:
            break
        is_more = True
        where = gain.witness.resource
        where = where.partition("/")[0] if step.action.startswith("s3:PutBucket") else where
        writing = search.ask(power, step.action, where, beside=policies, outside=step.outside).witness
        if writing is not None and not step.doubt:
            steps = (*power.steps, Step(f"{power.holder.name} {step.says.format(where)}", (writing,)))
            raise FoundError(Escalation(Verdict.FAILS, steps, gain.witness))
    if is_more:
        search.doubts.append(f"`{step.action}` on {pattern} may give it more: {step.doubt or 'not on all of them'}")
