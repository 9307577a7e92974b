"""The container agent: a task's credentials by relative and by full URI, its task role's and nobody else's."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.utils import ContainerMetadataFetcher
from gate_errors import fetch
from memory_backend import ACCOUNT, Clock, MemoryBackend, make_role, trust_of

from gate_clients import Aws
from keyhole.aws.container_credentials import fetch_container_credentials, run_local_task
from keyhole.errors import AwsError
from keyhole.local.container_credentials import ContainerAgent
from keyhole.local.ecs_tasks import EcsTasks, Task, TaskRefused
from keyhole.local.sessions import SessionStore
from keyhole.local.state import admin_token

ECS = "ecs-tasks.amazonaws.com"
REGION = "eu-west-1"


def conditional(**conditions: dict[str, str]) -> str:
    """A trust policy for ECS tasks under conditions."""
    document = json.loads(trust_of(ECS))
    document["Statement"][0]["Condition"] = conditions
    return json.dumps(document)


@dataclass
class Reply:
    status: int
    document: dict[str, Any]


class Bench:
    """A role that trusts ECS tasks, one that executes tasks, and an agent that is asked without a socket."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.backend = MemoryBackend()
        self.role = self.backend.add_role(make_role("app", trust=trust_of(ECS)))
        self.execution = self.backend.add_role(make_role("execution", trust=trust_of(ECS)))
        self.sessions = SessionStore(self.clock)
        self.tasks = EcsTasks(self.backend, self.sessions)
        self.agent = ContainerAgent(self.tasks)

    def start(self, **roles: str) -> Task:
        return self.tasks.start(ACCOUNT, REGION, **(roles or {"task_role_arn": self.role.arn}))

    def ask(self, path: str, method: str = "GET", **environ: str) -> Reply:
        """Make a request as a WSGI server hands it over."""
        started: list[str] = []
        request = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": "169.254.170.2", **environ}
        body = b"".join(self.agent(request, lambda status, _headers: started.append(status)))
        return Reply(int(started[0][:3]), json.loads(body))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def full_path(task: Task) -> str:
    return f"/v1/credentials/{task.task_id}"


def test_the_relative_uri_gives_the_task_roles_credentials(bench: Bench) -> None:
    """Who knows the id gets a session of the task role, named after the task, for six hours."""
    task = bench.start(task_role_arn=bench.role.arn, execution_role_arn=bench.execution.arn)
    reply = bench.ask(task.relative_uri)
    session = bench.sessions.find(reply.document["AccessKeyId"])
    assert reply.status == 200
    assert session is not None
    assert reply.document == {
        "RoleArn": bench.role.arn,
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "Token": session.session_token,
        "Expiration": "2031-05-17T18:30:00Z",
    }
    assert session.principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/{task.task_id}"
    assert task.arn == f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/default/{task.task_id}"


def test_the_full_uri_asks_for_exactly_the_token(bench: Bench) -> None:
    """Without a token it is 401, with any other 403, and only with the task's own are there credentials."""
    task, other = bench.start(), bench.start()
    assert bench.ask(full_path(task)).status == 401
    for wrong in ("", f"{task.token}x", task.token[:-1], f"Bearer {task.token}", task.token.lower(), other.token, "é"):
        assert bench.ask(full_path(task), HTTP_AUTHORIZATION=wrong).status == 403
    reply = bench.ask(full_path(task), HTTP_AUTHORIZATION=task.token)
    assert (reply.status, reply.document["RoleArn"]) == (200, bench.role.arn)


def test_both_uris_give_the_same_credentials(bench: Bench) -> None:
    """A task has one set of credentials at a time, another task another."""
    task = bench.start()
    by_id, by_token = bench.ask(task.relative_uri), bench.ask(full_path(task), HTTP_AUTHORIZATION=task.token)
    assert by_id == by_token
    assert bench.ask(bench.start().relative_uri).document["AccessKeyId"] != by_id.document["AccessKeyId"]


def test_credentials_are_renewed_before_they_end_and_the_old_ones_live_on(bench: Bench) -> None:
    """Half an hour before the end there are new ones; the old ones are good until theirs."""
    task = bench.start()
    first = bench.ask(task.relative_uri).document
    bench.clock.advance(hours=5, minutes=30)
    assert bench.ask(task.relative_uri).document == first
    bench.clock.advance(seconds=1)
    second = bench.ask(task.relative_uri).document
    assert second["AccessKeyId"] != first["AccessKeyId"]
    old = bench.sessions.find(first["AccessKeyId"])
    assert old is not None
    assert not old.is_expired(bench.clock())


