"""What a form says about its own signature, which is over its policy.

AWS: S3 API Reference, "Authenticating Requests in Browser-Based Uploads Using POST (AWS Signature Version 4)", and
"Browser-based uploads using POST (AWS signature version 2)".
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping

from keyhole.local import refusals, sigv2
from keyhole.local.call import Fault
from keyhole.local.sigv4 import ALGORITHM, Signature, is_date, parse_credential, signing_key

_V4_FIELDS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
_V2_FIELDS = ("AWSAccessKeyId", "Signature")


def read_form_signature(fields: Mapping[str, str]) -> Signature | None:
    """Give the signature of a form, None where it has neither signature nor policy. Raises: Fault."""
    is_v4 = any(name.lower() in fields for name in _V4_FIELDS)
    is_v2 = any(name.lower() in fields for name in _V2_FIELDS)
    if not (is_v4 or is_v2 or "policy" in fields):
        return None
    for name in (*(_V4_FIELDS if is_v4 else _V2_FIELDS), "policy"):
        if not fields.get(name.lower()):
            raise missing_field(name)
    token = fields.get("x-amz-security-token", "")
    if not is_v4:
        return Signature(
            access_key_id=fields["awsaccesskeyid"],
            scope_date="",
            region="",
            service="s3",
            signed_headers=(),
            signature=fields["signature"],
            amz_date="",
            session_token=token,
            version=sigv2.VERSION,
        )
    refusals.check_algorithm(fields["x-amz-algorithm"])
    credential = parse_credential(fields["x-amz-credential"])
    if fields["x-amz-algorithm"] != ALGORITHM or credential is None or credential[3] != "s3":
        raise _wrong_field("X-Amz-Algorithm" if credential else "X-Amz-Credential", fields)
    if not is_date(fields["x-amz-date"]) or fields["x-amz-date"][:8] != credential[1]:
        raise _wrong_field("X-Amz-Date", fields)
    return Signature(
        access_key_id=credential[0],
        scope_date=credential[1],
        region=credential[2],
        service=credential[3],
        signed_headers=(),
        signature=fields["x-amz-signature"],
        amz_date=fields["x-amz-date"],
        session_token=token,
    )


def verify_form(signature: Signature, policy: str, secret: str) -> bool:
    """Hold iff the signature was made with `secret` over the policy's text as it is in the form."""
    text = policy.encode()
    if signature.version == sigv2.VERSION:
        expected = base64.b64encode(hmac.digest(secret.encode(), text, "sha1"))
    else:
        key = signing_key(secret, signature.scope_date, signature.region, signature.service)
        expected = hmac.digest(key, text, "sha256").hex().encode()
    return hmac.compare_digest(expected, signature.signature.encode("utf-8", "replace"))


def missing_field(name: str) -> Fault:
    """The form lacks a field that it must have before its file."""
    message = (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )
    return Fault("InvalidArgument", message, 400, extra=(("ArgumentName", name), ("ArgumentValue", "")))


def _wrong_field(name: str, fields: Mapping[str, str]) -> Fault:
    extra = (("ArgumentName", name), ("ArgumentValue", fields[name.lower()]))
    return Fault("InvalidArgument", f"The form field {name} is not valid.", 400, extra=extra)
