"""What the modes that ask no policy do not let through either: they let past what is denied, not what is not there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gate_errors import refusal

from gate_clients import Aws
from keyhole.local.mode import Mode
from keyhole.local.root_keys import Credentials
from keyhole.local.server import LocalAws

OTHER = "222222222222"


@pytest.fixture(params=[Mode.SOFT, Mode.OFF])
def lenient(request: pytest.FixtureRequest, _no_way_to_a_real_account: None) -> Iterator[Aws]:
    """A local AWS that lets denied calls through."""
    with LocalAws(port=0, mode=request.param) as local:
        yield Aws(local)


def test_nobody_has_no_account(lenient: Aws) -> None:
    """Without a key there are no buckets to list, and none to make, in anybody's account."""
    lenient.client("s3").create_bucket(Bucket="of-the-default-account")
    nobody = lenient.client("s3", anonymous=True)
    assert refusal(nobody.list_buckets)[0::2] == ("AccessDenied", 403)
    assert refusal(nobody.create_bucket, Bucket="of-nobody")[0::2] == ("AccessDenied", 403)
    assert [bucket["Name"] for bucket in lenient.client("s3").list_buckets()["Buckets"]] == ["of-the-default-account"]


def test_signatures_are_verified_in_every_mode(lenient: Aws) -> None:
    """A key id that exists and a secret that is wrong open nothing."""
    forged = Credentials(lenient.root.access_key_id, "x" * 40)
    assert refusal(lenient.client("s3", forged).list_buckets)[0] == "SignatureDoesNotMatch"
    assert refusal(lenient.client("iam", forged).list_users)[0] == "SignatureDoesNotMatch"


def test_accounts_that_cannot_share_do_not(lenient: Aws) -> None:
    """A call that is about no resource stays in the caller's account."""
    theirs = lenient.client("sns", lenient.server.root_credentials(OTHER))
    credential = {"PlatformCredential": "x"}
    made = theirs.create_platform_application(Name="app", Platform="GCM", Attributes=credential)
    read = lenient.client("sns").get_platform_application_attributes
    assert refusal(read, PlatformApplicationArn=made["PlatformApplicationArn"])[0] == "AuthorizationError"
    block = lenient.client("ecs").describe_clusters
    assert refusal(block, clusters=[f"arn:aws:ecs:us-east-1:{OTHER}:cluster/c"])[0] == "InvalidParameterException"