def test_a_task_without_a_task_role_gets_nothing(bench: Bench) -> None:
    """The execution role is ECS's own: a task that has no other has no credentials."""
    task = bench.start(execution_role_arn=bench.execution.arn)
    reply = bench.ask(full_path(task), HTTP_AUTHORIZATION=task.token)
    assert (reply.status, reply.document["code"]) == (400, "NoCredentialsAssociated")
    assert "AccessKeyId" not in bench.ask(task.relative_uri).document


@pytest.mark.parametrize("name", ["task_role_arn", "execution_role_arn"])
@pytest.mark.parametrize(
    "trust",
    [
        trust_of("ec2.amazonaws.com"),
        trust_of("ecs.amazonaws.com"),
        "not json",
        conditional(StringEquals={"aws:SourceAccount": "999988887777"}),
        conditional(ArnLike={"aws:SourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:*"}),
        conditional(ArnLike={"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/default"}),
        conditional(StringEquals={"sts:ExternalId": "x"}),
    ],
    ids=["ec2", "ecs itself", "malformed", "another account", "another region", "a cluster", "external id"],
)
def test_ecs_starts_no_task_whose_role_it_may_not_assume(bench: Bench, name: str, trust: str) -> None:
    """Where the trust policy does not let ECS tasks of this account in, the task is refused in ECS's words."""
    role = bench.backend.add_role(make_role("closed", trust=trust))
    with pytest.raises(TaskRefused, match=r"^ECS was unable to assume the role '\S+/closed' that"):
        bench.start(**{name: role.arn})


def test_trust_that_is_bound_to_the_account_and_its_tasks_holds(bench: Bench) -> None:
    """The conditions that AWS's guide recommends are met: the account, and every task of it in the region."""
    trust = conditional(
        StringEquals={"aws:SourceAccount": ACCOUNT}, ArnLike={"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"}
    )
    role = bench.backend.add_role(make_role("bound", trust=trust))
    assert bench.ask(bench.start(task_role_arn=role.arn).relative_uri).status == 200


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{ACCOUNT}:role/none", f"arn:aws:iam::{ACCOUNT}:role/app"])
def test_a_role_is_named_by_its_whole_arn(bench: Bench, arn: str) -> None:
    """A role that is not there, or has another path, is none that ECS could assume."""
    with pytest.raises(TaskRefused):
        bench.start(task_role_arn=arn)


def test_a_task_cannot_have_the_role_of_another_account(bench: Bench) -> None:
    """The task's roles are those of its own account, whatever they trust."""
    with pytest.raises(TaskRefused):
        bench.tasks.start("999988887777", REGION, task_role_arn=bench.role.arn)


def test_a_trust_that_is_taken_away_stops_the_credentials(bench: Bench) -> None:
    """A running task is told why there are no credentials any more, and gets them again when there may be."""
    task = bench.start()
    bench.backend.add_role(make_role("app", trust=trust_of("ec2.amazonaws.com")))
    reply = bench.ask(task.relative_uri)
    assert (reply.status, reply.document["code"]) == (400, "NoCredentialsAssociated")
    assert "unable to assume the role" in reply.document["message"]
    bench.backend.add_role(bench.role)
    assert bench.ask(task.relative_uri).status == 200


def test_a_stopped_task_is_served_no_more(bench: Bench) -> None:
    """Once it has ended neither URI answers, nor its metadata."""
    task = bench.start()
    assert bench.tasks.stop(task.task_id)
    assert not bench.tasks.stop(task.task_id)
    assert bench.ask(task.relative_uri).document["code"] == "InvalidIdInRequest"
    assert bench.ask(full_path(task), HTTP_AUTHORIZATION=task.token).status == 403
    assert bench.ask(f"/v4/{task.task_id}/task").status == 404


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v2/credentials/", 400, "NoIdInRequest"),
        ("/v2/credentials/0d5b9f4e-0000-0000-0000-000000000000", 400, "InvalidIdInRequest"),
        ("/v2/credentials", 404, "NotFound"),
        ("/", 404, "NotFound"),
        ("/v4/none", 404, "NotFound"),
        ("/v3", 404, "NotFound"),
    ],
)
def test_what_is_not_there_is_refused_as_the_agent_does(bench: Bench, path: str, status: int, code: str) -> None:
    """An id that nobody has is 400 with the agent's code."""
    bench.start()
    reply = bench.ask(path)
    assert (reply.status, reply.document["code"]) == (status, code)


