"""DynamoDB, CloudWatch, SNS, CloudTrail, Secrets Manager and ECS through the gate, as users that may do little."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from gate_errors import refusal
from gate_wire import FORM, send, sign
from sample_calls import sample_call

from gate_clients import Aws, allow, document
from keyhole.local.actions import find_row
from keyhole.local.root_keys import Credentials
from keyhole.local.service_models import service_model

ACCOUNT = "123456789012"
PLACE = f"us-east-1:{ACCOUNT}"
TASKS_TRUST = document(
    {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
)


def make_table(aws: Aws, name: str = "locks", **more: Any) -> str:
    """A table with the partition key LockID, as Terraform's lock tables are; its ARN."""
    made = aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )
    return str(made["TableDescription"]["TableArn"])


def user_arn(aws: Aws, keys: Credentials) -> str:
    return str(aws.client("sts", keys).get_caller_identity()["Arn"])


def test_dynamodb_denies_in_json(aws: Aws) -> None:
    """The code is AccessDeniedException with status 400, the sentence AWS's, and the body JSON 1.0."""
    arn = make_table(aws)
    keys = aws.user()
    call = aws.client("dynamodb", keys).get_item
    code, message, status = refusal(call, TableName="locks", Key={"LockID": {"S": "a"}})
    assert (code, status) == ("AccessDeniedException", 400)
    assert message == (
        f"User: {user_arn(aws, keys)} is not authorized to perform: dynamodb:GetItem on resource: {arn} because no "
        "identity-based policy allows the dynamodb:GetItem action"
    )
    headers: Any = {"x_amz_target": "DynamoDB_20120810.ListTables", "content_type": "application/x-amz-json-1.0"}
    signed = sign(aws, "POST", "/", b"{}", who=keys, service="dynamodb", **headers)
    status, body = send(aws, "POST", "/", b"{}", signed)
    assert (status, json.loads(body)["__type"]) == (400, "AccessDeniedException")


def test_dynamodb_items_by_their_leading_keys(aws: Aws) -> None:
    """Who may touch the items of one key only can read, query and write those, alone and in transactions."""
    arn = make_table(aws)
    actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"]
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ann"]}}
    table = aws.client("dynamodb", aws.user(allow(actions[:3], arn, Condition=own)))
    table.put_item(TableName="locks", Item={"LockID": {"S": "ann"}, "raw": {"B": b"\x00"}})
    found = table.get_item(TableName=arn, Key={"LockID": {"S": "ann"}})["Item"]
    assert found["raw"]["B"] == b"\x00"
    query = {"TableName": "locks", "KeyConditionExpression": "LockID = :v"}
    assert table.query(**query, ExpressionAttributeValues={":v": {"S": "ann"}})["Count"] == 1
    denied = "AccessDeniedException"
    assert refusal(table.get_item, TableName="locks", Key={"LockID": {"S": "bob"}})[0] == denied
    assert refusal(table.query, **query, ExpressionAttributeValues={":v": {"S": "bob"}})[0] == denied
    assert refusal(table.scan, TableName="locks")[0] == denied
    puts = [{"Put": {"TableName": "locks", "Item": {"LockID": {"S": name}}}} for name in ("ann", "bob")]
    table.transact_write_items(TransactItems=puts[:1])
    assert refusal(table.transact_write_items, TransactItems=puts)[0] == denied


def test_a_table_s_tags_and_policy_count(aws: Aws) -> None:
    """aws:ResourceTag is the table's; its policy lets in who is named there; a new table of the name has neither."""
    arn = make_table(aws, Tags=[{"Key": "team", "Value": "a"}])
    dynamodb = aws.client("dynamodb")
    tagged = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    by_tag = aws.client("dynamodb", aws.user(allow("dynamodb:DescribeTable", "*", Condition=tagged)))
    by_tag.describe_table(TableName="locks")
    keys = aws.user()
    statement = {"Principal": {"AWS": user_arn(aws, keys)}, **allow("dynamodb:DescribeTable", arn)}
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=document(statement))
    by_policy = aws.client("dynamodb", keys)
    by_policy.describe_table(TableName="locks")
    dynamodb.delete_table(TableName="locks")
    make_table(aws)
    for client in (by_tag, by_policy):
        assert refusal(client.describe_table, TableName="locks")[0] == "AccessDeniedException"


