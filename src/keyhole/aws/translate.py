"""botocore's exceptions as ours: the code, the operation, the request id, and what to do about it."""

from __future__ import annotations

from typing import Any

from botocore import exceptions

from keyhole.errors import AwsError, ExitCode, KeyholeError

_HINTS = {
    "ExpiredToken": "the credentials have expired: sign in again (`aws sso login`) or get new ones",
    "ExpiredTokenException": "the credentials have expired: sign in again (`aws sso login`) or get new ones",
    "RequestExpired": "the credentials have expired: sign in again (`aws sso login`) or get new ones",
    "InvalidClientTokenId": "AWS does not know this access key: check AWS_ACCESS_KEY_ID, or the profile",
    "InvalidAccessKeyId": "S3 does not know this access key: check AWS_ACCESS_KEY_ID, or the profile",
    "SignatureDoesNotMatch": "the secret does not belong to this access key: check AWS_SECRET_ACCESS_KEY",
    "RequestTimeTooSkewed": "the clock of this machine is off by more than 15 minutes: set it",
    "BucketAlreadyExists": "bucket names are unique in all of AWS: put `{account}` into the name, or choose another",
    "BucketNotEmpty": "`keyhole down --empty` deletes what is in it first",
    "PermanentRedirect": "the bucket is in another region than `region` in the spec: set it to the bucket's",
    "AuthorizationHeaderMalformed": "the bucket is in another region than `region` in the spec: set it to the bucket's",
    "IllegalLocationConstraintException": "the region of the call and of the bucket differ: check `region` in the spec",
    "AccessDenied": "the credentials that run Keyhole lack this permission",
    "AuthFailure": "AWS takes neither these credentials nor, perhaps, this region: check `region` in the file",
    "UnauthorizedOperation": "the credentials that run Keyhole lack this permission",
}


def translate_client_error(error: exceptions.ClientError) -> AwsError:
    """Give the refusal of a call as an AwsError."""
    response: dict[str, Any] = dict(error.response)
    detail = response.get("Error", {})
    metadata = response.get("ResponseMetadata", {})
    code = str(detail.get("Code", "Unknown"))
    status = int(metadata.get("HTTPStatusCode", 0))
    message = str(detail.get("Message", "")).rstrip(".") or f"HTTP {status}"
    return AwsError(
        message,
        code=code,
        operation=error.operation_name,
        request_id=str(metadata.get("RequestId", "")),
        status=status,
        hint=_HINTS.get(code, ""),
    )


def translate_core_error(error: exceptions.BotoCoreError, operation: str) -> KeyholeError:
    """Give a call that never got an answer as an error that says what to do."""
    match error:
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            failure = AwsError(
                "there are no AWS credentials here",
                code="NoCredentials",
                operation=operation,
                hint="sign in (`aws sso login`), set AWS_PROFILE, or try it without an account: add `--local`",
            )
        case (
            exceptions.CredentialRetrievalError()
            | exceptions.UnauthorizedSSOTokenError()
            | exceptions.SSOTokenLoadError()
        ):
            failure = AwsError(
                str(error), code="CredentialsNotRefreshed", operation=operation, hint="sign in again (`aws sso login`)"
            )
        case exceptions.ProfileNotFound():
            return KeyholeError(str(error), hint="`aws configure list-profiles` lists those there are")
        case exceptions.EndpointConnectionError() | exceptions.ConnectTimeoutError() | exceptions.ReadTimeoutError():
            failure = AwsError(
                str(error).rstrip("."),
                code="Unreachable",
                operation=operation,
                hint="check the network, the region, AWS_ENDPOINT_URL; `keyhole local start` starts the local AWS",
            )
        case exceptions.ParamValidationError():
            return KeyholeError(f"{operation}: {error}", hint="this is a mistake in Keyhole: please report it")
        case _:
            failure = AwsError(str(error).rstrip("."), code=type(error).__name__, operation=operation)
    failure.exit_code = ExitCode.AWS
    return failure


def translate_nonsense(operation: str, endpoint_url: str) -> AwsError:
    """Give an answer that is none of AWS's as an error."""
    return AwsError(
        f"what answers at {endpoint_url or 'the endpoint'} is no AWS",
        code="Unintelligible",
        operation=operation,
        hint="check AWS_ENDPOINT_URL: something else may listen on that port",
    )
