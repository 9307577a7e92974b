"""What each kind of service says to credentials that it does not take: AWS's codes and sentences.

AWS: S3 API Reference, "Error responses"; IAM API Reference, "Common errors"; EC2 API Reference, "Common client errors".
"""

from __future__ import annotations

from datetime import datetime

from keyhole.local.call import Fault

MAX_SKEW_S = 15 * 60
_SIGV4A = "AWS4-ECDSA-P256-SHA256"


def unknown_key(service: str, protocol: str, access_key_id: str) -> Fault:
    """The key does not exist, is inactive, or its session was never issued."""
    if service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return Fault("InvalidAccessKeyId", message, 403, extra=(("AWSAccessKeyId", access_key_id),))
    if service == "ec2":
        return Fault("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    code = "UnrecognizedClientException" if _is_json(protocol) else "InvalidClientTokenId"
    return Fault(code, "The security token included in the request is invalid.", _status(protocol, 403))


def wrong_token(service: str, protocol: str, access_key_id: str) -> Fault:
    """The session token is missing or is not the one that was issued with the key."""
    if service == "s3":
        return Fault("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
    return unknown_key(service, protocol, access_key_id)


def expired_token(service: str, protocol: str) -> Fault:
    """The session is over."""
    if service == "s3":
        return Fault("ExpiredToken", "The provided token has expired.", 400)
    if service == "ec2":
        return Fault("RequestExpired", "Request has expired.", 400)
    code = "ExpiredTokenException" if _is_json(protocol) else "ExpiredToken"
    return Fault(code, "The security token included in the request is expired", _status(protocol, 403))


def wrong_signature(service: str, protocol: str, access_key_id: str) -> Fault:
    """The signature was not made with the key's secret, or not over this request."""
    if service == "s3":
        message = (
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method."
        )
        return Fault("SignatureDoesNotMatch", message, 403, extra=(("AWSAccessKeyId", access_key_id),))
    if service == "ec2":
        return Fault("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    message = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )
    return Fault(_signature_code(protocol), message, _status(protocol, 403))


def skewed_clock(service: str, protocol: str, signed: datetime, server: datetime) -> Fault:
    """The request was signed more than 15 minutes away from now."""
    if service == "s3":
        extra = (
            ("RequestTime", f"{signed:%Y%m%dT%H%M%SZ}"),
            ("ServerTime", f"{server:%Y-%m-%dT%H:%M:%SZ}"),
            ("MaxAllowedSkewMilliseconds", str(MAX_SKEW_S * 1000)),
        )
        message = "The difference between the request time and the current time is too large."
        return Fault("RequestTimeTooSkewed", message, 403, extra=extra)
    if service == "ec2":
        return Fault("RequestExpired", "Request has expired.", 400)
    if signed < server:
        text = f"Signature expired: {signed:%Y%m%dT%H%M%SZ} is now earlier than {server:%Y%m%dT%H%M%SZ} - 15 min."
    else:
        text = (
            f"Signature not yet current: {signed:%Y%m%dT%H%M%SZ} is still later than {server:%Y%m%dT%H%M%SZ} + 15 min."
        )
    return Fault(_signature_code(protocol), text, _status(protocol, 403))


def malformed_header(service: str, protocol: str, why: str) -> Fault:
    """The Authorization header cannot be read, or leaves out what it must have."""
    if service == "s3":
        return Fault("AuthorizationHeaderMalformed", f"The authorization header is malformed; {why}", 400)
    code = "IncompleteSignatureException" if _is_json(protocol) else "IncompleteSignature"
    return Fault(code, f"Authorization header is malformed: {why}", 400)


def malformed_query(why: str) -> Fault:
    """The authentication parameters of a presigned URL cannot be read."""
    return Fault("AuthorizationQueryParametersError", why, 400)


def check_algorithm(algorithm: str) -> None:
    """Hold iff it is not SigV4A, which AWS takes and this local AWS does not. Raises: Fault."""
    if algorithm == _SIGV4A:
        message = (
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256: "
            f"Keyhole's local AWS does not verify {_SIGV4A} (SigV4A)."
        )
        raise Fault("InvalidRequest", message, 400)


def missing_signature(protocol: str) -> Fault:
    """The service takes no anonymous calls."""
    code = "MissingAuthenticationTokenException" if _is_json(protocol) else "MissingAuthenticationToken"
    return Fault(code, "Request is missing Authentication Token", _status(protocol, 403))


def _is_json(protocol: str) -> bool:
    return protocol in ("json", "rest-json", "cbor")


def _status(protocol: str, query_status: int) -> int:
    return 400 if _is_json(protocol) else query_status


def _signature_code(protocol: str) -> str:
    return "InvalidSignatureException" if _is_json(protocol) else "SignatureDoesNotMatch"
