"""What one principal's calls teach: the grants and the policy that suffice, and how the file's differ from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from keyhole.blueprint.policies import grant_policy
from keyhole.learn.comparison import Comparison, compare
from keyhole.learn.needs import Needed, Needs, find_needs, granted_prefixes
from keyhole.learn.policy import find_unallowed, write_policy
from keyhole.learn.use import Use
from keyhole.spec.model import Grant

# A workload's grants, each with the name of its bucket.
NamedGrants = Sequence[tuple[str, Grant]]


@dataclass(frozen=True, slots=True)
class Lesson:
    """`comparison` is None where the principal is no workload of the file.

    `denied` are the questions that a grant would help; `unproved` those that what was learned would not allow: none,
    unless Keyhole is wrong.
    """

    who: str
    needs: Needs
    policy: dict[str, Any]
    denied: tuple[Use, ...]
    unproved: tuple[Use, ...]
    comparison: Comparison | None

    @property
    def is_settled(self) -> bool:
        """Hold iff nothing was denied, and the file grants what was asked and nothing else."""
        agrees = self.comparison is None or not (self.comparison.lacking or self.comparison.unused)
        return agrees and not self.denied and not self.unproved


def learn(who: str, uses: Iterable[Use], grants: NamedGrants | None) -> Lesson:
    """Learn from one principal's questions; `grants` are its workload's in the file, None where it is none."""
    asked = tuple(uses)
    granted = granted_prefixes(grants or ())
    needs = find_needs(asked, granted)
    policy = write_policy(needs.uses, granted)
    return Lesson(
        who=who,
        needs=needs,
        policy=policy,
        denied=tuple(use for use in needs.uses if not use.is_allowed),
        unproved=_unproved(policy, needs),
        comparison=compare(needs.uses, grants) if grants is not None else None,
    )


def _unproved(policy: dict[str, Any], needs: Needs) -> tuple[Use, ...]:
    """Both answers are tried: the policy on every question, the grants on those that have a verb."""
    with_verb = [use for use in needs.uses if use.verb]
    by_grants = grant_policy((f"arn:aws:s3:::{needed.bucket}", as_grant(needed)) for needed in needs.grants)
    found = (*find_unallowed(policy, needs.uses), *find_unallowed(by_grants, with_verb))
    return tuple({(use.action, use.resource): use for use in found}.values())


def as_grant(needed: Needed, bucket_key: str = "") -> Grant:
    """Give the grant as the spec has it."""
    return Grant(bucket=bucket_key or needed.bucket, prefix=needed.prefix, verbs=list(needed.verbs))
