"""An access key is made, handed over, kept, mended and taken away, against the local AWS; broken off at any point."""

import json
from pathlib import Path

import pytest

from key_story import EVERYWHERE, app_with, key_ids, key_in, state_of, works
from keyhole.aws.client import BotocoreAws
from keyhole.errors import KeyholeError
from keyhole.provision import apply_plan, plan_down, take_snapshot
from keyhole.resources import secret
from local_story import AccountFactory, down, inventory, plan, up
from recording_aws import BreakingAws


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


def kinds_left(aws: BotocoreAws) -> list[str]:
    left = [kind for kind, names in inventory(aws).items() if names]
    return left + [item["Name"] for item in aws.pages("secretsmanager", "ListSecrets", "SecretList")]


def test_a_key_is_in_every_place_and_leaves_every_place(aws: BotocoreAws, tmp_path: Path) -> None:
    """Env file, TOML, CSV and secret have one and the same key, a second run changes nothing, `down` leaves nothing."""
    app = app_with(tmp_path, EVERYWHERE)
    assert up(aws, app).is_complete
    assert {state.key_id for state in state_of(aws, app).places} == set(key_ids(aws))
    assert works(aws, tmp_path)
    value = json.loads(aws.call("secretsmanager", "GetSecretValue", SecretId="masks/key")["SecretString"])
    assert (value["AWS_ACCESS_KEY_ID"], value["AWS_SECRET_ACCESS_KEY"]) == key_in(tmp_path)
    assert plan(aws, app).is_empty
    assert down(aws, app).is_complete
    assert kinds_left(aws) == []
    assert [path.name for path in tmp_path.iterdir()] == ["keyhole.toml"]


@pytest.mark.parametrize("survived", range(1, 9))
def test_an_up_that_breaks_at_any_call_converges(aws: BotocoreAws, tmp_path: Path, survived: int) -> None:
    """A key whose secret was lost is replaced at the next run, and one works; of two keys there are never more."""
    app = app_with(tmp_path, EVERYWHERE)
    apply_plan(plan(aws, app), BreakingAws(aws, survived + 4))
    assert up(aws, app).is_complete
    assert (len(key_ids(aws)), works(aws, tmp_path), plan(aws, app).is_empty) == (1, True, True)


def test_two_keys_of_which_nobody_has_the_secret_make_room_for_one(aws: BotocoreAws, tmp_path: Path) -> None:
    """Two runs died right after making a key: both keys go."""
    app = app_with(tmp_path)
    assert up(aws, app).is_complete
    (tmp_path / "app.env").unlink()
    lost = [*key_ids(aws), aws.call("iam", "CreateAccessKey", UserName="up")["AccessKey"]["AccessKeyId"]]
    assert up(aws, app).is_complete
    assert (len(key_ids(aws)), set(key_ids(aws)) & set(lost), works(aws, tmp_path)) == (1, set(), True)


def test_a_key_that_cannot_be_handed_over_is_deleted_again(aws: BotocoreAws, tmp_path: Path) -> None:
    """The folder becomes unwritable after the plan: no key is left, no place is half done, and the error says it."""
    folder = tmp_path / "out"
    folder.mkdir()
    app = app_with(tmp_path, 'env_file = "app.env"\ntoml_file = "out/app.toml"\n')
    planned = plan(aws, app)
    folder.rmdir()
    (failure,) = apply_plan(planned, aws).failures
    assert "`" + str(folder / "app.toml") + "` cannot be written" in str(failure.error)
    assert "was deleted again" in str(failure.error)
    assert key_ids(aws) == []
    assert [path.name for path in tmp_path.iterdir()] == ["keyhole.toml"]


def test_a_secret_that_refuses_leaves_the_files_as_they_were(aws: BotocoreAws, tmp_path: Path) -> None:
    """Secrets Manager says no: the new key is deleted again, and the env file is not there."""
    app = app_with(tmp_path, EVERYWHERE)
    planned = plan(aws, app)
    position = [call.operation for change in planned.changes for call in change.calls].index("PutSecretValue")
    assert position
    aws.call("secretsmanager", "CreateSecret", Name="other")
    failed = apply_plan(planned, Refusing(aws, "PutSecretValue")).failures
    assert [failure.change.address for failure in failed] == ["access-key.up"]
    assert "was deleted again" in str(failed[0].error)
    assert (key_ids(aws), [path.name for path in tmp_path.iterdir()]) == ([], ["keyhole.toml"])


class Refusing(BreakingAws):
    """Passes everything on but one operation."""

    def __init__(self, below: BotocoreAws, operation: str) -> None:
        super().__init__(below, 10_000)
        self._operation = operation

    def call(self, service: str, operation: str, **params: object) -> dict[str, object]:
        if operation == self._operation:
            self._left = 0
            try:
                return super().call(service, operation, **params)
            finally:
                self._left = 10_000
        return super().call(service, operation, **params)


