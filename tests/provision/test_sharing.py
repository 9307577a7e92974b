"""Apps of one account that share GitHub's OIDC provider, and users that are not ours, against the local AWS."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.blueprint import Blueprint
from keyhole.errors import AwsError, KeyholeError
from keyhole.provision import Verb, apply_plan, plan_down, plan_up, take_snapshot
from local_story import AccountFactory, blueprint_of, down, inventory, plan, up

ARN = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
TEXT = """\
[app]
name = "{name}"
region = "ap-northeast-2"
[workloads.ci]
kind = "github-actions"
repository = "acme/infra"
branch = "main"
"""


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account()


@pytest.fixture
def shop(tmp_path: Path) -> Blueprint:
    return app(tmp_path, "shop")


@pytest.fixture
def blog(tmp_path: Path) -> Blueprint:
    return app(tmp_path, "blog")


def app(folder: Path, name: str) -> Blueprint:
    file = folder / f"{name}.toml"
    file.write_text(TEXT.format(name=name), "utf-8")
    return blueprint_of(file)


def owner(aws: BotocoreAws) -> str:
    provider = aws.call("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=ARN)
    return next((str(tag["Value"]) for tag in provider.get("Tags", ()) if tag["Key"] == "keyhole:app"), "")


@pytest.mark.parametrize("first_to_go", ["the owner", "the guest"])
def test_two_apps_share_it_and_the_last_takes_it_along(
    aws: BotocoreAws, shop: Blueprint, blog: Blueprint, first_to_go: str
) -> None:
    """Whichever goes first, the other's jobs go on; when both are gone, nothing is left."""
    assert up(aws, shop).is_complete
    assert up(aws, blog).is_complete
    assert owner(aws) == "shop"
    assert plan(aws, blog).is_empty
    first, last = (shop, blog) if first_to_go == "the owner" else (blog, shop)
    assert down(aws, first).is_complete
    assert inventory(aws)["providers"] == [ARN]
    assert owner(aws) == last.scope.app
    assert plan(aws, last).is_empty
    assert down(aws, last).is_complete
    assert not any(inventory(aws).values())


def test_the_plan_says_why_it_stays(aws: BotocoreAws, shop: Blueprint, blog: Blueprint) -> None:
    """Going down, the owner's plan names the heir, and the guest's plan the owner; neither deletes it."""
    assert up(aws, shop).is_complete
    assert up(aws, blog).is_complete
    change = down_change(aws, shop)
    assert change.verb is Verb.UPDATE
    assert change.calls[0].why == "it stays, handed over to app blog (default): it is trusted by blog-ci"
    change = down_change(aws, blog)
    assert change.verb is Verb.KEEP
    assert change.note == "shared by the whole account, and it belongs to `shop` (default): it stays"


def down_change(aws: BotocoreAws, blueprint: Blueprint) -> Any:
    planned = plan_down(blueprint, take_snapshot(aws, blueprint, only_ours=True))
    return next(change for change in planned.changes if change.address == "oidc-provider.github")


