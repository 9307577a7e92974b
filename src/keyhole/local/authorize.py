"""May the caller make the call? Collects every policy that has a say, and asks the one policy engine.

AWS: IAM User Guide, "Policy evaluation logic"; S3 User Guide, "How Amazon S3 authorizes a request".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keyhole.iam import decide, denial_message
from keyhole.iam.model import (
    Context,
    Decision,
    Policy,
    PolicyKind,
    PolicySet,
    PrincipalKind,
    Request,
)
from keyhole.local import public, refusals
from keyhole.local.actions import find_row
from keyhole.local.actions.row import Place, Question, questions
from keyhole.local.backend import Backend, Bucket, Document, Role, User
from keyhole.local.call import ApiCall, Caller, Fault
from keyhole.local.policies import ROOT_POLICY, parse_stored
from keyhole.local.resource_tags import resource_tags

# What the bucket owner's root can do whatever the bucket policy says, so that nobody is locked out for good.
_ROOT_RESCUE = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})
# The actions that have the condition key s3:ExistingObjectTag/<key>.
_TAGGED_OBJECT_ACTIONS = frozenset(
    f"s3:{verb}Object{version}{part}"
    for version in ("", "Version")
    for verb, part in (
        *(("Get", ""), ("Get", "Acl"), ("Get", "Tagging"), ("Put", "Acl"), ("Put", "Tagging"), ("Delete", "Tagging")),
    )
)


@dataclass(frozen=True, slots=True)
class Denial:
    """What was asked and not granted; `message` is AWS's sentence."""

    request: Request
    decision: Decision
    message: str