def test_a_file_that_was_deleted_gets_a_new_key_and_one_in_use_stays(aws: BotocoreAws, tmp_path: Path) -> None:
    """The plan says that the used key stays until a rotation ends it; the unused one of before would just go."""
    app = app_with(tmp_path)
    assert up(aws, app).is_complete
    assert works(aws, tmp_path)  # which is a use
    (before,) = key_ids(aws)
    (tmp_path / "app.env").unlink()
    (call,) = [call for change in plan(aws, app).changes for call in change.calls if call.service == "iam"]
    assert f"{before}, last used" in call.why
    assert "stays until `keyhole rotate` ends it" in call.why
    assert up(aws, app).is_complete
    assert (len(key_ids(aws)), before in key_ids(aws), plan(aws, app).is_empty) == (2, True, True)
    assert works(aws, tmp_path)
    (tmp_path / "app.env").unlink()
    with pytest.raises(KeyholeError, match="two access keys that are in use"):
        plan(aws, app)


def test_a_place_that_lacks_the_key_gets_it_without_a_new_one(aws: BotocoreAws, tmp_path: Path) -> None:
    """A TOML file and a secret that join the file later get the key that is there; so does a value that changed."""
    assert up(aws, app_with(tmp_path)).is_complete
    before = key_in(tmp_path)
    app = app_with(tmp_path, EVERYWHERE)
    assert up(aws, app).is_complete
    assert {state.key_id for state in state_of(aws, app).places} == {before[0]}
    env = tmp_path / "app.env"
    env.write_text(env.read_text("utf-8").replace("eu-west-1", "us-east-1") + "MINE=1\n", "utf-8")
    env.chmod(0o644)
    assert up(aws, app).is_complete
    assert (key_in(tmp_path), "us-east-1" in env.read_text("utf-8")) == (before, False)
    assert (env.stat().st_mode & 0o777, "MINE=1" in env.read_text("utf-8")) == (0o600, True)
    assert plan(aws, app).is_empty


def test_a_file_with_someone_else_s_key_is_told_before_it_is_overwritten(aws: BotocoreAws, tmp_path: Path) -> None:
    """A key of no user of ours in the file is marked in the plan, and `down` leaves such a file alone."""
    theirs = "AWS_ACCESS_KEY_ID=AKIATHEIRS\nAWS_SECRET_ACCESS_KEY=x\n"
    (tmp_path / "app.env").write_text(theirs, "utf-8")
    app = app_with(tmp_path)
    told = [call for change in plan(aws, app).changes for call in change.calls if call.destructive]
    assert ["in place of AKIATHEIRS, which is no key of this user" in call.why for call in told] == [True]
    assert up(aws, app).is_complete
    (tmp_path / "app.env").write_text(theirs, "utf-8")
    assert down(aws, app).is_complete
    assert (tmp_path / "app.env").read_text("utf-8") == theirs


def test_where_a_key_may_not_go_is_refused_before_any_change(aws: BotocoreAws, tmp_path: Path) -> None:
    """A folder in the file's place: no plan, and nothing is made; `down` is not hindered by it."""
    (tmp_path / "app.env").mkdir()
    app = app_with(tmp_path)
    with pytest.raises(KeyholeError, match="is a folder"):
        plan(aws, app)
    assert kinds_left(aws) == []
    (tmp_path / "app.env").rmdir()
    assert up(aws, app).is_complete
    (tmp_path / "app.env").unlink()
    (tmp_path / "app.env").mkdir()
    assert down(aws, app).is_complete
    assert kinds_left(aws) == []


def test_a_secret_on_its_way_out_is_taken_back(aws: BotocoreAws, tmp_path: Path) -> None:
    """Someone scheduled its deletion: `up` restores it, and `down` deletes it at once, without a time to recover."""
    app = app_with(tmp_path, 'secret = "masks/key"\n')
    assert up(aws, app).is_complete
    aws.call("secretsmanager", "DeleteSecret", SecretId="masks/key", RecoveryWindowInDays=7)
    operations = [call.operation for change in plan(aws, app).changes for call in change.calls]
    assert operations[0] == "RestoreSecret"
    assert up(aws, app).is_complete
    assert plan(aws, app).is_empty
    calls = [
        call for change in plan_down(app, take_snapshot(aws, app, only_ours=True)).changes for call in change.calls
    ]
    (gone,) = [call for call in calls if call.operation == "DeleteSecret"]
    assert gone.params["ForceDeleteWithoutRecovery"] is True
    assert "without a time to recover" in gone.why


def test_a_secret_without_our_tags_is_tagged_once_it_is_ours() -> None:
    """An adopted secret gets the tags, and nothing else of it changes."""
    want = secret.Secret("secret.up", "s", {"keyhole:app": "masks"})
    assert [call.operation for call in secret.calls(want, secret.ExistingSecret("s", False, {}))] == ["TagResource"]
    assert list(secret.calls(want, secret.ExistingSecret("s", False, want.tags))) == []
