"""The root keys of an account: they follow from a master secret that every start makes anew, so none is known before.

Commands that reach the local AWS need no more of it than this.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_ROOT_KEY_ID = "AKIAKEYHOLELOCALROOT"
_ROOT_PREFIX = "AKIAROOT"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key as a client needs it."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


def root_credentials(master: bytes, account: str) -> Credentials:
    """Give the root keys of an account under this start's master secret. Raises: ValueError for no account number."""
    secret = hmac.digest(master, f"root:{account}".encode(), "sha256")
    return Credentials(root_key_id(account), base64.b64encode(secret[:30]).decode())


def root_key_id(account: str) -> str:
    """Give the access key id of an account's root: 20 letters and digits that say which account it is."""
    if not (len(account) == 12 and account.isascii() and account.isdigit()):
        raise ValueError(f"`{account}` is not a 12-digit account number")
    return DEFAULT_ROOT_KEY_ID if account == DEFAULT_ACCOUNT else f"{_ROOT_PREFIX}{account}"


def root_account(access_key_id: str) -> str:
    """Give the account whose root key this is, "" if it is none's."""
    if access_key_id == DEFAULT_ROOT_KEY_ID:
        return DEFAULT_ACCOUNT
    account = access_key_id.removeprefix(_ROOT_PREFIX)
    is_root = len(account) == 12 and account.isascii() and account.isdigit() and account != DEFAULT_ACCOUNT
    return account if is_root and access_key_id != account else ""
