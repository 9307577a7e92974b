import pytest
from botocore.exceptions import ClientError

from gate_clients import Aws

TAGGED = {"Id": "web", "Filter": {"And": {"Prefix": "web/", "Tags": [{"Key": "a", "Value": "<&>"}]}}}


def test_configurations_are_kept_given_listed_and_forgotten(aws: Aws) -> None:
    """They come back as they were put; other buckets have none of them."""
    s3, bucket, other = aws.client("s3"), aws.bucket(), aws.bucket()
    for configuration in ({"Id": "EntireBucket"}, TAGGED):
        s3.put_bucket_metrics_configuration(Bucket=bucket, Id=configuration["Id"], MetricsConfiguration=configuration)
    found = s3.get_bucket_metrics_configuration(Bucket=bucket, Id="web")["MetricsConfiguration"]
    assert found == TAGGED
    listed = s3.list_bucket_metrics_configurations(Bucket=bucket)["MetricsConfigurationList"]
    assert listed == [{"Id": "EntireBucket"}, TAGGED]
    assert "MetricsConfigurationList" not in s3.list_bucket_metrics_configurations(Bucket=other)
    s3.delete_bucket_metrics_configuration(Bucket=bucket, Id="web")
    for call in (s3.get_bucket_metrics_configuration, s3.delete_bucket_metrics_configuration):
        with pytest.raises(ClientError) as caught:
            call(Bucket=bucket, Id="web")
        assert caught.value.response["Error"]["Code"] == "NoSuchConfiguration"


def test_the_id_of_the_request_is_that_of_the_configuration(aws: Aws) -> None:
    """Two ids in one request are refused, and nothing is kept."""
    s3, bucket = aws.client("s3"), aws.bucket()
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_metrics_configuration(Bucket=bucket, Id="a", MetricsConfiguration={"Id": "b"})
    assert caught.value.response["Error"]["Code"] == "InvalidArgument"
    assert "MetricsConfigurationList" not in s3.list_bucket_metrics_configurations(Bucket=bucket)


def test_a_bucket_that_is_not_there_has_none(aws: Aws) -> None:
    """NoSuchBucket before anything else."""
    with pytest.raises(ClientError) as caught:
        aws.client("s3").get_bucket_metrics_configuration(Bucket="nowhere-at-all", Id="a")
    assert caught.value.response["Error"]["Code"] == "NoSuchBucket"
