from dataclasses import dataclass, field, replace

import pytest

from keyhole.blueprint import Blueprint, build_blueprint
from keyhole.errors import KeyholeError
from keyhole.provision import Plan, Snapshot, Verb, plan_down, plan_up
from keyhole.resources import Existing
from keyhole.resources.bucket import Bucket, ExistingBucket, Settings
from keyhole.resources.content import BucketContent
from keyhole.resources.instance_attachment import ExistingInstanceAttachment
from keyhole.resources.instance_profile import ExistingInstanceProfile, InstanceProfile
from keyhole.resources.managed_policy import ExistingManagedPolicy, ManagedPolicy
from keyhole.resources.role import ExistingRole, Role
from keyhole.spec import App, Places, Spec

ACCOUNT = "111122223333"


def make_blueprint() -> Blueprint:
    app = App.model_validate(
        {
            "app": {"name": "shop", "region": "eu-west-1"},
            "buckets": {"a": {"public_read": ["pub/"]}},
            "workloads": {
                "web": {
                    "kind": "ec2",
                    "instance": "i-1",
                    "grants": [{"bucket": "a", "prefix": "pub/", "verbs": ["read", "list"]}],
                }
            },
        }
    )
    return build_blueprint(Spec(app, Places("keyhole.toml", {}), ("default",)), ACCOUNT)


BLUEPRINT = make_blueprint()
NOT_ATTACHED = ExistingInstanceAttachment("i-1", "", "", BLUEPRINT.scope.tags, 1, tokens_required=False)


def as_it_shall_be(want: object) -> Existing:
    """Give what AWS shows once everything was applied."""
    match want:
        case Bucket():
            return ExistingBucket(want.name, want.account, want.settings, want.tags)
        case ManagedPolicy():
            return ExistingManagedPolicy(want.arn, want.document, (), want.tags)
        case Role():
            return ExistingRole(want.name, want.path, want.trust, want.policy_arns, (), "", want.tags)
        case InstanceProfile():
            return ExistingInstanceProfile(want.name, want.path, want.role_name, want.tags)
    return replace(NOT_ATTACHED, association_id="a-1", profile_arn=profile_arn(), hop_limit=2, tokens_required=True)


def profile_arn() -> str:
    return f"arn:aws:iam::{ACCOUNT}:instance-profile/keyhole/shop/default/shop-web"


@dataclass
class World:
    """An account: what is there by address, to be changed by each test."""

    existing: dict[str, Existing | None] = field(default_factory=dict)
    orphans: tuple[tuple[str, Existing], ...] = ()
    contents: dict[str, BucketContent] = field(default_factory=dict)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.existing, self.orphans, self.contents)


@pytest.fixture
def nothing() -> World:
    existing: dict[str, Existing | None] = {want.address: None for want in BLUEPRINT.resources}
    return World(existing | {"instance-attachment.web": NOT_ATTACHED})


@pytest.fixture
def everything() -> World:
    return World({want.address: as_it_shall_be(want) for want in BLUEPRINT.resources})


def operations(plan: Plan) -> list[str]:
    return [call.operation for change in plan.changes for call in change.calls]


def test_from_nothing_everything_is_created(nothing: World) -> None:
    """Every resource is created, in an order in which each finds what it needs."""
    plan = plan_up(BLUEPRINT, nothing.snapshot())
    assert {change.address: change.verb for change in plan.changes} == {
        "bucket.a": Verb.CREATE,
        "policy.web": Verb.CREATE,
        "role.web": Verb.CREATE,
        "instance-profile.web": Verb.CREATE,
        "instance-attachment.web": Verb.UPDATE,
    }
    after = {change.address: change.after for change in plan.changes}
    assert after["role.web"] == ("policy.web",)
    assert after["instance-attachment.web"] == ("instance-profile.web",)
    assert not plan.is_destructive


def test_the_tags_come_with_the_creation(nothing: World) -> None:
    """A run that breaks right after a creation leaves nothing that is not known to be ours."""
    plan = plan_up(BLUEPRINT, nothing.snapshot())
    for change in plan.changes:
        first = change.calls[0]
        if first.operation.startswith("Create"):
            tags = first.params.get("Tags") or first.params["CreateBucketConfiguration"]["Tags"]
            assert {"Key": "keyhole:app", "Value": "shop"} in tags


def test_block_public_access_opens_before_the_policy_comes(nothing: World) -> None:
    """S3 would refuse a public policy while BlockPublicPolicy is on."""
    found = operations(plan_up(BLUEPRINT, nothing.snapshot()))
    assert found.index("PutPublicAccessBlock") < found.index("PutBucketPolicy")


def test_when_all_is_as_it_shall_be_nothing_is_left_to_do(everything: World) -> None:
    """The second plan is empty."""
    plan = plan_up(BLUEPRINT, everything.snapshot())
    assert plan.is_empty
    assert operations(plan) == []


