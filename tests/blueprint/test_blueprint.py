from pathlib import Path

import pytest

from keyhole.blueprint import Blueprint, Expected, build_blueprint
from keyhole.errors import SpecError
from keyhole.resources.bucket import Bucket
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.role import Role
from keyhole.resources.user import User
from keyhole.spec import load_spec
from keyhole.verify.rehearse import rehearse

ACCOUNT = "111122223333"
HEAD = '[app]\nname = "shop"\nregion = "eu-west-1"\n[buckets.a]\n[buckets.b]\n'


def blueprint(folder: Path, text: str) -> Blueprint:
    file = folder / "keyhole.toml"
    file.write_text(HEAD + text, "utf-8")
    return build_blueprint(load_spec(file), ACCOUNT)


def workload(grants: str, kind: str = "ec2") -> str:
    return f'[workloads.web]\nkind = "{kind}"\ngrants = [{grants}]\n'


def policy_statements(plan: Blueprint) -> list[dict[str, object]]:
    policies = [resource for resource in plan.resources if isinstance(resource, ManagedPolicy)]
    statements: list[dict[str, object]] = policies[0].document["Statement"]
    return statements


def test_object_actions_go_to_objects_and_bucket_actions_to_buckets(tmp_path: Path) -> None:
    """A grant becomes one statement on the objects of its prefix and one on the bucket, limited to the prefix."""
    made = blueprint(tmp_path, workload('{ bucket = "a", prefix = "up/", verbs = ["list", "write", "read"] }'))
    assert policy_statements(made) == [
        {
            "Sid": "Objects1",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
            "Resource": f"arn:aws:s3:::shop-a-{ACCOUNT}/up/*",
        },
        {
            "Sid": "List1",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": f"arn:aws:s3:::shop-a-{ACCOUNT}",
            "Condition": {"StringLike": {"s3:prefix": "up/*"}},
        },
    ]


def test_a_grant_of_one_verb_gives_that_verb_alone(tmp_path: Path) -> None:
    """`read` gives GetObject and nothing else."""
    made = blueprint(tmp_path, workload('{ bucket = "a", verbs = ["read"] }'))
    assert [statement["Action"] for statement in policy_statements(made)] == [["s3:GetObject"]]


def test_grants_on_the_same_prefix_become_one(tmp_path: Path) -> None:
    """Verbs given in two grants for one prefix stand in one statement, each once."""
    one = '{ bucket = "a", prefix = "x/", verbs = ["read"] }'
    made = blueprint(tmp_path, workload(f'{one}, {{ bucket = "a", prefix = "x/", verbs = ["delete", "read"] }}'))
    assert [statement["Action"] for statement in policy_statements(made)] == [["s3:GetObject", "s3:DeleteObject"]]


def test_a_workload_without_grants_gets_no_policy(tmp_path: Path) -> None:
    """No grant, no policy: the role can do nothing."""
    made = blueprint(tmp_path, workload(""))
    assert not [resource for resource in made.resources if isinstance(resource, ManagedPolicy)]


@pytest.mark.parametrize(
    ("kind", "principal"),
    [
        ("ec2", {"Service": "ec2.amazonaws.com"}),
        ("ecs", {"Service": "ecs-tasks.amazonaws.com"}),
        ("role", {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]}),
    ],
)
def test_each_kind_of_workload_trusts_its_own_carrier(tmp_path: Path, kind: str, principal: object) -> None:
    """The trust policy names the service that carries the role, or the account."""
    made = blueprint(tmp_path, workload("", kind))
    role = next(resource for resource in made.resources if isinstance(resource, Role))
    assert role.trust["Statement"][0]["Principal"] == principal


