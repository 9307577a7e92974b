"""What is open to the web, against what the file opens: bucket policies, ACLs, Block Public Access. Pure.

AWS: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", the meaning of "public".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from keyhole.errors import KeyholeError
from keyhole.findings import Finding, Severity
from keyhole.resources.bucket import Bucket, ExistingBucket
from keyhole.status.documents import Statement, describe_statement, statements_of, values_of
from keyhole.status.reading import PublicAccess

DOC_URL = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"
_POLICY_SETTINGS = ("BlockPublicPolicy", "RestrictPublicBuckets")


def wider_statements(have: Mapping[str, Any] | None, want: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Give what the policy allows to everyone beyond what the file's allows to everyone, as clauses.

    A statement with a condition that the file's lacks is counted too: a condition may narrow it, or not.
    """
    meant = [statement for statement in statements_of(want) if _is_for_everyone(statement)]
    return tuple(
        describe_statement(statement)
        for statement in statements_of(have)
        if _is_for_everyone(statement) and not _is_within(statement, meant)
    )


def public_findings(want: Bucket, have: ExistingBucket, access: PublicAccess, fix: str) -> Iterator[Finding]:
    """Give what makes the bucket more public than the file; its policy is compared elsewhere."""
    if access.grants:
        summary = f"its ACL opens it: {', '.join(access.grants)}"
        yield Finding("bucket.acl", Severity.PROBLEM, summary, fix=fix, doc_url=DOC_URL)
    if access.is_public and not _opens(want.settings.policy) and not _opens(have.settings.policy):
        summary = "S3 says that its policy is public, and the file opens nothing"
        yield Finding("bucket.public", Severity.PROBLEM, summary, fix=fix, doc_url=DOC_URL)


def account_findings(block: dict[str, bool] | KeyholeError, buckets: list[Bucket]) -> Iterator[Finding]:
    """Give what Block Public Access of the whole account means for these buckets."""
    if isinstance(block, KeyholeError):
        summary = "whether the account blocks public access is unknown"
        yield Finding("account.block", Severity.UNKNOWN, summary, (str(block),), block.hint, DOC_URL)
        return
    opened = [bucket.address.partition(".")[2] for bucket in buckets if _opens(bucket.settings.policy)]
    shut = [name for name in _POLICY_SETTINGS if block.get(name)]
    if opened and shut:
        summary = f"the account blocks public access, so what the file opens is shut: {', '.join(opened)}"
        fix = "`aws s3control put-public-access-block` with the account id opens it; other buckets may rely on it"
        evidence = (f"{' and '.join(shut)} of the account",)
        yield Finding("account.block", Severity.PROBLEM, summary, evidence, fix, DOC_URL)


def describe_account_block(block: dict[str, bool] | KeyholeError) -> str:
    """Give how far the account blocks public access, for whoever reads."""
    if isinstance(block, KeyholeError):
        return "unknown"
    on = [name for name, is_on in block.items() if is_on]
    return "all blocked" if len(on) == 4 else f"only {', '.join(on)}" if on else "left to each bucket"


def _opens(policy: Mapping[str, Any] | None) -> bool:
    return any(_is_for_everyone(statement) for statement in statements_of(policy))


def _is_for_everyone(statement: Statement) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        principal = principal.get("AWS", ())
    return "*" in (values_of(principal) if principal is not None else ())


def _is_within(statement: Statement, meant: list[Statement]) -> bool:
    """Hold iff every action on every resource of it is one that the file's statements give to everyone.

    What is written by negation is taken to be wider. A pattern that matches another pattern's text covers it.
    """
    if not {"Action", "Resource"} <= statement.keys() or "NotPrincipal" in statement:
        return False
    return all(
        any(
            not other.get("Condition")
            and any(_covers(pattern, action, re.IGNORECASE) for pattern in values_of(other.get("Action", [])))
            and any(_covers(pattern, resource) for pattern in values_of(other.get("Resource", [])))
            for other in meant
        )
        for action in values_of(statement["Action"])
        for resource in values_of(statement["Resource"])
    )


def _covers(pattern: str, text: str, flags: int = 0) -> bool:
    regex = "".join(".*" if char == "*" else "[^*]" if char == "?" else re.escape(char) for char in pattern)
    return re.fullmatch(regex, text, flags | re.DOTALL) is not None
