"""recipository: a Java app on EC2 without access keys, capped at its bucket whatever is attached to its role."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from example_commands import ExampleCopy, program, run_program

from gate_clients import Aws, allow
from keyhole.aws.client import BotocoreAws
from keyhole.aws.imds import fetch_instance_credentials, find_local_imds
from keyhole.errors import AwsError
from keyhole.local.server import LocalAws
from local_story import AccountFactory, inventory, run_instance

ROLE = "RecipositoryRole"
ROLE_ARN = f"arn:aws:iam::123456789012:role/keyhole/recipository/default/{ROLE}"
PASSING = "arn:aws:iam::123456789012:policy/keyhole/recipository/default/RecipositoryPassRole"
BUCKET = "recipository-123456789012"


@pytest.fixture
def root(account: AccountFactory) -> BotocoreAws:
    return account("us-east-1")


@pytest.fixture
def instance(root: BotocoreAws) -> str:
    """The instance that the app runs on."""
    return run_instance(root, "recipository-web")


@pytest.fixture
def recipository(local_aws: LocalAws, example_folder: Path, tmp_path: Path, instance: str) -> ExampleCopy:
    assert instance
    return ExampleCopy(example_folder / "recipository", tmp_path, local_aws)


def test_from_nothing_to_nothing(root: BotocoreAws, recipository: ExampleCopy) -> None:
    """Up, every claim tried, used by a process that only knows instance metadata, changed, down, nothing left."""
    before = inventory(root)
    recipository.run("up", "--yes")
    verified = json.loads(recipository.run("verify", "--json").stdout)["claims"]
    assert [claim for claim in verified if claim["verdict"] != "holds"] == []
    assert "nothing to do: AWS agrees with the file" in recipository.run("up").output

    script = f"import boto3; boto3.client('s3').put_object(Bucket='{BUCKET}', Key='cake.jpg', Body=b'x')"
    recipository.run("run", "--as", "web", "--", sys.executable, "-c", script)
    assert root.call("s3", "HeadObject", Bucket=BUCKET, Key="cake.jpg")["ContentLength"] == 1

    recipository.change('[buckets.uploads]\nname = "recipository-{account}"', LIFECYCLE)
    changed = [change for change in json.loads(recipository.run("plan", "--json").stdout)["changes"] if change["calls"]]
    assert [change["address"] for change in changed] == ["bucket.uploads"]
    assert [call["operation"] for call in changed[0]["calls"]] == ["PutBucketLifecycleConfiguration"]
    recipository.run("up", "--yes")

    recipository.run("down", "--yes", "--empty")
    assert inventory(root) == before


LIFECYCLE = """\
[buckets.uploads]
name = "recipository-{account}"
lifecycle = [{ prefix = "drafts/", expire_days = 30 }]"""


def test_the_boundary_caps_the_role_at_its_bucket(
    root: BotocoreAws, recipository: ExampleCopy, local_aws: LocalAws, instance: str
) -> None:
    """Someone attaches AmazonS3FullAccess: the app still reaches its bucket and no other, and the plan tells."""
    recipository.run("up", "--yes")
    root.call("s3", "CreateBucket", Bucket="payroll-of-recipository")
    full_access = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    root.call("iam", "AttachRolePolicy", RoleName=ROLE, PolicyArn=full_access)
    credentials = fetch_instance_credentials(find_local_imds(local_aws.url, instance)).credentials
    web = BotocoreAws("us-east-1", credentials=credentials, endpoint_url=local_aws.url, max_attempts=1)
    web.call("s3", "PutObject", Bucket=BUCKET, Key="cake.jpg", Body=b"x")
    for operation, params in (
        ("PutObject", {"Bucket": "payroll-of-recipository", "Key": "x", "Body": b"x"}),
        ("ListBuckets", {}),
        ("DeleteBucket", {"Bucket": BUCKET}),
        ("PutBucketPolicy", {"Bucket": BUCKET, "Policy": "{}"}),
    ):
        with pytest.raises(AwsError) as denied:
            web.call("s3", operation, **params)
        assert denied.value.code == "AccessDenied"
        assert "no permissions boundary allows" in denied.value.message
    assert "detach AmazonS3FullAccess" in recipository.run("plan").output
    recipository.run("up", "--yes")
    attached = root.call("iam", "ListAttachedRolePolicies", RoleName=ROLE)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["RecipositoryS3Policy"]


def test_who_has_the_pass_role_policy_launches_with_this_role_alone(aws: Aws, recipository: ExampleCopy) -> None:
    """Someone who may do everything with instances launches with this role's profile; without the policy, denied."""
    recipository.run("up", "--yes")
    iam = aws.client("iam")
    other = iam.create_role(RoleName="admin", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.create_instance_profile(InstanceProfileName="admin")
    iam.add_role_to_instance_profile(InstanceProfileName="admin", RoleName=other["RoleName"])
    keys = aws.user(allow("ec2:*", "*"))
    ec2 = aws.client("ec2", keys)
    image = aws.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]

    def launch(profile: str) -> str:
        try:
            ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": profile})
        except ec2.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"])
        return "launched"

    assert launch(ROLE) == "UnauthorizedOperation"
    user = next(user["UserName"] for user in iam.list_users()["Users"])
    iam.attach_user_policy(UserName=user, PolicyArn=PASSING)
    assert launch(ROLE) == "launched"
    assert launch("admin") == "UnauthorizedOperation"


TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def test_a_java_program_finds_its_role_without_a_change(recipository: ExampleCopy, local_aws: LocalAws) -> None:
    """On a laptop it fails for want of instance metadata; by `keyhole run` the same program has the role."""
    java = program("java", "a Java program is not run as the workload")
    source = str(recipository.folder / "WhoAmI.java")
    recipository.run("up", "--yes")
    keyhole = [sys.executable, "-m", "keyhole.cli.main", "run", "-f", str(recipository.file)]
    command = [*keyhole, "--local-port", str(local_aws.port), "--as", "web", "--", java, source]
    assert f"role {ROLE}, temporary credentials until 2" in run_program(command, recipository.folder, {})
    nowhere = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}
    assert "ConnectException" in run_program([java, source], recipository.folder, nowhere, fails=True)
