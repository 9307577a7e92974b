"""What several tests tell of an app in a local AWS: its instance, its plan, applying it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from keyhole.aws import Aws
from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint, build_blueprint
from keyhole.provision import Applied, Plan, apply_plan, plan_down, plan_up, take_snapshot
from keyhole.spec import load_spec

AccountFactory = Callable[..., BotocoreAws]
INSTANCE = "ai-image-community-api"


def run_instance(aws: Aws, name: str = INSTANCE) -> str:
    """Run an EC2 instance with this Name tag, and give its id."""
    linux = [{"Name": "name", "Values": ["al2023-ami-2023.*-kernel-6.1-x86_64"]}]
    image = aws.call("ec2", "DescribeImages", Owners=["amazon"], Filters=linux)["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
    answer = aws.call("ec2", "RunInstances", ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tags)
    return str(answer["Instances"][0]["InstanceId"])


def blueprint_of(file: Path, account: str = "123456789012", environment: str = "") -> Blueprint:
    return build_blueprint(load_spec(file, environment), account)


def plan(aws: Aws, blueprint: Blueprint) -> Plan:
    return plan_up(blueprint, take_snapshot(aws, blueprint))


def up(aws: Aws, blueprint: Blueprint) -> Applied:
    return apply_plan(plan(aws, blueprint), aws)


def down(aws: Aws, blueprint: Blueprint, *, empty: bool = False) -> Applied:
    snapshot = take_snapshot(aws, blueprint, only_ours=True)
    return apply_plan(plan_down(blueprint, snapshot, empty=empty), aws)


def inventory(aws: Aws) -> dict[str, list[str]]:
    """Give the names of everything in the account that Keyhole could have made, asked of AWS itself."""
    return {
        "buckets": [item["Name"] for item in aws.call("s3", "ListBuckets")["Buckets"]],
        "roles": [item["RoleName"] for item in aws.pages("iam", "ListRoles", "Roles")],
        "policies": [item["PolicyName"] for item in aws.pages("iam", "ListPolicies", "Policies", Scope="Local")],
        "profiles": [
            item["InstanceProfileName"] for item in aws.pages("iam", "ListInstanceProfiles", "InstanceProfiles")
        ],
        "users": [item["UserName"] for item in aws.pages("iam", "ListUsers", "Users")],
        "providers": [
            item["Arn"] for item in aws.call("iam", "ListOpenIDConnectProviders")["OpenIDConnectProviderList"]
        ],
        "tables": aws.call("dynamodb", "ListTables")["TableNames"],
        "topics": [item["TopicArn"] for item in aws.pages("sns", "ListTopics", "Topics")],
        "alarms": [item["AlarmName"] for item in aws.call("cloudwatch", "DescribeAlarms")["MetricAlarms"]],
        "trails": [item["Name"] for item in aws.pages("cloudtrail", "ListTrails", "Trails")],
        "associations": [
            item["AssociationId"]
            for item in aws.pages("ec2", "DescribeIamInstanceProfileAssociations", "IamInstanceProfileAssociations")
        ],
    }
