"""What S3 checks of a call beside the permissions.

AWS: S3 API Reference, GetObject (response-… parameters), UploadPart (NoSuchUpload), CopyObject; S3 User Guide,
"Verifying bucket ownership with bucket owner condition".
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


def check_upload(call: ApiCall, backend: Backend) -> None:
    """Hold iff the upload that the call names, if it is there, is one for the call's key. Raises: Fault."""
    upload_id = call.params.get("UploadId")
    if not upload_id or "Key" not in call.params:
        return
    key = backend.upload_key(str(call.params["Bucket"]), str(upload_id))
    if key is not None and key != call.params["Key"]:
        message = (
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
            "completed."
        )
        raise Fault("NoSuchUpload", message, 404, extra=(("UploadId", str(upload_id)),))
