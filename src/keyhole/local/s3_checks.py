"""What S3 checks of a call beside the permissions.

AWS: S3 API Reference, GetObject (response-… parameters) and CopyObject; S3 User Guide, "Verifying bucket ownership with
bucket owner condition".
"""

from __future__ import annotations

from keyhole.local.actions import s3
from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Caller, Fault


def check_call(call: ApiCall, caller: Caller, backend: Backend) -> None:
    """Return where nothing but the permissions can be against the call. Raises: Fault."""
    if not caller.account and any(name.startswith("Response") for name in call.params):
        message = "Request specific response headers cannot be used for anonymous GET requests."
        raise Fault("InvalidRequest", message, 400)
    expected = call.params.get("ExpectedSourceBucketOwner")
    if expected and "CopySource" in call.params:
        source = backend.find_bucket(s3.copy_source(call)[0])
        if source is None or source.account != expected:
            raise Fault("AccessDenied", "Access Denied", 403)