def test_the_task_id_is_not_the_credentials_id(bench: Bench) -> None:
    """What metadata and ARNs tell of a task does not open its credentials."""
    task = bench.start()
    assert bench.ask(f"/v2/credentials/{task.task_id}").status == 400
    metadata = json.dumps(bench.ask(f"/v4/{task.task_id}/task").document)
    assert task.credentials_id not in metadata
    assert task.token not in metadata
    assert task.token not in repr(task)


def test_metadata_name_the_task(bench: Bench) -> None:
    """Version 4's endpoints tell the cluster and the ARN, of the task and of its container."""
    task = bench.start()
    assert bench.ask(f"/v4/{task.task_id}/task").document["TaskARN"] == task.arn
    labels = bench.ask(f"/v4/{task.task_id}").document["Labels"]
    assert labels["com.amazonaws.ecs.cluster"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/default"


def test_only_get_and_only_by_the_agents_own_names(bench: Bench) -> None:
    """A rebound domain is 403, another method 405."""
    task = bench.start()
    assert bench.ask(task.relative_uri, HTTP_HOST="evil.example").status == 403
    assert bench.ask(task.relative_uri, "POST").status == 405


# On the wire, by the routes of a running local AWS.


@pytest.fixture
def role_arn(aws: Aws) -> str:
    arn: str = aws.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trust_of(ECS))["Role"]["Arn"]
    return arn


@pytest.fixture
def task(aws: Aws, role_arn: str) -> dict[str, str]:
    return post(aws, {"account": ACCOUNT, "region": "us-east-1", "task_role_arn": role_arn})[1]


def post(aws: Aws, document: object, token: str | None = None) -> tuple[int, dict[str, str]]:
    """Start a task by the admin route."""
    bearer = admin_token(aws.server._master) if token is None else token
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    request = urllib.request.Request(
        f"{aws.url}/_keyhole/tasks", data=data, method="POST", headers={"Authorization": f"Bearer {bearer}"}
    )
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class RelativeFetcher(ContainerMetadataFetcher):
    """botocore's own client, for an agent on another address than ECS's."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.IP_ADDRESS = base.removeprefix("http://")


def test_botocore_fetches_by_both_uris(aws: Aws, task: dict[str, str], role_arn: str) -> None:
    """botocore's fetcher gets the same credentials either way, and they work."""
    relative = RelativeFetcher(task["base"]).retrieve_uri(task["relative_uri"])
    found = fetch_container_credentials(task["full_uri"], task["token"])
    assert (found.role_arn, relative["AccessKeyId"]) == (role_arn, found.credentials.access_key_id)
    keys = found.credentials
    who = aws.client("sts", keys).get_caller_identity()["Arn"]  # type: ignore[arg-type]
    assert who == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/{task['task_id']}"


@pytest.mark.parametrize("token", ["", "x", "0" * 64])
def test_only_the_owner_of_the_local_aws_starts_tasks(aws: Aws, role_arn: str, token: str) -> None:
    """Without the token of the state file there is no task, whatever role is named."""
    status, answer = post(aws, {"account": ACCOUNT, "region": "us-east-1", "task_role_arn": role_arn}, token)
    assert (status, "token" in answer) == (401, False)


@pytest.mark.parametrize(
    "document",
    [
        b"{",
        b"[" * 100_000,
        [],
        {},
        {"account": ACCOUNT},
        {"account": 123456789012, "region": "us-east-1"},
        {"account": "12", "region": "us-east-1"},
        {"account": ACCOUNT, "region": "../.."},
        {"account": ACCOUNT, "region": "us-east-1", "task_role_arn": "app"},
        {"account": ACCOUNT, "region": "us-east-1", "role": "app"},
        {"account": ACCOUNT, "task_arn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/default/x"},
        {"task_arn": "x"},
    ],
)
def test_a_malformed_wish_is_a_client_error(aws: Aws, document: object) -> None:
    """What is not the JSON that is asked for is 400 with a reason."""
    status, answer = post(aws, document)
    assert (status, list(answer)) == (400, ["error"])


