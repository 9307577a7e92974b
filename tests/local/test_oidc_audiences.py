import pytest
from botocore.exceptions import ClientError

from gate_clients import Aws

URL = "https://token.actions.githubusercontent.com"


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_audiences_are_added_and_taken_away_and_said_twice_is_said_once(aws: Aws) -> None:
    """Both calls say nothing where it is the case already."""
    iam = aws.client("iam")
    arn = iam.create_open_id_connect_provider(Url=URL, ClientIDList=["a"])["OpenIDConnectProviderArn"]
    for _ in range(2):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["a", "b"]
    for _ in range(2):
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["b"]


def test_a_provider_that_is_not_there_takes_no_audience(aws: Aws) -> None:
    """NoSuchEntity, as for every call about it."""
    arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    with pytest.raises(ClientError) as caught:
        aws.client("iam").add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    assert code(caught) == "NoSuchEntity"


def test_a_provider_takes_a_hundred_audiences(aws: Aws) -> None:
    """IAM's quota."""
    iam = aws.client("iam")
    names = [f"a{number}" for number in range(100)]
    arn = iam.create_open_id_connect_provider(Url=URL, ClientIDList=names)["OpenIDConnectProviderArn"]
    with pytest.raises(ClientError) as caught:
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one-more")
    assert code(caught) == "LimitExceeded"