def test_ecs_tasks_are_trusted_for_this_account_alone(tmp_path: Path) -> None:
    """No confused deputy: the trust policy of an ECS task has aws:SourceAccount."""
    made = blueprint(tmp_path, workload("", "ecs"))
    role = next(resource for resource in made.resources if isinstance(resource, Role))
    assert role.trust["Statement"][0]["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_a_private_bucket_is_shut_and_lets_nobody_in(tmp_path: Path) -> None:
    """Without `public_read` all four settings of Block Public Access are on, and the policy only denies."""
    bucket = next(resource for resource in blueprint(tmp_path, "").resources if isinstance(resource, Bucket))
    assert bucket.settings.policy is not None
    assert [statement["Effect"] for statement in bucket.settings.policy["Statement"]] == ["Deny"]
    assert bucket.settings.public_access_block is not None
    assert all(bucket.settings.public_access_block.values())


def test_a_public_prefix_opens_the_policy_side_only(tmp_path: Path) -> None:
    """`public_read` lets a policy open the prefix; ACLs stay blocked; only GetObject is opened."""
    text = HEAD.replace("[buckets.a]", '[buckets.a]\npublic_read = ["pub/"]')
    file = tmp_path / "keyhole.toml"
    file.write_text(text, "utf-8")
    made = build_blueprint(load_spec(file), ACCOUNT)
    bucket = next(resource for resource in made.resources if isinstance(resource, Bucket))
    assert bucket.settings.public_access_block == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    assert bucket.settings.policy is not None
    assert bucket.settings.policy["Statement"][0]["Action"] == "s3:GetObject"
    assert bucket.settings.policy["Statement"][0]["Resource"] == [f"arn:aws:s3:::shop-a-{ACCOUNT}/pub/*"]


def test_claims_say_both_what_can_and_what_cannot_be_done(tmp_path: Path) -> None:
    """A read-only grant gives one "can" for reading and "cannot" for everything that it leaves out."""
    made = blueprint(tmp_path, workload('{ bucket = "a", prefix = "x/", verbs = ["read"] }'))
    of_web = [c for c in made.claims if c.who == "web" and c.target.is_object and not c.on_paper]
    claims = {(c.action, c.target.prefix): c.expected for c in of_web}
    assert claims[("s3:GetObject", "x/")] is Expected.CAN
    assert claims[("s3:PutObject", "x/")] is Expected.CANNOT
    assert claims[("s3:DeleteObject", "x/")] is Expected.CANNOT
    assert claims[("s3:GetObject", "keyhole-probe/outside/")] is Expected.CANNOT


@pytest.mark.parametrize(
    ("verbs", "prefix", "public", "cannot"),
    [
        ('"write", "delete"', "", "", ["s3:GetObject", "s3:ListBucket"]),
        ('"write", "delete"', "", 'public_read = [""]', ["s3:ListBucket"]),
        ('"write", "delete", "list"', "", 'public_read = [""]', []),
        ('"write", "delete"', "img/2026/", 'public_read = ["img/"]', []),
        ('"write", "delete"', "img/", 'public_read = ["img/2026/"]', ["s3:GetObject"]),
    ],
)
def test_what_is_not_granted_is_denied_unless_everyone_may(
    tmp_path: Path, verbs: str, prefix: str, public: str, cannot: list[str]
) -> None:
    """A missing verb is a claim of its own; not that a server cannot read what the whole web reads."""
    bucket = f"[buckets.open]\n{public}\n"
    made = blueprint(tmp_path, bucket + workload(f'{{ bucket = "open", prefix = "{prefix}", verbs = [{verbs}] }}'))
    arn = f"arn:aws:s3:::shop-open-{ACCOUNT}"
    denied = [
        claim.action
        for claim in made.claims
        if claim.who == "web"
        and claim.expected is Expected.CANNOT
        and claim.action in {"s3:GetObject", "s3:ListBucket"}
        and claim.resource in {arn, f"{arn}/{prefix}*"}
        and "outside" not in claim.id
    ]
    assert sorted(denied) == cannot
    assert all(rehearsal.holds for rehearsal in rehearse(made))


def test_claims_have_different_ids_and_places_in_the_file(tmp_path: Path) -> None:
    """Every claim can be named, and points at the line that it comes from."""
    made = blueprint(
        tmp_path, workload('{ bucket = "a", prefix = "x/", verbs = ["read"] }, { bucket = "b", verbs = ["list"] }')
    )
    ids = [claim.id for claim in made.claims]
    assert len(ids) == len(set(ids))
    assert all(claim.place.rpartition(":")[2].isdigit() for claim in made.claims)


def test_names_too_long_for_iam_are_found_before_any_call(tmp_path: Path) -> None:
    """App, environment and workload together may exceed what IAM takes: the message names the key to set."""
    name, key = "a" * 32, "b" * 32
    text = f'[app]\nname = "{name}"\nregion = "eu-west-1"\n[environments.production]\n[workloads.{key}]\nkind = "ec2"\n'
    file = tmp_path / "keyhole.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SpecError, match="IAM takes 64 at most") as caught:
        build_blueprint(load_spec(file), ACCOUNT)
    assert "role_name" in caught.value.mistakes[0].hint


def test_two_workloads_never_share_a_role(tmp_path: Path) -> None:
    """One role name for two workloads would join what was meant to be apart."""
    text = '[workloads.x]\nkind = "ec2"\nrole_name = "R"\n[workloads.y]\nkind = "ec2"\nrole_name = "R"\n'
    with pytest.raises(SpecError, match="both have the role `R`"):
        blueprint(tmp_path, text)


def test_arns_are_those_of_the_region_s_partition(tmp_path: Path) -> None:
    """In China and GovCloud the ARNs begin with their own partition."""
    file = tmp_path / "keyhole.toml"
    file.write_text((HEAD + workload("")).replace("eu-west-1", "cn-north-1"), "utf-8")
    claims = build_blueprint(load_spec(file), ACCOUNT).claims
    assert {claim.resource.split(":")[1] for claim in claims if claim.resource != "*"} == {"aws-cn"}


def test_a_policy_that_grows_too_long_is_found_before_any_call(tmp_path: Path) -> None:
    """IAM takes 6,144 characters: more grants than fit are a mistake of the workload, told with both figures."""
    grants = ",".join(f'{{ bucket = "a", prefix = "folder-{n:03}/", verbs = ["read"] }}' for n in range(60))
    with pytest.raises(SpecError, match=r"policy `web`: .* and AWS takes 6,144"):
        blueprint(tmp_path, workload(grants))


def test_two_workloads_never_share_a_user(tmp_path: Path) -> None:
    """User names are the same to IAM whatever their case."""
    text = '[workloads.x]\nkind = "access-key"\nuser_name = "U"\n[workloads.y]\nkind = "access-key"\nuser_name = "u"\n'
    with pytest.raises(SpecError, match="both have the user `u`"):
        blueprint(tmp_path, text)


def test_a_user_name_too_long_for_iam_names_its_key(tmp_path: Path) -> None:
    """A name that only its placeholders make too long is found too."""
    text = '[workloads.x]\nkind = "access-key"\nuser_name = "' + "u" * 46 + '{account}{region}"\n'
    with pytest.raises(SpecError, match=r"user name `u+111122223333eu-west-1` has 67 characters") as caught:
        blueprint(tmp_path, text)
    assert caught.value.mistakes[0].hint == "set a shorter `user_name`"


def test_a_server_outside_aws_gets_a_user_and_no_role(tmp_path: Path) -> None:
    """Kind `access-key`: a user under the app's path, with the policy of its grants."""
    made = blueprint(tmp_path, workload('{ bucket = "a", verbs = ["read"] }', "access-key"))
    assert not [resource for resource in made.resources if isinstance(resource, Role)]
    user = next(resource for resource in made.resources if isinstance(resource, User))
    assert (user.name, user.path) == ("shop-web", "/keyhole/shop/default/")
    assert user.policy_arns == (f"arn:aws:iam::{ACCOUNT}:policy/keyhole/shop/default/shop-web",)
    assert user.depends_on == ("policy.web",)
    escalation = next(claim for claim in made.claims if claim.id == "workload.web.no-escalation")
    assert (escalation.action, escalation.resource) == (
        "iam:PutUserPolicy",
        f"arn:aws:iam::{ACCOUNT}:user/keyhole/shop/default/shop-web",
    )


def test_a_bucket_refuses_plain_http_unless_told(tmp_path: Path) -> None:
    """The policy denies everything to everyone without TLS; `tls_only = false` leaves no policy at all."""
    made = blueprint(tmp_path, workload('{ bucket = "a", verbs = ["read"] }'))
    buckets = {resource.address: resource for resource in made.resources if isinstance(resource, Bucket)}
    policy = buckets["bucket.a"].settings.policy
    arn = f"arn:aws:s3:::shop-a-{ACCOUNT}"
    assert policy is not None
    assert policy["Statement"] == [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    claim = next(claim for claim in made.claims if claim.id == "workload.web.a.tls-only")
    assert (claim.action, claim.expected, claim.on_paper) == ("s3:GetObject", Expected.CANNOT, True)
    open_file = tmp_path / "open.toml"
    open_file.write_text(HEAD.replace("[buckets.a]", "[buckets.a]\ntls_only = false"), "utf-8")
    opened = build_blueprint(load_spec(open_file), ACCOUNT)
    assert next(r for r in opened.resources if isinstance(r, Bucket)).settings.policy is None


@pytest.mark.parametrize("kind", ["ec2", "ecs", "role", "access-key"])
def test_a_boundary_is_the_workload_s_own_policy(tmp_path: Path, kind: str) -> None:
    """What is attached beside it adds nothing: the boundary allows what the grants allow."""
    made = blueprint(tmp_path, workload('{ bucket = "a", verbs = ["read"] }', kind) + "boundary = true\n")
    holder = next(resource for resource in made.resources if isinstance(resource, Role | User))
    assert (holder.boundary_arn,) == holder.policy_arns


def test_a_boundary_without_grants_is_a_mistake(tmp_path: Path) -> None:
    """There is nothing to hold the workload to."""
    with pytest.raises(SpecError, match="workload `web` has a boundary and no grants"):
        blueprint(tmp_path, workload("") + "boundary = true\n")