def test_a_task_without_a_role_is_told_of_no_credentials(aws: Aws) -> None:
    """As on ECS, its environment has none of the variables; metadata it has."""
    status, answer = post(aws, {"account": ACCOUNT, "region": "us-east-1"})
    assert status == 201
    assert {"full_uri", "relative_uri", "token"} & set(answer) == set()
    assert answer["metadata_uri"].startswith("http://127.0.0.1:")


def run_task(aws: Aws, **roles: str) -> str:
    """Have ECS itself run a task whose definition has these roles, and give its ARN."""
    ecs, ec2 = aws.client("ecs"), aws.client("ec2")
    ecs.create_cluster(clusterName="shop")
    container = {"name": "app", "image": "app", "memory": 128}
    size = {"cpu": "256", "memory": "512"}
    definition = ecs.register_task_definition(
        family="app",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=[container],
        **size,
        **roles,
    )["taskDefinition"]["taskDefinitionArn"]
    network = {"awsvpcConfiguration": {"subnets": [ec2.describe_subnets()["Subnets"][0]["SubnetId"]]}}
    answer = ecs.run_task(cluster="shop", taskDefinition=definition, launchType="FARGATE", networkConfiguration=network)
    arn: str = answer["tasks"][0]["taskArn"]
    return arn


def test_a_task_of_run_task_has_its_definitions_roles(aws: Aws, role_arn: str) -> None:
    """The agent serves the task role of a task that ECS runs, and nothing more once StopTask has ended it."""
    trust = trust_of(ECS)
    execution = aws.client("iam").create_role(RoleName="execution", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    arn = run_task(aws, taskRoleArn=role_arn, executionRoleArn=execution)
    status, answer = post(aws, {"task_arn": arn})
    assert (status, answer["task_arn"], answer["task_id"]) == (201, arn, arn.rsplit("/", 1)[-1])
    assert post(aws, {"task_arn": arn}) == (status, answer)
    found = RelativeFetcher(answer["base"]).retrieve_uri(answer["relative_uri"])
    assert found["RoleArn"] == role_arn
    aws.client("ecs").stop_task(cluster="shop", task=arn)
    assert fetch(f"{answer['base']}{answer['relative_uri']}")[0] == 400
    assert post(aws, {"task_arn": arn})[0] == 409


def test_a_task_of_run_task_without_a_task_role_has_no_credentials(aws: Aws, role_arn: str) -> None:
    """Its execution role is never what its container gets."""
    arn = run_task(aws, executionRoleArn=role_arn)
    status, answer = post(aws, {"task_arn": arn})
    assert (status, "full_uri" in answer) == (201, False)


def test_a_task_lasts_as_long_as_its_block(aws: Aws, role_arn: str) -> None:
    """`run_local_task` stops it in the end, and its credentials are not served any more."""
    token = admin_token(aws.server._master)
    with run_local_task(aws.url, token, account=ACCOUNT, region="us-east-1", task_role_arn=role_arn) as running:
        assert fetch_container_credentials(running.full_uri, running.token).role_arn == role_arn
        assert running.token not in repr(running)
    assert aws.server._tasks.tasks.find(running.task_arn.rsplit("/", 1)[-1]) is None


def test_a_role_that_cannot_be_assumed_is_said_to_the_client(aws: Aws) -> None:
    """The client's error has ECS's sentence."""
    trust = trust_of("ec2.amazonaws.com")
    arn = aws.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    started = run_local_task(
        aws.url, admin_token(aws.server._master), account=ACCOUNT, region="us-east-1", task_role_arn=arn
    )
    with pytest.raises(AwsError, match="ECS was unable to assume the role"), started:
        pytest.fail("it was started")


def test_a_reset_ends_tasks_and_agent(aws: Aws, task: dict[str, str]) -> None:
    """After a reset nobody listens for the tasks of before."""
    aws.server.reset()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(task["metadata_uri"], timeout=5)


def test_nobody_elses_machine_is_asked() -> None:
    """The token of a local AWS is sent to this machine only."""
    with (
        pytest.raises(AwsError, match="is not on this machine"),
        run_local_task("https://ecs.eu-west-1.amazonaws.com", "x", account=ACCOUNT, region=REGION, task_role_arn=""),
    ):
        pytest.fail("it was asked")
