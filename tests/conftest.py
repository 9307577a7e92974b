"""What every test stands on: no way to a real AWS account, and an embedded local AWS where one is asked for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.local.server import LocalAws
from local_story import AccountFactory

# A busy machine is no defect: nothing here is held to a time.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Output is as wide as on a pipe, whatever the test runner's terminal.
os.environ.pop("COLUMNS", None)

# A suite that a script starts in the background is told to ignore Ctrl-C; the programs that it starts are not.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["browser_fixture", "gate_clients"]


@pytest.fixture(scope="session", autouse=True)
def _no_way_to_a_real_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Take away every AWS variable, and keep the state of local AWSs out of the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "KEYHOLE_"))]:
            if name != "KEYHOLE_GOLDEN":
                patch.delenv(name)
        patch.setenv("KEYHOLE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def running_local_aws(_no_way_to_a_real_account: None) -> Iterator[LocalAws]:
    with LocalAws(port=0) as local:
        yield local


@pytest.fixture
def local_aws(running_local_aws: LocalAws) -> LocalAws:
    """A local AWS with nothing in any account."""
    running_local_aws.reset()
    return running_local_aws


@pytest.fixture
def account(local_aws: LocalAws) -> AccountFactory:
    """Gives the AWS port of an account's root: `account(region="eu-west-1", number="…")`."""

    def connect(region: str = "ap-northeast-2", number: str = "123456789012") -> BotocoreAws:
        root = local_aws.root_credentials(number)
        credentials = Credentials(root.access_key_id, root.secret_access_key)
        return BotocoreAws(region, credentials=credentials, endpoint_url=local_aws.url, max_attempts=1)

    return connect


@pytest.fixture
def example_folder() -> Path:
    """The folder of the examples."""
    return Path(__file__).parent.parent / "examples"
