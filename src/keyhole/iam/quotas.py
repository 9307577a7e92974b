"""Quotas: how long a policy document may be, by where it is kept, as AWS counts it there.

AWS: IAM User Guide, "IAM and AWS STS quotas" (managed and inline policies, role trust policies, session policies);
AWS Organizations User Guide, "Quotas and service limits for AWS Organizations" (SCPs: 10,240 since 15 May 2026; RCPs);
Amazon S3 User Guide, "Bucket policies and user policies" (20 KB); AWS PrivateLink Guide, "AWS PrivateLink quotas".
Evaluating a policy asks nothing of its length: what AWS has stored, it has accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from keyhole.errors import PolicyError
from keyhole.iam.model import PolicyKind

_WITHOUT_WHITE_SPACE = {ord(space): None for space in " \t\n\r\v\f"}


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that a document, or all inline policies of one identity together, may have.

    `answer` is what AWS says when there is more, with `{most}` for the figure and `{holder}` for the name of the user,
    role or group whose inline policies they are; "" where that is not known.
    """

    name: str
    most: int
    answer: str = ""
    counts_white_space: bool = True
    counts_bytes: bool = False

    def refusal_for(self, holder: str) -> str:
        """What AWS says to more inline policies of the user, role or group."""
        return self.answer.format(most=self.most, holder=holder)

    @property
    def refusal(self) -> str:
        """What AWS says to a document that has more."""
        return self.refusal_for("").rstrip()

    def raised_to(self, most: int) -> Quota:
        """The same quota where AWS has granted another figure."""
        return replace(self, most=most)

    def measure(self, *texts: str) -> int:
        """How much the documents count together."""
        if self.counts_bytes:
            return sum(len(text.encode(errors="surrogatepass")) for text in texts)
        if self.counts_white_space:
            return sum(map(len, texts))
        return sum(len(text.translate(_WITHOUT_WHITE_SPACE)) for text in texts)


MANAGED = Quota("managed policy", 6_144, "Cannot exceed quota for PolicySize: {most}", counts_white_space=False)
_INLINE = "Maximum policy size of {most} bytes exceeded for "
INLINE_USER = Quota("inline policies of a user", 2_048, f"{_INLINE}user {{holder}}", counts_white_space=False)
INLINE_ROLE = Quota("inline policies of a role", 10_240, f"{_INLINE}role {{holder}}", counts_white_space=False)
INLINE_GROUP = Quota("inline policies of a group", 5_120, f"{_INLINE}group {{holder}}", counts_white_space=False)
TRUST = Quota("role trust policy", 2_048, "Cannot exceed quota for ACLSizePerRole: {most}", counts_white_space=False)
TRUST_RAISED = TRUST.raised_to(8_192)
"""The most that Service Quotas grants for "Role trust policy length"."""
SESSION = Quota(
    "session policy", 2_048, "Member must have length less than or equal to {most}"
)  # with the session's managed policies; AWS also packs them, by a rule that it does not tell
SCP = Quota("service control policy", 10_240, "You have exceeded the maximum policy size.")
RCP = Quota("resource control policy", 5_120, "You have exceeded the maximum policy size.")
BUCKET = Quota("bucket policy", 20 * 1024, "Policies must be no larger than 20 KB in size", counts_bytes=True)
ENDPOINT = Quota("VPC endpoint policy", 20_480)

QUOTAS: Mapping[PolicyKind, Quota] = MappingProxyType(
    {
        PolicyKind.IDENTITY: MANAGED,
        PolicyKind.BOUNDARY: MANAGED,
        PolicyKind.TRUST: TRUST,
        PolicyKind.SESSION: SESSION,
        PolicyKind.SCP: SCP,
        PolicyKind.RCP: RCP,
        PolicyKind.RESOURCE: BUCKET,
        PolicyKind.ENDPOINT: ENDPOINT,
    }
)
"""The usual quota of each kind: of the managed policies for an identity, of the bucket policy for a resource."""


def check_quota(texts: str | tuple[str, ...], quota: Quota, *, file: str = "") -> PolicyError | None:
    """The error that AWS would answer the document with, or None where it fits.

    Inline policies count together: give all of the user, role or group.
    """
    several = (texts,) if isinstance(texts, str) else texts
    size = quota.measure(*several)
    if size <= quota.most:
        return None
    unit = "bytes" if quota.counts_bytes else "characters"
    unit += "" if quota.counts_white_space else " without white space"
    message = f"the {quota.name} has {size:,} {unit}, and AWS takes {quota.most:,}"
    hint = f"AWS: {quota.refusal}" if quota.refusal else "make it shorter, or split it"
    return PolicyError(message, hint=hint, file=file)