def test_cloudwatch_in_the_three_protocols_that_it_speaks(aws: Aws) -> None:
    """CBOR as today's SDKs send it, JSON and the query protocol: the same call, and the same denial in each."""
    only_ours = {"StringEquals": {"cloudwatch:namespace": "ours"}}
    keys = aws.user(allow("cloudwatch:PutMetricData", "*", Condition=only_ours))
    cloudwatch = aws.client("cloudwatch", keys)
    datum = {"MetricName": "m", "Value": 1.5, "Timestamp": 1_700_000_000}
    cloudwatch.put_metric_data(Namespace="ours", MetricData=[datum])
    code, message, status = refusal(cloudwatch.put_metric_data, Namespace="theirs", MetricData=[datum])
    assert (code, status) == ("AccessDenied", 403)
    assert "is not authorized to perform: cloudwatch:PutMetricData" in message
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace="ours", MetricName="m", StartTime=1_699_999_000, EndTime=1_700_001_000, Period=60, Statistics=["Sum"]
    )["Datapoints"]
    assert [(point["Sum"], point["Timestamp"].timestamp()) for point in points] == [(1.5, 1_699_999_980 + 20)]

    target: Any = {
        "x_amz_target": "GraniteServiceVersion20100801.PutMetricData",
        "content_type": "application/x-amz-json-1.0",
    }
    for namespace, expected in (("ours", 200), ("theirs", 403)):
        data = json.dumps({"Namespace": namespace, "MetricData": [{"MetricName": "m", "Value": 1}]}).encode()
        answer = send(aws, "POST", "/", data, sign(aws, "POST", "/", data, who=keys, service="monitoring", **target))
        assert answer[0] == expected
        form = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": namespace}
        data = urlencode({**form, "MetricData.member.1.MetricName": "m", "MetricData.member.1.Value": "1"}).encode()
        signed = sign(aws, "POST", "/", data, who=keys, service="monitoring", content_type=FORM)
        status, body = send(aws, "POST", "/", data, signed)
        assert status == expected
        assert (b"<Code>AccessDenied</Code>" in body) == (expected == 403)


