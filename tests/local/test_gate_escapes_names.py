"""Names and ARNs that the gate and the store behind it could read in two ways: each is refused, or asked about."""

from __future__ import annotations

from typing import Any

import pytest
from gate_errors import refusal

from gate_clients import Aws, allow, document

ACCOUNT = "123456789012"
PLACE = f"us-east-1:{ACCOUNT}"
CONTAINERS = [{"name": "app", "image": "app", "memory": 128}]
TRUST = document({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"})
WRONG = "InvalidParameterException"


def table_shape(name: str) -> dict[str, Any]:
    """The members that make a table."""
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def make_clusters(aws: Aws) -> Any:
    """The clusters `dev` and `prod`, each with a service `web` of a task definition that has a role; root's client."""
    aws.client("iam").create_role(RoleName="admin", AssumeRolePolicyDocument=TRUST)
    ecs = aws.client("ecs")
    role = f"arn:aws:iam::{ACCOUNT}:role/admin"
    ecs.register_task_definition(family="web", taskRoleArn=role, containerDefinitions=CONTAINERS)
    for name in ("dev", "prod"):
        ecs.create_cluster(clusterName=name)
        ecs.create_service(cluster=name, serviceName="web", taskDefinition="web", desiredCount=1)
    return ecs


def test_a_secret_is_what_its_whole_arn_says(aws: Aws) -> None:
    """An ARN with another name behind the allowed one does not give that other secret."""
    root = aws.client("secretsmanager")
    for name in ("app", "bank"):
        root.create_secret(Name=name, SecretString=name)
    mine = f"arn:aws:secretsmanager:{PLACE}:secret:app"
    keys = aws.user(allow("secretsmanager:*", f"{mine}*"))
    secrets = aws.client("secretsmanager", keys)
    assert secrets.get_secret_value(SecretId=mine)["SecretString"] == "app"
    assert refusal(secrets.get_secret_value, SecretId=f"{mine}:bank")[0] == WRONG
    assert refusal(secrets.batch_get_secret_value, SecretIdList=[f"{mine}:bank"])[0] in (WRONG, "AccessDeniedException")
    assert refusal(secrets.put_secret_value, SecretId=f"{mine}:secret:bank", SecretString="x")[0] == WRONG


def test_what_calls_itself_an_arn_and_is_none_is_refused(aws: Aws) -> None:
    """`arn:aws:x` is a refusal that is recorded like any other, in every service that takes ARNs."""
    texts: list[tuple[Any, dict[str, Any]]] = [
        (aws.client("secretsmanager").describe_secret, {"SecretId": "arn:aws:x"}),
        (aws.client("dynamodb").describe_table, {"TableName": "arn:aws:x"}),
        (aws.client("ecs").describe_clusters, {"clusters": ["arn:aws:x"]}),
        (aws.client("cloudtrail").list_tags, {"ResourceIdList": ["arn:aws:x"]}),
    ]
    for call, params in texts:
        assert refusal(call, **params)[2] == 400


def test_secrets_that_filters_find_are_not_given_unasked(aws: Aws) -> None:
    """A Deny on one secret holds for a batch, also for one that does not name its secrets."""
    aws.client("secretsmanager").create_secret(Name="bank", SecretString="gold")
    bank = f"arn:aws:secretsmanager:{PLACE}:secret:bank*"
    deny = {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": bank}
    secrets = aws.client("secretsmanager", aws.user(allow("secretsmanager:*", "*"), deny))
    assert refusal(secrets.batch_get_secret_value, SecretIdList=["bank"])[0] == "AccessDeniedException"
    filters = [{"Key": "name", "Values": ["b"]}]
    assert refusal(secrets.batch_get_secret_value, Filters=filters)[0] == "NotImplemented"


def test_every_place_that_a_message_names_is_asked_about(aws: Aws) -> None:
    """An allowed topic beside another target, or a phone number, does not open those."""
    sns = aws.client("sns")
    mine, other = (sns.create_topic(Name=name)["TopicArn"] for name in ("mine", "other"))
    client = aws.client("sns", aws.user(allow("sns:Publish", mine)))
    client.publish(TopicArn=mine, Message="a")
    client.publish(TargetArn=mine, Message="a")
    for more in ({"TargetArn": other}, {"PhoneNumber": "+15551234567"}):
        assert refusal(client.publish, TopicArn=mine, Message="a", **more)[0] == "AuthorizationError"


def test_a_table_does_not_take_the_name_of_another_s_arn(aws: Aws) -> None:
    """Who may create tables cannot put one in front of another that is called by its ARN."""
    root = aws.client("dynamodb")
    root.create_table(**table_shape("locks"))
    client = aws.client("dynamodb", aws.user(allow("dynamodb:CreateTable", "*")))
    for name in (f"arn:aws:dynamodb:{PLACE}:table/locks", "a/locks", "x:y"):
        assert refusal(client.create_table, **table_shape(name))[0] == "ValidationException"
    assert root.list_tables()["TableNames"] == ["locks"]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("describe_clusters", {"clusters": ["dev/prod"]}),
        ("describe_clusters", {"clusters": [f"arn:aws:ecs:{PLACE}:cluster/dev/prod"]}),
        ("describe_services", {"cluster": "prod", "services": ["dev/web"]}),
        ("describe_services", {"cluster": "prod", "services": [f"arn:aws:ecs:{PLACE}:service/dev/web"]}),
        ("describe_services", {"cluster": "prod", "services": [f"arn:aws:ecs:{PLACE}:service/dev-web"]}),
        ("update_service", {"cluster": "prod", "service": f"arn:aws:ecs:{PLACE}:service/dev/web", "desiredCount": 0}),
        (
            "tag_resource",
            {"resourceArn": f"arn:aws:ecs:{PLACE}:cluster/dev/prod", "tags": [{"key": "a", "value": "b"}]},
        ),
        ("list_tags_for_resource", {"resourceArn": f"arn:aws:ecs:{PLACE}:cluster/dev/prod"}),
    ],
)
def test_a_cluster_is_not_reached_by_the_name_of_another(aws: Aws, operation: str, params: dict[str, Any]) -> None:
    """What begins like the allowed cluster and ends like another one is refused."""
    ecs = make_clusters(aws)
    client = aws.client("ecs", aws.user(allow("ecs:*", f"arn:aws:ecs:{PLACE}:*/dev*")))
    assert client.describe_services(cluster="dev", services=["web"])["services"]
    code, message, _ = refusal(getattr(client, operation), **params)
    assert (code, "Keyhole" in message) == (WRONG, False)
    assert ecs.describe_services(cluster="prod", services=["web"])["services"][0]["desiredCount"] == 1
    assert not ecs.list_tags_for_resource(resourceArn=f"arn:aws:ecs:{PLACE}:cluster/prod").get("tags")


@pytest.mark.parametrize("name", ["x/web:1", f"arn:aws:ecs:{PLACE}:task-definition/x/web:1", "x/web"])
def test_a_task_definition_in_disguise_passes_no_role(aws: Aws, name: str) -> None:
    """Whose role would be passed must be found, or nothing is started."""
    make_clusters(aws)
    actions = ["ecs:RunTask", "ecs:CreateService", "ecs:UpdateService"]
    client = aws.client("ecs", aws.user(allow(actions, "*")))
    assert refusal(client.update_service, cluster="dev", service="web", taskDefinition="web")[0] == (
        "AccessDeniedException"
    )
    assert refusal(client.run_task, cluster="dev", taskDefinition=name)[0] == WRONG
    assert refusal(client.create_service, cluster="dev", serviceName="s", taskDefinition=name)[0] == WRONG
    assert refusal(client.update_service, cluster="dev", service="web", taskDefinition=name)[0] == WRONG


def test_new_things_of_ecs_have_names_that_are_none_of_others(aws: Aws) -> None:
    """A slash in a name would make an ARN that is something else's."""
    ecs = make_clusters(aws)
    assert refusal(ecs.create_cluster, clusterName="a/b")[0] == WRONG
    assert refusal(ecs.register_task_definition, family="a/b", containerDefinitions=CONTAINERS)[0] == WRONG
    assert refusal(ecs.create_service, cluster="dev", serviceName="a/b", taskDefinition="web")[0] == WRONG