def test_one_that_was_there_before_is_used_and_left(aws: BotocoreAws, shop: Blueprint) -> None:
    """Made by someone else: the audience is added if it lacks; tags and other audiences stay, and so does it."""
    tags = [{"Key": "team", "Value": "platform"}]
    aws.call(
        "iam",
        "CreateOpenIDConnectProvider",
        Url="https://token.actions.githubusercontent.com",
        ClientIDList=["https://github.com/acme"],
        Tags=tags,
    )
    assert up(aws, shop).is_complete
    assert plan(aws, shop).is_empty
    assert down(aws, shop).is_complete
    left = aws.call("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=ARN)
    assert left["ClientIDList"] == ["https://github.com/acme", "sts.amazonaws.com"]
    assert left["Tags"] == tags


def test_it_stays_for_a_role_of_someone_else(aws: BotocoreAws, shop: Blueprint) -> None:
    """A role that a person made meanwhile goes on working; nothing of ours is left on the provider."""
    assert up(aws, shop).is_complete
    statement = {"Effect": "Allow", "Principal": {"Federated": ARN}, "Action": "sts:AssumeRoleWithWebIdentity"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.call("iam", "CreateRole", RoleName="other", AssumeRolePolicyDocument=document)
    assert down(aws, shop).is_complete
    assert (inventory(aws)["providers"], owner(aws)) == ([ARN], "")
    assert up(aws, shop).is_complete
    assert plan(aws, shop).is_empty
    assert down(aws, shop).is_complete
    assert (inventory(aws)["roles"], inventory(aws)["providers"]) == (["other"], [ARN])


def test_it_goes_with_the_last_workload_that_needs_it(aws: BotocoreAws, tmp_path: Path, shop: Blueprint) -> None:
    """A file without jobs of GitHub has no provider: the role goes first, then the provider."""
    assert up(aws, shop).is_complete
    file = tmp_path / "shop.toml"
    file.write_text(TEXT.format(name="shop").partition("[workloads")[0], "utf-8")
    assert up(aws, blueprint_of(file)).is_complete
    assert not any(inventory(aws).values())


def test_it_is_never_adopted(aws: BotocoreAws, shop: Blueprint) -> None:
    """`--adopt` would make others' provider ours: it says that there is no need."""
    aws.call("iam", "CreateOpenIDConnectProvider", Url="https://token.actions.githubusercontent.com")
    with pytest.raises(KeyholeError, match="is shared, and is never adopted"):
        plan_up(shop, take_snapshot(aws, shop), adopt=frozenset({"oidc-provider.github"}))


SERVER = '[app]\nname = "shop"\nregion = "ap-northeast-2"\n[workloads.web]\nkind = "access-key"\nuser_name = "U"\n'


def test_a_user_of_someone_else_is_refused_by_up_and_left_by_down(aws: BotocoreAws, tmp_path: Path) -> None:
    """The name only nominates: an untagged user of the name keeps its keys."""
    file = tmp_path / "keyhole.toml"
    file.write_text(SERVER, "utf-8")
    blueprint = blueprint_of(file)
    aws.call("iam", "CreateUser", UserName="U")
    aws.call("iam", "CreateAccessKey", UserName="U")
    refused = plan(aws, blueprint)
    assert [refusal.message for refusal in refused.refusals] == [
        "user `U` exists already and it lacks Keyhole's tag: it is not touched"
    ]
    assert down(aws, blueprint).is_complete
    assert len(aws.call("iam", "ListAccessKeys", UserName="U")["AccessKeyMetadata"]) == 1


def test_what_people_gave_a_user_is_drift_and_goes_with_it(aws: BotocoreAws, tmp_path: Path) -> None:
    """A group and a password are taken away by `up`; `down` deletes the user with its keys."""
    file = tmp_path / "keyhole.toml"
    file.write_text(SERVER, "utf-8")
    blueprint = blueprint_of(file)
    assert up(aws, blueprint).is_complete
    aws.call("iam", "CreateGroup", GroupName="admins")
    aws.call("iam", "AddUserToGroup", GroupName="admins", UserName="U")
    aws.call("iam", "CreateLoginProfile", UserName="U", Password="Correct-horse-9")
    aws.call("iam", "CreateAccessKey", UserName="U")
    drift = plan(aws, blueprint)
    assert [call.operation for change in drift.changes for call in change.calls] == [
        "RemoveUserFromGroup",
        "DeleteLoginProfile",
    ]
    assert apply_plan(drift, aws).is_complete
    assert plan(aws, blueprint).is_empty
    assert len(aws.call("iam", "ListAccessKeys", UserName="U")["AccessKeyMetadata"]) == 1
    assert down(aws, blueprint).is_complete
    assert inventory(aws)["users"] == []


BOUND = SERVER + 'boundary = true\ngrants = [{ bucket = "b", prefix = "in/", verbs = ["write"] }]\n[buckets.b]\n'


def test_a_boundary_holds_a_workload_to_its_grants_whatever_is_attached(aws: BotocoreAws, tmp_path: Path) -> None:
    """Full access that someone attaches gives nothing; what the file grants still works."""
    file = tmp_path / "keyhole.toml"
    file.write_text(BOUND, "utf-8")
    assert up(aws, blueprint_of(file)).is_complete
    wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    aws.call("iam", "PutUserPolicy", UserName="U", PolicyName="more", PolicyDocument=json.dumps(wide))
    key = aws.call("iam", "CreateAccessKey", UserName="U")["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    server = BotocoreAws(aws.region, credentials=credentials, endpoint_url=aws.endpoint_url, max_attempts=1)
    bucket = inventory(aws)["buckets"][0]
    server.call("s3", "PutObject", Bucket=bucket, Key="in/a", Body=b"a")
    with pytest.raises(AwsError, match="because no permissions boundary allows the s3:PutObject action"):
        server.call("s3", "PutObject", Bucket=bucket, Key="out/a", Body=b"a")


def test_plain_http_is_refused_and_tls_is_not(aws: BotocoreAws, tmp_path: Path) -> None:
    """A public object is read over TLS by everyone, and without it by nobody."""
    file = tmp_path / "keyhole.toml"
    file.write_text('[app]\nname = "shop"\nregion = "ap-northeast-2"\n[buckets.b]\npublic_read = [""]\n', "utf-8")
    assert up(aws, blueprint_of(file)).is_complete
    bucket = inventory(aws)["buckets"][0]
    aws.call("s3", "PutObject", Bucket=bucket, Key="a", Body=b"a")
    url = f"{aws.endpoint_url}/{bucket}/a"
    assert httpx.get(url).status_code == 200
    assert httpx.get(url, headers={"x-forwarded-proto": "http"}).status_code == 403
