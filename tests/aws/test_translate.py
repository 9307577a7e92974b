import pytest
from botocore import exceptions

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.aws.translate import translate_client_error, translate_core_error
from keyhole.errors import ExitCode


def client_error(code: str, status: int = 403) -> exceptions.ClientError:
    response = {
        "Error": {"Code": code, "Message": "The sentence."},
        "ResponseMetadata": {"RequestId": "REQ-1", "HTTPStatusCode": status},
    }
    return exceptions.ClientError(response, "PutObject")  # type: ignore[arg-type]


def test_code_operation_and_request_id_survive() -> None:
    """What AWS support asks for is in the message."""
    error = translate_client_error(client_error("SlowDown", 503))
    assert (error.code, error.operation, error.request_id, error.status) == ("SlowDown", "PutObject", "REQ-1", 503)
    assert str(error) == "PutObject: SlowDown: The sentence (request id REQ-1)"
    assert error.exit_code is ExitCode.AWS


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("ExpiredToken", "the credentials have expired"),
        ("RequestExpired", "the credentials have expired"),
        ("InvalidClientTokenId", "does not know this access key"),
        ("SignatureDoesNotMatch", "the secret does not belong"),
        ("RequestTimeTooSkewed", "the clock of this machine"),
        ("BucketAlreadyExists", "unique in all of AWS"),
        ("PermanentRedirect", "in another region"),
        ("AccessDenied", "lack this permission"),
    ],
)
def test_the_common_refusals_say_what_to_do(code: str, hint: str) -> None:
    """Each has a hint of its own."""
    assert hint in translate_client_error(client_error(code)).hint


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.NoCredentialsError(), "add `--local`"),
        (exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "AWS_ENDPOINT_URL"),
        (exceptions.UnauthorizedSSOTokenError(), "aws sso login"),
        (exceptions.ProfileNotFound(profile="nobody"), "aws configure list-profiles"),
    ],
)
def test_calls_without_an_answer_say_what_to_do(error: exceptions.BotoCoreError, words: str) -> None:
    """No credentials, no network, no profile: each is a message with a way out."""
    assert words in translate_core_error(error, "PutObject").hint


def test_secrets_are_in_no_repr() -> None:
    """Credentials show their access key id and nothing else."""
    shown = repr(Credentials("AKIAEXAMPLE", "the-secret", "the-token"))
    assert "AKIAEXAMPLE" in shown
    assert "the-secret" not in shown
    assert "the-token" not in shown


@pytest.mark.parametrize("region", ["us-east-1", "ap-northeast-2"])
def test_signed_urls_are_of_the_region_and_by_sigv4(region: str) -> None:
    """The URL names the bucket's own region, and is signed as S3 asks for today."""
    aws = BotocoreAws(region, credentials=Credentials("AKIAEXAMPLE", "secret"))
    url = aws.presign("GetObject", expires_s=60, Bucket="some-bucket", Key="a b.png")
    host = "some-bucket.s3.amazonaws.com" if region == "us-east-1" else f"some-bucket.s3.{region}.amazonaws.com"
    assert url.startswith(f"https://{host}/a%20b.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert "X-Amz-Expires=60" in url
