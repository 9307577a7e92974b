"""What AWS says of its global condition keys: which every request has, and which have values of one type alone.

AWS: IAM User Guide, "AWS global condition context keys", the availability and value type of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from keyhole.iam.catalogue import find_condition_key

ALWAYS_PRESENT = frozenset(
    {
        *("aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:requestedregion"),
        *("aws:viaawsservice", "aws:principaltype"),
    }
)
"""Keys that are in every request. AWS says so of `aws:UserAgent` too, but a client that sends none is soon written."""

CALLER_KEYS = frozenset({"aws:principalarn", "aws:principalaccount", "aws:userid"})
"""Keys that are in every request of a caller that has an account."""

_BOOL, _IP, _DATE, _NUMBER = ("Bool",), ("IpAddress", "NotIpAddress"), ("Date",), ("Numeric",)
_TYPED: Mapping[str, tuple[str, ...]] = {
    "aws:securetransport": _BOOL,
    "aws:multifactorauthpresent": _BOOL,
    "aws:viaawsservice": _BOOL,
    "aws:principalisawsservice": _BOOL,
    "aws:sourceip": _IP,
    "aws:vpcsourceip": _IP,
    "aws:currenttime": _DATE,
    "aws:tokenissuetime": _DATE,
    "s3:object-lock-retain-until-date": _DATE,
    "aws:multifactorauthage": _NUMBER,
    "s3:max-keys": _NUMBER,
    "s3:signatureage": _NUMBER,
    "s3:tlsversion": _NUMBER,
    "s3:object-lock-remaining-retention-days": _NUMBER,
}
"""Keys that AWS itself fills in, and how the names of the operators begin that read every value of theirs."""

BOOLEANS = frozenset(key for key, operators in _TYPED.items() if operators is _BOOL)
"""Keys that are `true` or `false` wherever they are."""

_SINGLE = frozenset(
    {
        *(*ALWAYS_PRESENT, *CALLER_KEYS, *_TYPED),
        *(
            "aws:username",
            "aws:useragent",
            "aws:principalorgid",
            "aws:principalservicename",
            "aws:sourceaccount",
            "aws:sourcearn",
        ),
        *("aws:resourceaccount", "aws:resourceorgid", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceorgid"),
        *("s3:resourceaccount", "s3:prefix", "s3:delimiter", "s3:x-amz-acl", "s3:versionid"),
    }
)
"""Keys of which AWS says that they have one value: a set operator takes it for a set of one."""


def may_be_malformed(key: str, operator: str) -> bool:
    """Hold unless AWS fills in the key with values that the operator reads: tags and the like hold any text."""
    return not operator.startswith(_TYPED.get(key.lower(), ("no operator",)))


@lru_cache(maxsize=4096)
def may_have_several(key: str, *, is_read_as_set: bool) -> bool:
    """Hold iff AWS gives the key several values; of one that it does not describe, iff a policy reads it as a set."""
    if key.lower() in _SINGLE:
        return False
    known = find_condition_key(key)
    return is_read_as_set or (known is not None and known.is_multivalued)
