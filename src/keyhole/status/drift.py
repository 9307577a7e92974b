"""What differs between a resource and the file, told as what is the case, from what the plan would do about it. Pure.

The plan alone says whether something differs; here it gets words. A call that has none of its own here is told by what
the plan says of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from keyhole.aws import Call
from keyhole.findings import Finding, Severity
from keyhole.provision import Change, Verb
from keyhole.resources import Existing, Wanted
from keyhole.resources.bucket import Bucket, ExistingBucket
from keyhole.resources.inline_policy import ExistingInlinePolicy, InlinePolicy
from keyhole.resources.instance_attachment import ExistingInstanceAttachment
from keyhole.resources.instance_profile import ExistingInstanceProfile, InstanceProfile
from keyhole.resources.kind import missing_tags
from keyhole.resources.managed_policy import ExistingManagedPolicy, ManagedPolicy
from keyhole.resources.role import ExistingRole, Role
from keyhole.resources.user import ExistingUser
from keyhole.status.documents import describe_difference, describe_statement, statements_of
from keyhole.status.public import wider_statements


@dataclass(frozen=True, slots=True)
class Drifted:
    """A resource that the plan would change: as wanted, as it is, and how it is told. `inline`: policies by name."""

    want: Wanted
    have: Existing
    fix: str
    inline: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def problem(self, check: str, summary: str, evidence: tuple[str, ...] = ()) -> Finding:
        """Give a finding that someone gains or loses access by, or is not seen by."""
        return Finding(check, Severity.PROBLEM, summary, evidence, self.fix)

    def warning(self, check: str, summary: str, evidence: tuple[str, ...] = ()) -> Finding:
        """Give a finding that changes nobody's access."""
        return Finding(check, Severity.WARNING, summary, evidence, self.fix)


def drift_findings(
    change: Change,
    want: Wanted,
    have: Existing | None,
    fix: str,
    inline: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Finding]:
    """Give what differs, one finding for each thing that does."""
    if change.verb is Verb.KEEP:
        return
    if have is None:
        yield Finding(f"{change.kind}.missing", Severity.PROBLEM, "is not there", fix=fix)
        return
    drifted = Drifted(want, have, fix, inline or {})
    for call in change.calls:
        if call.operation in _PREPARATIONS:
            continue
        tell = _TELLERS.get(call.operation)
        if tell is not None:
            yield tell(drifted, call)
        elif "Tag" in call.operation:
            yield _tags(drifted, change.kind)
        else:
            what = call.why or call.operation
            yield drifted.warning(f"{change.kind}.differs", f"differs from the file: `up` would {what}")


# Calls that only make room for another one.
_PREPARATIONS = frozenset({"DeletePolicyVersion", "RemoveRoleFromInstanceProfile"})
Teller = Callable[[Drifted, Call], Finding]


def _tags(drifted: Drifted, kind: str) -> Finding:
    lacking = missing_tags(getattr(drifted.want, "tags", {}), drifted.have.tags)
    told = ", ".join(f"{name}={value}" for name, value in sorted(lacking.items()))
    evidence = tuple(f"{name} is {drifted.have.tags[name]} now" for name in sorted(lacking.keys() & drifted.have.tags))
    return drifted.warning(f"{kind}.tags", f"lacks the tag {told}", evidence)


def _document(drifted: Drifted, _call: Call) -> Finding:
    want = cast(ManagedPolicy | InlinePolicy, drifted.want)
    have = cast(ExistingManagedPolicy | ExistingInlinePolicy, drifted.have)
    difference = describe_difference(have.document, want.document)
    kind = "policy" if isinstance(want, ManagedPolicy) else "inline-policy"
    return drifted.problem(f"{kind}.document", "says other than the file", difference)


def _trust(drifted: Drifted, _call: Call) -> Finding:
    want, have = cast(Role, drifted.want), cast(ExistingRole, drifted.have)
    return drifted.problem(
        "role.trust", "others may assume it than the file says", describe_difference(have.trust, want.trust)
    )


def _attached(drifted: Drifted, call: Call) -> Finding:
    name = str(call.params["PolicyArn"]).rpartition("/")[2]
    return drifted.problem(f"{_kind(drifted)}.attached", f"has {name} attached, which is not in the file")


