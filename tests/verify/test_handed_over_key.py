"""A workload with an access key is tried with the key that it was handed, also where no other can be made."""

from pathlib import Path

from key_story import app_with, key_in
from keyhole.verify.identities import open_identities
from local_story import AccountFactory, up


def test_the_key_in_the_env_file_is_the_workload_s(account: AccountFactory, tmp_path: Path) -> None:
    """On AWS itself, too: without the owner's door to a local AWS the file is read; without the file it is unknown."""
    aws, app = account("eu-west-1"), app_with(tmp_path)
    assert up(aws, app).is_complete
    key_id, secret = key_in(tmp_path)
    with open_identities(aws, app) as identities:
        found = identities["up"]
        assert found.aws is not None
        assert found.aws.call("sts", "GetCallerIdentity")["Arn"].endswith("/up")
        assert (key_id in found.source, secret in repr(identities)) == (True, False)
    (tmp_path / "app.env").unlink()
    with open_identities(aws, app) as identities:
        assert (identities["up"].aws, "nowhere else" in identities["up"].why_not) == (None, True)
