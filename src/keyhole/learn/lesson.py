"""What one principal's calls teach: the grants and the policy that suffice, and how the file's differ from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from keyhole.blueprint.policies import grant_policy
from keyhole.iam import Policy
from keyhole.learn.comparison import Comparison, compare, covers
from keyhole.learn.needs import Needed, Needs, find_needs, granted_prefixes, is_needed
from keyhole.learn.policy import allows, find_unallowed, write_policy
from keyhole.learn.use import Use
from keyhole.spec.model import Grant

# A workload's grants, each with the name of its bucket.
NamedGrants = Sequence[tuple[str, Grant]]


@dataclass(frozen=True, slots=True)
class Lesson:
    """`comparison` is None where the principal is no workload of the file.

    `by_file` are the questions that need no grant because the statements of the workload's policy file allow them: they
    are not among the `needs`, but the `policy` allows them too. `denied` are the questions that a grant would help;
    `unproved` those that what was learned would not allow: none, unless Keyhole is wrong.
    """

    who: str
    needs: Needs
    policy: dict[str, Any]
    denied: tuple[Use, ...]
    unproved: tuple[Use, ...]
    comparison: Comparison | None
    by_file: tuple[Use, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Hold iff nothing was denied, and the file grants what was asked and nothing else."""
        agrees = self.comparison is None or not (self.comparison.lacking or self.comparison.unused)
        return agrees and not self.denied and not self.unproved


def learn(who: str, uses: Iterable[Use], grants: NamedGrants | None, file_policy: Policy | None = None) -> Lesson:
    """Learn from one principal's questions; `grants` are its workload's in the file, None where it is none.

    `file_policy` has the statements of the workload's policy file; what a grant covers too counts as the grant's.
    """
    granted = granted_prefixes(grants or ())
    by_file: list[Use] = []
    others: list[Use] = []
    for use in uses:
        (by_file if _is_by_file(use, grants or (), file_policy) else others).append(use)
    needs = find_needs(others, granted)
    needed = (*needs.uses, *by_file)
    policy = write_policy(needed, granted)
    return Lesson(
        who=who,
        needs=needs,
        policy=policy,
        denied=tuple(use for use in needed if not use.is_allowed),
        unproved=_unproved(policy, needs, by_file),
        comparison=compare(needs.uses, grants) if grants is not None else None,
        by_file=tuple(by_file),
    )


def _is_by_file(use: Use, grants: NamedGrants, file_policy: Policy | None) -> bool:
    if file_policy is None or not is_needed(use) or any(covers(bucket, grant, use) for bucket, grant in grants):
        return False
    return allows(file_policy, use)


def _unproved(policy: dict[str, Any], needs: Needs, by_file: Iterable[Use]) -> tuple[Use, ...]:
    """Both answers are tried: the policy on every question, the grants on those that have a verb."""
    with_verb = [use for use in needs.uses if use.verb]
    by_grants = grant_policy((f"arn:aws:s3:::{needed.bucket}", as_grant(needed)) for needed in needs.grants)
    found = (*find_unallowed(policy, (*needs.uses, *by_file)), *find_unallowed(by_grants, with_verb))
    return tuple({(use.action, use.resource): use for use in found}.values())


def as_grant(needed: Needed, bucket_key: str = "") -> Grant:
    """Give the grant as the spec has it."""
    return Grant(bucket=bucket_key or needed.bucket, prefix=needed.prefix, verbs=list(needed.verbs))