def _not_attached(drifted: Drifted, call: Call) -> Finding:
    name = str(call.params["PolicyArn"]).rpartition("/")[2]
    return drifted.problem(f"{_kind(drifted)}.not-attached", f"lacks its policy {name}")


def _inline(drifted: Drifted, call: Call) -> Finding:
    name = str(call.params["PolicyName"])
    evidence = tuple(f"it {describe_statement(statement)}" for statement in statements_of(drifted.inline.get(name)))
    return drifted.problem(
        f"{_kind(drifted)}.inline", f"has the inline policy {name}, which is not in the file", evidence
    )


def _boundary(drifted: Drifted, call: Call) -> Finding:
    have = cast(ExistingRole | ExistingUser, drifted.have)
    is_now = have.boundary_arn.rpartition("/")[2]
    wanted = str(call.params["PermissionsBoundary"]).rpartition("/")[2]
    summary = f"its permissions boundary is {is_now} and not {wanted}" if is_now else "its permissions boundary is gone"
    return drifted.problem(f"{_kind(drifted)}.boundary", summary)


def _more_boundary(drifted: Drifted, _call: Call) -> Finding:
    return drifted.warning(
        f"{_kind(drifted)}.boundary", "has a permissions boundary that the file does not give it: it may do less"
    )


def _group(drifted: Drifted, call: Call) -> Finding:
    summary = f"is in the group {call.params['GroupName']}, and has what the group has"
    return drifted.problem("user.group", summary)


def _password(drifted: Drifted, _call: Call) -> Finding:
    return drifted.problem("user.password", "has a password for the console")


def _bucket_pair(drifted: Drifted) -> tuple[Bucket, ExistingBucket]:
    return cast(Bucket, drifted.want), cast(ExistingBucket, drifted.have)


def _bucket_policy(drifted: Drifted, _call: Call) -> Finding:
    want, have = _bucket_pair(drifted)
    is_now, meant = have.settings.policy, want.settings.policy
    difference = describe_difference(is_now, meant)
    if wider := wider_statements(is_now, meant):
        return drifted.problem("bucket.public", f"is more public than the file says: it {wider[0]}", difference)
    if is_now is None:
        return drifted.problem("bucket.policy", "its bucket policy is gone", difference)
    return drifted.problem("bucket.policy", "its bucket policy says other than the file", difference)


def _block(drifted: Drifted, _call: Call) -> Finding:
    want, have = _bucket_pair(drifted)
    meant, is_now = want.settings.public_access_block or {}, have.settings.public_access_block or {}
    off = [name for name, is_on in meant.items() if is_on and not is_now.get(name)]
    on = [name for name, is_on in meant.items() if not is_on and is_now.get(name)]
    if off:
        return drifted.problem("bucket.block", f"Block Public Access is off: {', '.join(off)}")
    return drifted.problem(
        "bucket.block", f"Block Public Access shuts what the file opens: {', '.join(on) or 'its settings'}"
    )


def _ownership(drifted: Drifted, _call: Call) -> Finding:
    _, have = _bucket_pair(drifted)
    return drifted.problem("bucket.ownership", f"ACLs count in it ({have.settings.ownership or 'no ownership rule'})")


def _setting(check: str, name: str) -> Teller:
    """Give what tells of a setting of a bucket that is not as in the file; `name` is its attribute."""

    def tell(drifted: Drifted, _call: Call) -> Finding:
        want, have = _bucket_pair(drifted)
        is_now, meant = getattr(have.settings, name), getattr(want.settings, name)
        label = _LABELS.get(name, name)
        if is_now == meant and name == "encryption":
            label, is_now, meant = "bucket key", have.settings.bucket_key, want.settings.bucket_key
        evidence = tuple(_rule_difference(is_now or [], meant or [])) if name in _RULES else ()
        evidence = evidence or (f"it is {_plain(is_now)} where the file says {_plain(meant)}",)
        return drifted.warning(f"bucket.{check}", f"its {label} is not as in the file", evidence)

    return tell


_RULES = ("lifecycle", "cors")
_LABELS = {"cors": "set of CORS rules", "access_logs": "access log", "request_metrics": "measuring of requests"}


