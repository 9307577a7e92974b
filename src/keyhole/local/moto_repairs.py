"""What moto does otherwise than AWS and could not be put right from outside."""

from __future__ import annotations

import random
import string
from functools import cache
from typing import Any

from moto.iam.models import Group, InstanceProfile, User

_LETTERS = string.ascii_uppercase + "234567"


@cache
def use_aws_ids() -> None:
    """Let users, groups and instance profiles have ids as on AWS.

    AWS: IAM User Guide, "IAM identifiers", unique identifiers.
    """
    for kind, prefix in ((User, "AIDA"), (Group, "AGPA"), (InstanceProfile, "AIPA")):
        _prefix_ids(kind, prefix)


def _prefix_ids(kind: Any, prefix: str) -> None:
    original = kind.__init__

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807  # it takes that one's place
        original(self, *arguments, **named)
        self.id = prefix + "".join(random.choices(_LETTERS, k=17))  # noqa: S311  # no secret

    kind.__init__ = __init__
