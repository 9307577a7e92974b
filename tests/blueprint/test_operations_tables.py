from pathlib import Path

import pytest

from keyhole.blueprint import Blueprint, Expected, build_blueprint
from keyhole.errors import SpecError
from keyhole.resources.alarm import Alarm
from keyhole.resources.bucket import Bucket
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.table import KeyTable
from keyhole.resources.topic import Topic
from keyhole.resources.trail import Trail
from keyhole.spec import load_spec

ACCOUNT = "111122223333"
HEAD = '[app]\nname = "shop"\nregion = "eu-west-1"\n[buckets.a]\nversioning = true\n[buckets.b]\n'


def blueprint(folder: Path, text: str) -> Blueprint:
    file = folder / "keyhole.toml"
    file.write_text(HEAD + text, "utf-8")
    return build_blueprint(load_spec(file), ACCOUNT)


def test_every_bucket_is_watched_unless_some_are_named(tmp_path: Path) -> None:
    """Three alarms a bucket, all to one topic; the buckets' requests are measured."""
    made = blueprint(tmp_path, '[monitoring]\nmails = ["ops@x.org"]\n')
    assert [r.name for r in made.resources if isinstance(r, Alarm)] == [
        *("shop-a-4xx", "shop-a-5xx", "shop-a-surge"),
        *("shop-b-4xx", "shop-b-5xx", "shop-b-surge"),
    ]
    assert {r.settings.request_metrics for r in made.resources if isinstance(r, Bucket)} == {True}
    one = blueprint(tmp_path, '[monitoring]\nmails = ["ops@x.org"]\nbuckets = ["b"]\n')
    assert [r.settings.request_metrics for r in one.resources if isinstance(r, Bucket)] == [False, True]
    (topic,) = [r for r in one.resources if isinstance(r, Topic)]
    alarm = next(r for r in one.resources if isinstance(r, Alarm))
    assert alarm.rule["AlarmActions"] == [topic.arn]
    assert alarm.depends_on == (topic.address, "bucket.b")


def test_the_limits_of_the_file_are_the_alarms(tmp_path: Path) -> None:
    """Percent become shares; the surge counts requests in five minutes."""
    text = '[monitoring]\nmails = ["o@x.org"]\nbuckets = ["a"]\nclient_errors_percent = 2.5\nsurge_requests = 99\n'
    rules = [r.rule for r in blueprint(tmp_path, text).resources if isinstance(r, Alarm)]
    assert [(rule["MetricName"], rule["Statistic"], rule["Threshold"], rule["Period"]) for rule in rules] == [
        ("4xxErrors", "Average", 0.025, 300),
        ("5xxErrors", "Average", 0.01, 300),
        ("AllRequests", "Sum", 99.0, 300),
    ]


def test_cloudtrail_is_let_into_the_bucket_of_the_audit_for_this_trail_alone(tmp_path: Path) -> None:
    """Both statements name the trail; the other bucket says nothing of CloudTrail."""
    made = blueprint(tmp_path, '[audit]\nbucket = "b"\n')
    (trail,) = [r for r in made.resources if isinstance(r, Trail)]
    assert (trail.arn, trail.depends_on) == (
        f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/shop-trail",
        ("bucket.b",),
    )
    policies = {r.address: r.settings.policy for r in made.resources if isinstance(r, Bucket)}
    statements = (policies["bucket.b"] or {})["Statement"]
    ours = [s for s in statements if s["Principal"] == {"Service": "cloudtrail.amazonaws.com"}]
    assert [s["Action"] for s in ours] == ["s3:GetBucketAcl", "s3:PutObject"]
    assert all(s["Condition"]["StringEquals"]["aws:SourceArn"] == trail.arn for s in ours)
    assert [s["Sid"] for s in (policies["bucket.a"] or {})["Statement"]] == ["TlsOnly"]


LOCKS = '[workloads.tf]\nkind = "role"\n[workloads.other]\nkind = "role"\n[terraform_state]\nbucket = "a"\n'


def test_who_locks_gets_the_table_and_nobody_else(tmp_path: Path) -> None:
    """The policy names the one table; claims say so for every workload."""
    made = blueprint(tmp_path, LOCKS + 'table_name = "{app}-locks"\nworkloads = ["tf"]\n')
    (table,) = [r for r in made.resources if isinstance(r, KeyTable)]
    assert (table.name, table.hash_key) == ("shop-locks", "LockID")
    (policy,) = [r for r in made.resources if isinstance(r, ManagedPolicy)]
    assert policy.document["Statement"][0]["Resource"] == table.arn
    claims = {claim.id: claim.expected for claim in made.claims if claim.action.startswith("dynamodb:")}
    assert claims == {
        "workload.tf.lock": Expected.CAN,
        "workload.tf.unlock": Expected.CAN,
        "workload.other.no-lock": Expected.CANNOT,
        "workload.other.no-unlock": Expected.CANNOT,
    }


def test_terraform_s_own_lockfile_needs_no_table(tmp_path: Path) -> None:
    """Without `table_name` there is none, and nobody gets anything for one."""
    made = blueprint(tmp_path, LOCKS)
    assert not [r for r in made.resources if isinstance(r, KeyTable | ManagedPolicy)]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('[monitoring]\nmails = ["ops"]\n', "`ops` is not a mail address"),
        ('[monitoring]\nmails = ["Ops <ops@x.org>"]\n', "is not a mail address"),
        ("[monitoring]\nmails = []\n", "it needs at least one entry"),
        ('[monitoring]\nmails = ["o@x.org"]\nbuckets = ["c"]\n', "`monitoring` names `c`, which is no bucket here"),
        (
            '[monitoring]\nmails = ["o@x.org"]\nserver_errors_percent = 101\n',
            "`monitoring.server_errors_percent` is `101`",
        ),
        ('[audit]\nbucket = "c"\n', "`audit` names `c`, which is no bucket here"),
        ('[audit]\nbucket = "b"\ntrail_name = "a--b"\n', "`a--b` is not a name that a trail can have"),
        ('[terraform_state]\nbucket = "b"\n', "bucket `b` keeps no old versions"),
        ('[terraform_state]\nbucket = "a"\ntable_name = "a b"\n', "`a b` is not a name that a table can have"),
        ('[terraform_state]\nbucket = "a"\nworkloads = ["x"]\n', "names `x`, which is no workload here"),
        (LOCKS + 'workloads = ["tf"]\n', "names workloads that lock, and no table to lock with"),
    ],
)
def test_each_mistake_is_found_before_any_call(tmp_path: Path, text: str, mistake: str) -> None:
    """Names that nothing defines, addresses that no mail reaches, names that AWS refuses."""
    with pytest.raises(SpecError) as caught:
        blueprint(tmp_path, text)
    assert mistake in str(caught.value)