def test_a_document_in_other_words_is_no_change(everything: World) -> None:
    """AWS unwraps lists and reorders keys: that is no drift."""
    policy = everything.existing["policy.web"]
    assert isinstance(policy, ExistingManagedPolicy)
    statements = [
        {**statement, "Action": [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]}
        for statement in reversed(policy.document["Statement"])
    ]
    everything.existing["policy.web"] = replace(policy, document={"Statement": statements, "Version": "2012-10-17"})
    assert plan_up(BLUEPRINT, everything.snapshot()).is_empty


@pytest.mark.parametrize(
    ("tls_only", "calls"),
    [
        (True, ["PutPublicAccessBlock", "PutBucketPolicy"]),
        (False, ["DeleteBucketPolicy", "PutPublicAccessBlock"]),
    ],
)
def test_a_bucket_that_closes_is_shut_at_once(everything: World, tls_only: bool, calls: list[str]) -> None:
    """The first call of all ends what was public: Block Public Access shuts, or the policy goes."""
    bucket = type(BLUEPRINT.app.buckets["a"])(tls_only=tls_only)
    app = BLUEPRINT.app.model_copy(update={"buckets": {"a": bucket}})
    closed = build_blueprint(Spec(app, Places("keyhole.toml", {}), ("default",)), ACCOUNT)
    plan = plan_up(closed, everything.snapshot())
    assert operations(plan) == calls
    assert plan.is_destructive


def test_a_policy_that_someone_else_attached_is_taken_off(everything: World) -> None:
    """A role of ours has exactly the policies of the file."""
    role = everything.existing["role.web"]
    assert isinstance(role, ExistingRole)
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    everything.existing["role.web"] = replace(role, policy_arns=(*role.policy_arns, admin), inline_policies=("sneaky",))
    plan = plan_up(BLUEPRINT, everything.snapshot())
    assert operations(plan) == ["DetachRolePolicy", "DeleteRolePolicy"]
    assert plan.is_destructive


def test_the_oldest_version_makes_room(everything: World) -> None:
    """IAM keeps five versions: a sixth needs one to go, and it is never the one in force."""
    policy = everything.existing["policy.web"]
    assert isinstance(policy, ExistingManagedPolicy)
    full = replace(policy, document={"Version": "2012-10-17", "Statement": []}, versions=("v2", "v3", "v4", "v5"))
    everything.existing["policy.web"] = full
    change = next(c for c in plan_up(BLUEPRINT, everything.snapshot()).changes if c.address == "policy.web")
    assert [(call.operation, call.params.get("VersionId")) for call in change.calls] == [
        ("DeletePolicyVersion", "v2"),
        ("CreatePolicyVersion", None),
    ]


def test_another_profile_on_the_instance_is_replaced_after_asking(everything: World) -> None:
    """The profile of someone else is swapped in place; that is destructive, so it is asked about."""
    other = replace(
        NOT_ATTACHED, association_id="a-9", profile_arn=f"arn:aws:iam::{ACCOUNT}:instance-profile/x", tags={}
    )
    everything.existing["instance-attachment.web"] = other
    plan = plan_up(BLUEPRINT, everything.snapshot())
    assert operations(plan) == ["ReplaceIamInstanceProfileAssociation", "ModifyInstanceMetadataOptions"]
    assert plan.is_destructive


def test_no_instance_to_attach_to_is_an_error(nothing: World) -> None:
    """A spec that names an instance that is not there cannot be planned."""
    nothing.existing["instance-attachment.web"] = None
    with pytest.raises(KeyholeError, match="no instance `i-1`"):
        plan_up(BLUEPRINT, nothing.snapshot())


@pytest.mark.parametrize("address", ["bucket.a", "policy.web", "role.web", "instance-profile.web"])
@pytest.mark.parametrize("tags", [{}, {"keyhole:app": "shop", "keyhole:environment": "prod"}, {"keyhole:app": "other"}])
def test_what_is_not_ours_is_refused(everything: World, address: str, tags: dict[str, str]) -> None:
    """The name only nominates: without exactly our tags nothing is touched, neither by up nor by down."""
    existing = everything.existing[address]
    everything.existing[address] = replace(existing, tags=tags)  # type: ignore[type-var]
    up = plan_up(BLUEPRINT, everything.snapshot())
    assert [refusal.address for refusal in up.refusals] == [address]
    assert not up.is_empty
    down = plan_down(BLUEPRINT, everything.snapshot())
    assert address not in {change.address for change in down.changes}


def test_an_untagged_bucket_may_be_adopted_by_name(everything: World) -> None:
    """With `--adopt` it gets our tags beside its own; nothing else changes."""
    bucket = everything.existing["bucket.a"]
    assert isinstance(bucket, ExistingBucket)
    everything.existing["bucket.a"] = replace(bucket, tags={"team": "web"})
    plan = plan_up(BLUEPRINT, everything.snapshot(), adopt=frozenset({bucket.name}))
    assert operations(plan) == ["PutBucketTagging"]
    tag_set = plan.changes[0].calls[0].params["Tagging"]["TagSet"]
    assert {tag["Key"] for tag in tag_set} == {"team", "keyhole:app", "keyhole:environment"}


