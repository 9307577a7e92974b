"""Secrets have names that fit into an ARN.

AWS: Secrets Manager API Reference, CreateSecret, Name.
"""

from __future__ import annotations

import re

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")


def check_name(call: ApiCall, _caller: Caller, _bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse a name with other characters. Raises: Fault."""
    if not _NAME.fullmatch(str(call.params.get("Name") or "")):
        message = (
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
        )
        raise Fault("ValidationException", message)
    return None