def test_alarms_are_tagged_and_described_by_name(aws: Aws) -> None:
    """Tags at creation need the permission to tag; a description that names an alarm is asked of that alarm."""
    alarm = {
        "AlarmName": "high",
        "Namespace": "ours",
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    tags = [{"Key": "team", "Value": "a"}]
    arn = f"arn:aws:cloudwatch:{PLACE}:alarm:high"
    keys = aws.user(allow(["cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms"], arn))
    cloudwatch = aws.client("cloudwatch", keys)
    assert "cloudwatch:TagResource" in refusal(cloudwatch.put_metric_alarm, **alarm, Tags=tags)[1]
    cloudwatch.put_metric_alarm(**alarm)
    assert cloudwatch.describe_alarms(AlarmNames=["high"])["MetricAlarms"][0]["Threshold"] == 1.0
    assert refusal(cloudwatch.describe_alarms)[0] == "AccessDenied"
    wrong = {**alarm, "ComparisonOperator": "Larger"}
    code, message, _ = refusal(aws.client("cloudwatch").put_metric_alarm, **wrong)
    assert code == "ValidationError"
    assert message.startswith("1 validation error detected: Value 'Larger' at 'comparisonOperator' failed to satisfy")


def test_sns_says_authorization_error(aws: Aws) -> None:
    """SNS has a code of its own for denials, and writes its actions in capitals; the topic's policy counts."""
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    keys = aws.user(allow("sns:Subscribe", topic, Condition={"StringEquals": {"sns:Protocol": "https"}}))
    client = aws.client("sns", keys)
    code, message, status = refusal(client.publish, TopicArn=topic, Message="x")
    assert (code, status) == ("AuthorizationError", 403)
    assert message.endswith("because no identity-based policy allows the SNS:Publish action")
    assert "AuthorizationError" in refusal(client.subscribe, TopicArn=topic, Protocol="email", Endpoint="a@b.example")
    policy = document({"Principal": {"AWS": user_arn(aws, keys)}, **allow("sns:Publish", topic)})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    client.publish(TopicArn=topic, Message="x")


def test_a_topic_is_shared_with_another_account_by_its_policy(aws: Aws) -> None:
    """The other account's root may publish once the topic's policy says so, and the message arrives in the topic's."""
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    stranger = aws.client("sns", aws.server.root_credentials("999988887777"))
    assert refusal(stranger.publish, TopicArn=topic, Message="x")[0] == "AuthorizationError"
    policy = document({"Principal": {"AWS": "999988887777"}, **allow("sns:Publish", topic)})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    stranger.publish(TopicArn=topic, Message="x")
    assert refusal(stranger.delete_topic, TopicArn=topic)[0] == "AuthorizationError"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("{", "Invalid parameter: Policy Error: null"),
        (
            document({"Principal": "*", **allow("s3:GetObject", "*")}),
            "Invalid parameter: Policy statement action out of service scope!",
        ),
        (
            document({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}, **allow("sns:Publish", "*")}),
            "Invalid parameter: Policy Error: PrincipalNotFound",
        ),
    ],
)
def test_topic_policies_are_checked_when_put(aws: Aws, policy: str, message: str) -> None:
    """SNS refuses what it cannot read, actions of others, and principals that are not there."""
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    call = {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": policy}
    assert refusal(sns.set_topic_attributes, **call) == ("InvalidParameter", message, 400)


def test_secrets_by_name_and_by_arn(aws: Aws) -> None:
    """Six wildcards after the name fit the secret however it is named; its tags and the version's stage count."""
    secrets = aws.client("secretsmanager")
    arn = secrets.create_secret(Name="app/db", SecretString="pw", Tags=[{"Key": "team", "Value": "a"}])["ARN"]
    pattern = f"arn:aws:secretsmanager:{PLACE}:secret:app/db-??????"
    conditions = {"StringEquals": {"secretsmanager:ResourceTag/team": "a", "secretsmanager:VersionStage": "AWSCURRENT"}}
    client = aws.client(
        "secretsmanager", aws.user(allow("secretsmanager:GetSecretValue", pattern, Condition=conditions))
    )
    for name in ("app/db", arn, arn[:-7]):
        assert client.get_secret_value(SecretId=name)["SecretString"] == "pw"
    denied = "AccessDeniedException"
    assert refusal(client.get_secret_value, SecretId="app/db", VersionStage="AWSPREVIOUS")[0] == denied
    assert refusal(client.get_secret_value, SecretId="app/other")[0] == denied
    assert refusal(client.batch_get_secret_value, SecretIdList=["app/db"])[0] == denied
    secrets.untag_resource(SecretId="app/db", TagKeys=["team"])
    assert refusal(client.get_secret_value, SecretId="app/db")[0] == denied


def test_secret_policies_are_checked_and_count(aws: Aws) -> None:
    """What is malformed is not stored, what is public is refused where that is asked for; the rest decides."""
    secrets = aws.client("secretsmanager")
    arn = secrets.create_secret(Name="app", SecretString="pw")["ARN"]
    put = secrets.put_resource_policy
    assert refusal(put, SecretId="app", ResourcePolicy="{")[0] == "MalformedPolicyDocumentException"
    public = document({"Principal": "*", **allow("secretsmanager:GetSecretValue", "*")})
    assert refusal(put, SecretId="app", ResourcePolicy=public, BlockPublicPolicy=True)[0] == "PublicPolicyException"
    keys = aws.user()
    client = aws.client("secretsmanager", keys)
    named = document({"Principal": {"AWS": user_arn(aws, keys)}, **allow("secretsmanager:GetSecretValue", "*")})
    put(SecretId="app", ResourcePolicy=named)
    assert client.get_secret_value(SecretId=arn)["SecretString"] == "pw"
    assert refusal(secrets.create_secret, Name="a b", SecretString="x")[0] == "ValidationException"


def test_trails_pass_roles_and_have_tags(aws: Aws) -> None:
    """A trail that writes to CloudWatch Logs is passed a role; tags are those of TagsList."""
    bucket = aws.bucket()
    arn = f"arn:aws:cloudtrail:{PLACE}:trail/audit"
    tagged = {"StringEquals": {"aws:RequestTag/team": "a"}}
    keys = aws.user(
        allow(["cloudtrail:CreateTrail", "cloudtrail:AddTags"], arn, Condition=tagged),
        allow("cloudtrail:GetTrail", "*", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}}),
    )
    trails = aws.client("cloudtrail", keys)
    trail: dict[str, Any] = {"Name": "audit", "S3BucketName": bucket}
    assert refusal(trails.create_trail, **trail)[0] == "AccessDeniedException"
    trail["TagsList"] = [{"Key": "team", "Value": "a"}]
    logs = {
        "CloudWatchLogsRoleArn": f"arn:aws:iam::{ACCOUNT}:role/logs",
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{PLACE}:log-group:audit:*",
    }
    assert "iam:PassRole" in refusal(trails.create_trail, **trail, **logs)[1]
    trails.create_trail(**trail)
    assert trails.get_trail(Name="audit")["Trail"]["TrailARN"] == arn
    assert refusal(trails.get_trail_status, Name=arn)[0] == "AccessDeniedException"


