"""ListBuckets: the owner is the caller's account, under its canonical user id.

AWS: S3 API Reference, ListBuckets.
"""

from __future__ import annotations

import re
from dataclasses import replace

from keyhole.local.acl_requests import write_owner
from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Caller, Response

_OWNER = re.compile(r"<Owner>.*?</Owner>", re.DOTALL)


def name_owner(_call: ApiCall, caller: Caller, _backend: Backend, response: Response) -> Response:
    """Put the account's id in place of the one that every account has in the store."""
    text = _OWNER.sub(write_owner(caller.account), response.body.decode())
    headers = tuple(pair for pair in response.headers if pair[0].lower() != "content-length")
    return replace(response, headers=headers, body=text.encode())
