"""What was asked of the policies for one request, and what they said: decided, written down, enforced by the mode.

AWS: IAM User Guide, "Policy evaluation logic"; S3 User Guide, "How Amazon S3 authorizes a request".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyhole.iam import decide, denial_message
from keyhole.iam.model import Context, Decision, Policy, PolicyKind, PolicySet, PrincipalKind, Request
from keyhole.local.actions.row import Question
from keyhole.local.backend import Backend, Bucket, Role, User
from keyhole.local.call import ApiCall, Caller, Fault
from keyhole.local.mode import Mode
from keyhole.local.policies import ROOT_POLICY, parse_stored
from keyhole.local.resource_policies import find_object_name, find_resource, is_of_source
from keyhole.local.resource_tags import resource_tags
from keyhole.local.service_models import QUERY_COMPATIBLE

Values = Mapping[str, str | tuple[str, ...]]

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
class Asked:
    """One question and its answer; `decision` is None where nobody decided: the mode is off, or it is root's right.

    `message` is AWS's sentence for a denial, "" where it is allowed.
    """

    request: Request
    decision: Decision | None
    message: str = ""


@dataclass(slots=True)
class Inquiry:
    """The questions of one call, in order; `trail` has them with their answers."""

    call: ApiCall
    caller: Caller
    context: Values
    backend: Backend
    mode: Mode = Mode.STRICT
    trail: list[Asked] = field(default_factory=list)

    def ask(self, question: Question, *, is_new: bool = False) -> str:
        """Give AWS's sentence where the caller may not do that, "" where it may or the mode lets it through.

        A bucket that `is_new` is the caller's own, even if another account has the name: that is another error.
        """
        bucket = None if is_new else self._bucket_of(question.resource)
        values = {**self.context, **question.context}
        if bucket:
            values |= {"aws:ResourceAccount": bucket.account, "s3:ResourceAccount": bucket.account}
            values |= self._object_values(question)
        else:
            values |= resource_tags(question.resource, self.backend)
        caller = self.caller
        resource = find_resource(question, self.call, caller, bucket, self.backend)
        request = Request(
            principal=caller.principal,
            action=question.action,
            resource=question.resource,
            context=Context(values),
            resource_account=resource.account,
        )
        is_owner = bool(bucket) and caller.principal.kind is PrincipalKind.ROOT and caller.account == bucket.account  # type: ignore[union-attr]
        if is_owner and question.action in _ROOT_RESCUE:
            self.trail.append(Asked(request, None))
            return ""
        return self._decide(request, resource=resource.policy)

    def require(self, request: Request, *, resource: Policy | None = None, trust: Policy | None = None) -> None:
        """Return where the request is allowed. Raises: Fault with AWS's sentence where it is not."""
        if message := self._decide(request, resource=resource, trust=trust):
            raise access_denied(self.call, message)

    def _decide(self, request: Request, *, resource: Policy | None = None, trust: Policy | None = None) -> str:
        if self.mode is Mode.OFF:
            self.trail.append(Asked(request, None))
            return ""
        decision = decide(request, self._policies(resource, trust))
        message = "" if decision.is_allowed else _message(request, decision)
        self.trail.append(Asked(request, decision, message))
        return message if self.mode is Mode.STRICT else ""

    def _bucket_of(self, resource: str) -> Bucket | None:
        if not resource.startswith("arn:aws:s3:::"):
            return None
        return self.backend.find_bucket(resource.removeprefix("arn:aws:s3:::").partition("/")[0])

    def _object_values(self, question: Question) -> dict[str, str | tuple[str, ...]]:
        name = find_object_name(question, self.call)
        if name is None:
            return {}
        values: dict[str, str | tuple[str, ...]] = {}
        if is_of_source(question, self.call) and name.version_id:
            values["s3:versionid"] = name.version_id
        if question.action in _TAGGED_OBJECT_ACTIONS:
            tags = self.backend.object_tags(name.bucket, name.key, name.version_id)
            values |= {f"s3:ExistingObjectTag/{tag}": value for tag, value in tags}
        return values

    def _policies(self, resource: Policy | None, trust: Policy | None) -> PolicySet:
        identity, boundary = identity_policies(self.caller, self.backend)
        session = self.caller.session.session_policies if self.caller.session else None
        return PolicySet(identity=identity, resource=resource, trust=trust, boundary=boundary, session=session)


def identity_policies(caller: Caller, backend: Backend) -> tuple[tuple[Policy, ...], Policy | None]:
    """Give the identity policies of a caller and its permissions boundary, as they are stored at this moment."""
    principal = caller.principal
    if principal.kind is PrincipalKind.ROOT:
        return (ROOT_POLICY,), None
    holder: User | Role | None = None
    if principal.kind is PrincipalKind.USER:
        holder = backend.find_user(principal.account, caller.user_name)
    elif principal.kind is PrincipalKind.FEDERATED_USER:
        # AWS: IAM User Guide, "Permissions for GetFederationToken": those of the user who federated it, at most.
        if not principal.role_arn:
            return (ROOT_POLICY,), None
        holder = backend.find_user(principal.account, principal.role_arn.rsplit("/", 1)[-1])
    elif principal.kind is PrincipalKind.ROLE_SESSION:
        holder = backend.find_role(principal.account, principal.role_arn.rsplit("/", 1)[-1])
    if holder is None:
        return (), None
    policies = tuple(parse_stored(document, PolicyKind.IDENTITY) for document in holder.policies)
    boundary = parse_stored(holder.boundary, PolicyKind.BOUNDARY) if holder.boundary else None
    return policies, boundary


def access_denied(call: ApiCall, message: str) -> Fault:
    """Give the denial in the words of the call's service."""
    if call.service == "ec2":
        return Fault("UnauthorizedOperation", f"You are not authorized to perform this operation. {message}", 403)
    if call.service == "sns":
        return Fault("AuthorizationError", message.replace(": sns:", ": SNS:").replace(" sns:", " SNS:"), 403)
    if call.protocol in ("json", "cbor", "rest-json"):
        # What once spoke the query protocol keeps its status.
        return Fault("AccessDeniedException", message, 403 if call.service in QUERY_COMPATIBLE else 400)
    return Fault("AccessDenied", message, 403)


def _message(request: Request, decision: Decision) -> str:
    """Give AWS's sentence. S3 gives reasons only to callers of the bucket's own account.

    AWS: S3 User Guide, "Troubleshoot access denied (403 Forbidden) errors in Amazon S3".
    """
    is_stranger = request.principal.account != request.resource_account
    if request.action.startswith("s3:") and is_stranger:
        return "Access Denied"
    return denial_message(request, decision)