def test_tasks_run_with_roles_that_one_may_pass(aws: Aws) -> None:
    """Registering, running and serving a task all pass its roles, in the cluster that the policy names."""
    role = aws.client("iam").create_role(RoleName="task", AssumeRolePolicyDocument=TASKS_TRUST)["Role"]["Arn"]
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="main")
    task = {
        "family": "web",
        "taskRoleArn": role,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "web", "image": "web"}],
    }
    subnet = aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    run = {
        "cluster": "main",
        "taskDefinition": "web",
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet]}},
    }
    without = aws.client("ecs", aws.user(allow("ecs:*", "*")))
    code, message, status = refusal(without.register_task_definition, **task)
    assert (code, status) == ("AccessDeniedException", 400)
    assert f"iam:PassRole on resource: {role}" in message
    ecs.register_task_definition(**task)
    assert f"iam:PassRole on resource: {role}" in refusal(without.run_task, **run)[1]
    passing = allow(
        "iam:PassRole", role, Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    )
    in_main = {"ArnEquals": {"ecs:cluster": f"arn:aws:ecs:{PLACE}:cluster/main"}}
    definition = f"arn:aws:ecs:{PLACE}:task-definition/web:1"
    client = aws.client("ecs", aws.user(allow("ecs:RunTask", definition, Condition=in_main), passing))
    assert len(client.run_task(**run)["tasks"]) == 1
    assert refusal(client.run_task, **{**run, "cluster": "other"})[0] == "AccessDeniedException"
    service = {**run, "serviceName": "web", "desiredCount": 1}
    assert ecs.create_service(**service)["service"]["taskDefinition"] == definition
    (described,) = ecs.describe_services(cluster="main", services=["web"])["services"]
    assert described["availabilityZoneRebalancing"] == "DISABLED"
    ecs.update_service(cluster="main", service="web", availabilityZoneRebalancing="ENABLED")
    (described,) = ecs.describe_services(cluster="main", services=["web"])["services"]
    assert described["availabilityZoneRebalancing"] == "ENABLED"
    assert refusal(ecs.run_task, **{**run, "cluster": "other"})[0] == "ClusterNotFoundException"


@pytest.mark.parametrize(
    "body",
    [b"[]", b'"x"', b"{", b'{"TableName": 1}', b'{"Key": []}', b'{"Limit": true}', b'{"TableName": NaN}', b"\xff"],
)
def test_json_that_is_no_input_is_a_serialization_error(aws: Aws, body: bytes) -> None:
    """Members of another type than their shape's are refused before anything is decided."""
    target: Any = {"x_amz_target": "DynamoDB_20120810.Scan", "content_type": "application/x-amz-json-1.0"}
    if b"Key" in body:
        target["x_amz_target"] = "DynamoDB_20120810.GetItem"
    status, answer = send(aws, "POST", "/", body, sign(aws, "POST", "/", body, service="dynamodb", **target))
    assert (status, json.loads(answer)["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("service", ["dynamodb", "cloudwatch", "sns", "cloudtrail", "secretsmanager", "ecs"])
def test_no_authorized_call_ends_in_a_server_error(aws: Aws, service: str) -> None:
    """Whatever is in a call that its model allows, the answer is one that AWS could give, or 501."""
    client = aws.client(service, parameter_validation=False)
    statuses = set()
    for operation in service_model(service).operation_names:
        for only_required in (True, False):
            if find_row(service, operation) is not None:
                params = dict(sample_call(service, operation, only_required=only_required).params)
                statuses.add(status_of(client, operation, params))
    assert {200, 400} <= statuses
    assert not {status for status in statuses if status >= 500} - {501}


def status_of(client: Any, operation: str, params: dict[str, Any]) -> int:
    """The HTTP status of a call, however it ends."""
    try:
        answer = client._make_api_call(operation, params)
    except client.exceptions.ClientError as error:
        answer = error.response
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])