def _rule_difference(is_now: list[Any], meant: list[Any]) -> Iterator[str]:
    """Give each rule that only one of them has; its name says nothing."""
    for before, rules, others in (("it has", is_now, meant), ("it lacks", meant, is_now)):
        known = [_plain(rule) for rule in others]
        yield from (f"{before} the rule {_plain(rule)}" for rule in rules if _plain(rule) not in known)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict) and value:
        return json.dumps({name: item for name, item in sorted(value.items()) if name != "ID"}, default=str)
    return "nothing" if value in (None, [], {}) else str(value)


def _attachment(drifted: Drifted) -> ExistingInstanceAttachment:
    return cast(ExistingInstanceAttachment, drifted.have)


def _detached(drifted: Drifted, _call: Call) -> Finding:
    return drifted.problem("instance.detached", f"no role is attached to {_attachment(drifted).name}")


def _other_profile(drifted: Drifted, _call: Call) -> Finding:
    have = _attachment(drifted)
    profile = have.profile_arn.rpartition("/")[2]
    return drifted.problem("instance.profile", f"{have.name} has the profile {profile}, and not the app's")


def _metadata(drifted: Drifted, _call: Call) -> Finding:
    have = _attachment(drifted)
    if not have.tokens_required:
        summary = f"{have.name} still answers IMDSv1, which a forged request reaches"
        return drifted.problem("instance.imds", summary)
    summary = f"the hop limit of {have.name} is {have.hop_limit}: containers on it get no credentials"
    return drifted.warning("instance.hop-limit", summary)


def _other_role(drifted: Drifted, _call: Call) -> Finding:
    want, have = cast(InstanceProfile, drifted.want), cast(ExistingInstanceProfile, drifted.have)
    role = f"the role {have.role_name}" if have.role_name else "no role"
    return drifted.problem("instance-profile.role", f"holds {role}, and not {want.role_name}")


def _stopped(drifted: Drifted, _call: Call) -> Finding:
    return drifted.problem("trail.stopped", "does not log: someone stopped it")


def _kind(drifted: Drifted) -> str:
    return "role" if isinstance(drifted.have, ExistingRole) else "user"


_TELLERS: dict[str, Teller] = {
    "CreatePolicyVersion": _document,
    "PutRolePolicy": _document,
    "PutUserPolicy": _document,
    "UpdateAssumeRolePolicy": _trust,
    "DetachRolePolicy": _attached,
    "DetachUserPolicy": _attached,
    "AttachRolePolicy": _not_attached,
    "AttachUserPolicy": _not_attached,
    "DeleteRolePolicy": _inline,
    "DeleteUserPolicy": _inline,
    "PutRolePermissionsBoundary": _boundary,
    "PutUserPermissionsBoundary": _boundary,
    "DeleteRolePermissionsBoundary": _more_boundary,
    "DeleteUserPermissionsBoundary": _more_boundary,
    "RemoveUserFromGroup": _group,
    "DeleteLoginProfile": _password,
    "PutBucketPolicy": _bucket_policy,
    "DeleteBucketPolicy": _bucket_policy,
    "PutPublicAccessBlock": _block,
    "PutBucketOwnershipControls": _ownership,
    "PutBucketEncryption": _setting("encryption", "encryption"),
    "PutBucketVersioning": _setting("versioning", "versioning"),
    "PutBucketLifecycleConfiguration": _setting("lifecycle", "lifecycle"),
    "DeleteBucketLifecycle": _setting("lifecycle", "lifecycle"),
    "PutBucketCors": _setting("cors", "cors"),
    "DeleteBucketCors": _setting("cors", "cors"),
    "PutBucketLogging": _setting("access-logs", "access_logs"),
    "PutBucketMetricsConfiguration": _setting("request-metrics", "request_metrics"),
    "DeleteBucketMetricsConfiguration": _setting("request-metrics", "request_metrics"),
    "AddRoleToInstanceProfile": _other_role,
    "AssociateIamInstanceProfile": _detached,
    "ReplaceIamInstanceProfileAssociation": _other_profile,
    "ModifyInstanceMetadataOptions": _metadata,
    "StartLogging": _stopped,
}