def test_adopting_shows_what_would_be_lost(everything: World) -> None:
    """A bucket policy and versioning that someone set are named in the plan, as what they are: taken away."""
    bucket = everything.existing["bucket.a"]
    assert isinstance(bucket, ExistingBucket)
    theirs = {"Version": "2012-10-17", "Statement": [{"Sid": "Mine", "Effect": "Deny"}]}
    settings = replace(bucket.settings, policy=theirs, versioning=True)
    everything.existing["bucket.a"] = replace(bucket, tags={}, settings=settings)
    plan = plan_up(BLUEPRINT, everything.snapshot(), adopt=frozenset({bucket.name}))
    losses = [call.why for call in plan.changes[0].calls if call.destructive]
    assert any("suspended" in why for why in losses)
    assert any("(Mine)" in why for why in losses)


def test_adopting_what_is_not_there_is_an_error(everything: World) -> None:
    """A misspelt name is not passed over."""
    with pytest.raises(KeyholeError, match="no `shop-b` to adopt"):
        plan_up(BLUEPRINT, everything.snapshot(), adopt=frozenset({"shop-b"}))


def test_what_belongs_to_another_app_is_never_adopted(everything: World) -> None:
    """`--adopt` does not steal from another app or environment of Keyhole's."""
    bucket = everything.existing["bucket.a"]
    assert isinstance(bucket, ExistingBucket)
    everything.existing["bucket.a"] = replace(bucket, tags={"keyhole:app": "shop", "keyhole:environment": "prod"})
    plan = plan_up(BLUEPRINT, everything.snapshot(), adopt=frozenset({bucket.name}))
    assert [refusal.address for refusal in plan.refusals] == ["bucket.a"]


def test_what_left_the_file_goes(everything: World) -> None:
    """A role with our tags that is no longer in the file is deleted; its policy after it."""
    tags = BLUEPRINT.scope.tags
    policy = ExistingManagedPolicy(f"arn:aws:iam::{ACCOUNT}:policy/keyhole/shop/default/old", {}, (), tags)
    role = ExistingRole("old", "/keyhole/shop/default/", {}, (policy.arn,), (), "", tags)
    everything.orphans = (("policy", policy), ("role", role))
    plan = plan_up(BLUEPRINT, everything.snapshot())
    deletions = {change.address: change for change in plan.changes if change.verb is Verb.DELETE}
    assert set(deletions) == {"policy.(old)", "role.(old)"}
    assert "role.(old)" in deletions["policy.(old)"].after
    assert plan.is_destructive


def test_down_deletes_everything_in_the_reverse_order(everything: World) -> None:
    """The profile leaves the instance first; the role goes after the profile, the policy after the role."""
    plan = plan_down(BLUEPRINT, everything.snapshot())
    after = {change.address: set(change.after) for change in plan.changes}
    assert after["instance-attachment.web"] == set()
    assert after["instance-profile.web"] == {"instance-attachment.web"}
    assert after["role.web"] == {"instance-attachment.web", "instance-profile.web"}
    assert after["policy.web"] == {"instance-attachment.web", "instance-profile.web", "role.web"}


def test_down_leaves_another_s_profile_on_the_instance(everything: World) -> None:
    """Only an association with a profile of ours is undone."""
    other = replace(
        NOT_ATTACHED, association_id="a-9", profile_arn=f"arn:aws:iam::{ACCOUNT}:instance-profile/x", tags={}
    )
    everything.existing["instance-attachment.web"] = other
    assert "DisassociateIamInstanceProfile" not in operations(plan_down(BLUEPRINT, everything.snapshot()))


def test_a_bucket_with_objects_stays_unless_told(everything: World) -> None:
    """`down` refuses to delete objects; with `empty` it says how many go."""
    bucket = everything.existing["bucket.a"]
    assert isinstance(bucket, ExistingBucket)
    everything.contents = {bucket.name: BucketContent(3, 0)}
    refused = plan_down(BLUEPRINT, everything.snapshot())
    assert [(refusal.address, "3 objects" in refusal.message) for refusal in refused.refusals] == [("bucket.a", True)]
    told = plan_down(BLUEPRINT, everything.snapshot(), empty=True)
    assert told.refusals == ()
    assert next(change for change in told.changes if change.address == "bucket.a").empties


def test_down_of_nothing_is_nothing(nothing: World) -> None:
    """Where nothing is, nothing is to be done."""
    assert plan_down(BLUEPRINT, nothing.snapshot()).is_empty


def test_settings_of_a_fresh_bucket_are_all_set_by_us() -> None:
    """No setting is left to what AWS happens to default to."""
    wanted = next(want for want in BLUEPRINT.resources if isinstance(want, Bucket)).settings
    defaults = Settings()
    assert wanted.public_access_block != defaults.public_access_block
    assert wanted.ownership == "BucketOwnerEnforced"
    assert wanted.encryption == {"SSEAlgorithm": "AES256"}