class Authorizer:
    """Decides calls against the policies that the backend stores at that moment."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def check(self, call: ApiCall, caller: Caller, context: Mapping[str, str | tuple[str, ...]]) -> None:
        """Return where the call is allowed. Raises: Fault with AWS's sentence where it is not."""
        if call.service == "iam" and caller.session and caller.principal.kind is not PrincipalKind.ROLE_SESSION:
            # AWS: STS API Reference, GetSessionToken: without MFA, its credentials cannot call IAM.
            raise refusals.unknown_key(call.service, call.protocol, caller.access_key_id)
        row = find_row(call.service, call.operation)
        if row is None:
            bucket = self._backend.find_bucket(str(call.params.get("Bucket", ""))) if call.service == "s3" else None
            if caller.principal.kind is PrincipalKind.ROOT and (bucket is None or bucket.account == caller.account):
                return
            raise access_denied(call, f"{caller_name(caller)} is not authorized to perform "
                                f"{call.service}:{call.operation}: Keyhole's local AWS does not know which permissions "
                                "this call needs, so it is denied to everyone but the account's root user")  # fmt: skip
        if call.service != "s3" and caller.principal.kind is PrincipalKind.ANONYMOUS:
            raise access_denied(call, "Access Denied")
        place = Place(caller.account, call.region, self._backend, caller.user_name)
        for question in questions(row, call, place):
            denial = self.ask(question, caller, context, is_new=call.operation == "CreateBucket")
            if denial:
                raise access_denied(call, denial.message)
        if call.service == "sts" and call.operation == "AssumeRole":
            self._check_assume_role(call, caller, context)

    def ask(
        self,
        question: Question,
        caller: Caller,
        context: Mapping[str, str | tuple[str, ...]],
        *,
        is_new: bool = False,
    ) -> Denial | None:
        """Give why the caller may not do that, None where it may.

        A bucket that `is_new` is the caller's own, even if another account has the name: that is another error.
        """
        bucket = None if is_new else self._bucket_of(question.resource)
        values = {**context, **question.context}
        if bucket:
            values |= {"aws:ResourceAccount": bucket.account, "s3:ResourceAccount": bucket.account}
            values |= self._existing_tags(question, values)
        else:
            values |= resource_tags(question.resource, self._backend)
        request = Request(
            principal=caller.principal,
            action=question.action,
            resource=question.resource,
            context=Context(values),
            resource_account=bucket.account if bucket else caller.account,
        )
        if (
            bucket
            and caller.principal.kind is PrincipalKind.ROOT
            and caller.account == bucket.account
            and question.action in _ROOT_RESCUE
        ):
            return None
        decision = decide(request, self._policies(caller, self._bucket_policy(bucket, caller)))
        if decision.is_allowed:
            return None
        return Denial(request, decision, _message(request, decision))

    def _check_assume_role(self, call: ApiCall, caller: Caller, context: Mapping[str, str | tuple[str, ...]]) -> None:
        """Ask the trust policy too, and for sts:TagSession where tags come along.

        AWS: STS API Reference, AssumeRole.
        """
        arn = str(call.params.get("RoleArn", ""))
        role = self._role_by_arn(arn)
        values = {**context, **resource_tags(arn, self._backend)}
        for member, key in (("ExternalId", "sts:ExternalId"), ("RoleSessionName", "sts:RoleSessionName")):
            if member in call.params:
                values[key] = str(call.params[member])
        actions = ["sts:AssumeRole", *(["sts:TagSession"] if call.params.get("Tags") else [])]
        for action in actions:
            account = role.account if role else arn.split(":")[4] if arn.count(":") >= 5 else ""
            request = Request(caller.principal, action, arn, Context(values), account)
            trust = parse_stored(Document(arn, role.trust), PolicyKind.TRUST) if role else Policy(())
            decision = decide(request, self._policies(caller, None, trust))
            if not decision.is_allowed:
                raise access_denied(call, _message(request, decision))

    def _role_by_arn(self, arn: str) -> Role | None:
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
            return None
        role = self._backend.find_role(parts[4], parts[5].rsplit("/", 1)[-1])
        return role if role and role.arn == arn else None

    def _bucket_of(self, resource: str) -> Bucket | None:
        if not resource.startswith("arn:aws:s3:::"):
            return None
        return self._backend.find_bucket(resource.removeprefix("arn:aws:s3:::").partition("/")[0])

    def _existing_tags(
        self, question: Question, values: Mapping[str, str | tuple[str, ...]]
    ) -> dict[str, str | tuple[str, ...]]:
        if question.action not in _TAGGED_OBJECT_ACTIONS:
            return {}
        name, _, key = question.resource.removeprefix("arn:aws:s3:::").partition("/")
        version = str(values.get("s3:versionid", ""))
        tags = self._backend.object_tags(name, key, version)
        return {f"s3:ExistingObjectTag/{tag}": value for tag, value in tags}

    def _bucket_policy(self, bucket: Bucket | None, caller: Caller) -> Policy | None:
        if bucket is None or bucket.policy is None:
            return None
        policy = parse_stored(Document(bucket.name, bucket.policy), PolicyKind.RESOURCE)
        is_outsider = caller.account != bucket.account
        if bucket.public_access_block.restrict_public_buckets and is_outsider and public.is_public(policy):
            return None
        return policy

    def _policies(self, caller: Caller, resource: Policy | None, trust: Policy | None = None) -> PolicySet:
        holder_policies, boundary = self._identity(caller)
        session = caller.session.session_policies if caller.session else None
        return PolicySet(identity=holder_policies, resource=resource, trust=trust, boundary=boundary, session=session)

    def _identity(self, caller: Caller) -> tuple[tuple[Policy, ...], Policy | None]:
        principal = caller.principal
        if principal.kind is PrincipalKind.ROOT:
            return (ROOT_POLICY,), None
        holder: User | Role | None = None
        if principal.kind is PrincipalKind.USER:
            holder = self._backend.find_user(principal.account, caller.user_name)
        elif principal.kind is PrincipalKind.ROLE_SESSION:
            holder = self._backend.find_role(principal.account, principal.role_arn.rsplit("/", 1)[-1])
        if holder is None:
            return (), None
        policies = tuple(parse_stored(document, PolicyKind.IDENTITY) for document in holder.policies)
        boundary = parse_stored(holder.boundary, PolicyKind.BOUNDARY) if holder.boundary else None
        return policies, boundary


def caller_name(caller: Caller) -> str:
    """Give how AWS's sentences name the caller."""
    return f"User: {caller.principal.arn}" if caller.principal.arn else "User: anonymous"


def access_denied(call: ApiCall, message: str) -> Fault:
    """Give the denial in the words of the call's service."""
    if call.service == "ec2":
        return Fault("UnauthorizedOperation", f"You are not authorized to perform this operation. {message}", 403)
    if call.protocol in ("json", "cbor", "rest-json"):
        return Fault("AccessDeniedException", message, 400)
    return Fault("AccessDenied", message, 403)


def _message(request: Request, decision: Decision) -> str:
    """Give AWS's sentence. S3 gives reasons only to callers of the bucket's own account.

    AWS: S3 User Guide, "Troubleshoot access denied (403 Forbidden) errors in Amazon S3".
    """
    is_stranger = request.principal.account != request.resource_account
    if request.action.startswith("s3:") and is_stranger:
        return "Access Denied"
    return denial_message(request, decision)
