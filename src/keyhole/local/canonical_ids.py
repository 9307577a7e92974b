"""S3's canonical user ids: one per account, 64 hexadecimal digits, the last twelve of which are the account's number.

AWS: Account Management Reference Guide, "Find the canonical user ID for your AWS account".
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from keyhole.local.stored_objects import ANONYMOUS_OWNER

# AWS: S3 API Reference, "Owner": what an anonymous caller writes belongs to this id.
_ANONYMOUS_ID = "65a011a29cdf8ec533ec3d1ccaae921c"


@lru_cache(maxsize=256)
def canonical_id(account: str) -> str:
    """Give the id of an account, or of ANONYMOUS_OWNER."""
    if account == ANONYMOUS_OWNER:
        return _ANONYMOUS_ID
    return hashlib.sha256(f"canonical user of {account}".encode()).hexdigest()[:52] + account


def find_account(user_id: str) -> str | None:
    """Give the account whose id it is, None where it is nobody's."""
    if user_id == _ANONYMOUS_ID:
        return ANONYMOUS_OWNER
    account = user_id[-12:]
    is_number = len(user_id) == 64 and account.isascii() and account.isdigit()
    return account if is_number and canonical_id(account) == user_id else None
