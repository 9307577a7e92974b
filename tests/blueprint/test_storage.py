"""Encryption by KMS and access logs: what they ask of policies, and of whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyhole.blueprint import Blueprint, build_blueprint
from keyhole.errors import SpecError
from keyhole.resources.bucket import Bucket
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.spec import load_spec
from keyhole.verify.rehearse import rehearse

ACCOUNT = "111122223333"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
HEAD = '[app]\nname = "shop"\nregion = "eu-west-1"\n'


def blueprint(folder: Path, text: str) -> Blueprint:
    file = folder / "keyhole.toml"
    file.write_text(HEAD + text, "utf-8")
    return build_blueprint(load_spec(file), ACCOUNT)


def bucket(made: Blueprint, key: str) -> Bucket:
    return next(want for want in made.resources if isinstance(want, Bucket) and want.address == f"bucket.{key}")


def key_actions(made: Blueprint) -> list[object]:
    """The actions on KMS keys that the one workload has."""
    policy = next(want for want in made.resources if isinstance(want, ManagedPolicy))
    return [statement["Action"] for statement in policy.document["Statement"] if statement["Resource"] == KEY]


def grant(verbs: str) -> str:
    return f'[workloads.web]\nkind = "ec2"\ngrants = [{{ bucket = "a", verbs = [{verbs}] }}]\n'


def test_a_key_of_the_user_is_opened_as_far_as_the_verbs_go(tmp_path: Path) -> None:
    """Reading decrypts, writing makes data keys and decrypts parts, deleting and listing touch no key."""
    text = f'[buckets.a]\nencryption = "aws:kms"\nkms_key = "{KEY}"\n'
    assert key_actions(blueprint(tmp_path, text + grant('"read"'))) == [["kms:Decrypt"]]
    assert key_actions(blueprint(tmp_path, text + grant('"write", "read"'))) == [["kms:GenerateDataKey", "kms:Decrypt"]]
    assert key_actions(blueprint(tmp_path, text + grant('"delete", "list"'))) == []
    made = blueprint(tmp_path, text + grant('"read"'))
    assert bucket(made, "a").settings.encryption == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    assert bucket(made, "a").settings.bucket_key


def test_a_key_of_another_account_is_a_mistake(tmp_path: Path) -> None:
    """Its policy is the other account's: nothing here can say that it lets anyone in."""
    text = f'[buckets.a]\nencryption = "aws:kms"\nkms_key = "{KEY.replace(ACCOUNT, "9" * 12)}"\n'
    with pytest.raises(SpecError, match=f"the key of bucket `a` is of account `{'9' * 12}`, and this is `{ACCOUNT}`"):
        blueprint(tmp_path, text)


def test_the_account_s_own_key_needs_no_statement(tmp_path: Path) -> None:
    """`aws/s3` lets in whoever may use the bucket."""
    made = blueprint(tmp_path, '[buckets.a]\nencryption = "aws:kms"\n' + grant('"read", "write"'))
    assert key_actions(made) == []
    assert bucket(made, "a").settings.encryption == {"SSEAlgorithm": "aws:kms"}


def test_the_claims_on_keys_and_logs_hold_on_paper(tmp_path: Path) -> None:
    """The key by way of S3 alone; the logs of this bucket, and of no other account's."""
    text = f'[buckets.a]\nencryption = "aws:kms"\nkms_key = "{KEY}"\naccess_logs = "logs"\n[buckets.logs]\n'
    decided = {one.claim.id: one for one in rehearse(blueprint(tmp_path, text + grant('"read"')))}
    assert all(one.holds for one in decided.values())
    ours = {name: one.decision.is_allowed for name, one in decided.items() if "key-" in name or name.endswith("logs")}
    key = "workload.web.key-1234abcd-12ab-34cd-56ef-1234567890ab.Decrypt"
    assert ours == {
        key: True,
        f"{key}.only-by-s3": False,
        "bucket.logs.a.logs": True,
        "bucket.logs.a.no-other-logs": False,
    }


def test_access_logs_go_to_a_folder_of_the_bucket_s_own(tmp_path: Path) -> None:
    """The bucket that is logged waits for the other, whose policy lets S3's log delivery in for it alone."""
    made = blueprint(tmp_path, '[buckets.a]\naccess_logs = "logs"\n[buckets.logs]\n')
    assert bucket(made, "a").settings.access_logs == {
        "TargetBucket": f"shop-logs-{ACCOUNT}",
        "TargetPrefix": "access/a/",
    }
    assert bucket(made, "a").depends_on == ("bucket.logs",)
    policy = bucket(made, "logs").settings.policy
    assert policy is not None
    assert policy["Statement"][0] == {
        "Sid": "AccessLogs1",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::shop-logs-{ACCOUNT}/access/a/*",
        "Condition": {
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::shop-a-{ACCOUNT}"},
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
        },
    }
