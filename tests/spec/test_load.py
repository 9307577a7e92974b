import tomllib
from pathlib import Path

import jsonschema
import pytest

from keyhole.errors import KeyholeError, SpecError
from keyhole.spec import load_spec
from keyhole.spec.schema import spec_schema
from keyhole.spec.starter import starter_spec

GOOD = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]
public_read = ["img/"]

[workloads.api]
kind = "ec2"

[[workloads.api.grants]]
bucket = "images"
prefix = "img/"
verbs = ["read", "write", "delete", "list"]

[uploads.images]
workload = "api"
bucket = "images"
prefix = "img/"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "keyhole.toml"
    file.write_text(text, "utf-8")
    return file


def mistakes(folder: Path, text: str) -> list[str]:
    """Load a wrong file, and give its mistakes as "line: message; hint"."""
    with pytest.raises(SpecError) as caught:
        load_spec(write(folder, text))
    return [f"{m.where.rpartition(':')[2]}: {m.message}; {m.hint}" for m in caught.value.mistakes]


def test_a_good_file_loads_with_its_places(tmp_path: Path) -> None:
    """The app has what the file says, and every part knows its line."""
    spec = load_spec(write(tmp_path, GOOD))
    assert spec.app.name == "shop"
    assert spec.app.bucket_name("images", "1" * 12) == f"shop-images-{'1' * 12}"
    assert spec.places.where(("workloads", "api", "grants", 0, "verbs")).endswith(":14")
    assert spec.places.where(("workloads", "api", "grants", 0, "nothing")).endswith(":11")


@pytest.mark.parametrize(
    ("before", "after", "mistake"),
    [
        ('name = "shop"', 'name = "Shop"', "2: `app.name`: `Shop` is not a name"),
        ('region = "eu-west-1"', 'regoin = "eu-west-1"', "3: unknown key `regoin` in `app`; did you mean `region`?"),
        ('region = "eu-west-1"', 'region = "Europe"', "3: `app.region`: `Europe` is not an AWS region"),
        ('region = "eu-west-1"', "region = 3", "3: `app.region` is `3`; it must be a string, in quotes"),
        ('kind = "ec2"', 'kind = "lambda"', "9: `lambda` is no kind of workload; write `ec2`"),
        ('kind = "ec2"', "", "8: `workloads.api` has no `kind`"),
        ('bucket = "images"\nprefix = "img/"\nverbs', 'bucket = "pics"\nprefix = "img/"\nverbs', "grant on `pics`"),
        ('prefix = "img/"\nverbs', 'prefix = "/img/"\nverbs', "starts with a slash: S3 keys do not; write `img/`"),
        ('prefix = "img/"\nverbs', 'prefix = "img"\nverbs', "no slash at its end: it would cover `img-other`"),
        ('prefix = "img/"\nverbs', 'prefix = "img/../"\nverbs', "an empty, `.` or `..` part"),
        ('prefix = "img/"\nverbs', 'prefix = "im*/"\nverbs', "has a wildcard in it"),
        ('prefix = "img/"\nverbs', 'prefix = "${aws:username}/"\nverbs', "has a policy variable in it"),
        ('prefix = "img/"\nverbs', 'prefix = "{account}/"\nverbs', "has a placeholder in it: names alone have those"),
        ('verbs = ["read", "write", "delete", "list"]', "verbs = []", "14: `workloads.api.grants.0.verbs`"),
        ('"delete", "list"]', '"remove"]', "`remove` is not known here; write 'read'"),
        ('"delete", "list"]', "]", "the grants of `api` do not cover upload `images`"),
        ('workload = "api"', 'workload = "apy"', "17: upload `images` runs as `apy`, which is no workload here"),
        ('public_read = ["img/"]', 'name = "ab"', "6: `buckets.images.name`: bucket name `ab` has 2 characters"),
        ('public_read = ["img/"]', 'name = "Shop-Images"', "is not a name that S3 takes"),
        ('public_read = ["img/"]', 'name = "x-{nam}-y"', "unknown placeholder `{nam}`"),
        ('public_read = ["img/"]', "lifecycle = [{}]", "this lifecycle rule does nothing"),
        (
            'public_read = ["img/"]',
            'lifecycle = [{ transitions = [{ days = 3, storage_class = "STANDARD_IA" }] }]',
            "after 30 days at the earliest; write `days = 30`",
        ),
        ('public_read = ["img/"]', "versioning = 1", "`buckets.images.versioning` is `1`; it must be true or false"),
        ("[uploads.images]", "[upload.images]", "16: unknown key `upload` in `the file`; did you mean `uploads`?"),
        (
            'public_read = ["img/"]',
            'cors = [{ origins = ["app.com"], methods = ["GET"] }]',
            "`app.com` is not a web origin",
        ),
        (
            "[uploads.images]",
            "[uploads.images]\nmax_bytes = 0",
            "`uploads.images.max_bytes` is `0`; it must be above 0",
        ),
        ('kind = "ec2"', 'kind = "role"\ntrusted = ["ana"]', "`ana` is not the ARN of a user or role"),
        ("[uploads.images]", "[uploads.images]\nttl_s = 900\nmax_ttl_s = 60", "`ttl_s` 900 is above `max_ttl_s` 60"),
    ],
)
def test_each_mistake_is_told_with_line_and_fix(tmp_path: Path, before: str, after: str, mistake: str) -> None:
    """One wrong key gives a message with its line, what is wrong, and what to write."""
    assert before in GOOD
    found = mistakes(tmp_path, GOOD.replace(before, after))
    assert any(mistake in line for line in found), found


TOML_MISTAKES = [
    ("[app]\nname = shop\n", "2: this is not TOML: invalid value; strings need quotes"),
    ('[app]\nname = "shop\n', "2: this is not TOML: a string does not end on its line; close it with its quote"),
    ("[app]\n[app]\n", "2: table `app` is there twice; join the two"),
    ('[app]\nname = "a"\nname = "b"\n', "3: the same key is there twice; remove one"),
    ("[app\n", "1: this is not TOML: expected ']' at the end of a table declaration; "),
]


@pytest.mark.parametrize(("text", "mistake"), TOML_MISTAKES)
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, text: str, mistake: str) -> None:
    """A syntax error names its line and the cause in plain words."""
    assert mistakes(tmp_path, text) == [mistake]


def test_a_wrong_kind_hides_no_other_mistake(tmp_path: Path) -> None:
    """The grants of a workload of no known kind are checked all the same."""
    text = GOOD.replace('kind = "ec2"', 'kind = "vm"').replace('prefix = "img/"\nverbs', 'prefix = "img"\nverbs')
    found = mistakes(tmp_path, text)
    assert [line.partition(":")[0] for line in found] == ["9", "13"]


def test_one_typo_is_one_mistake(tmp_path: Path) -> None:
    """A misspelt key is told once, and not again as the key that is missing."""
    assert len(mistakes(tmp_path, GOOD.replace("region", "regoin"))) == 1


JOB = 'kind = "github-actions"\nrepository = "acme/infra"'


@pytest.mark.parametrize(
    ("after", "mistake"),
    [
        ('kind = "github-actions"', "8: `workloads.api` has no `repository`; add `repository = …`"),
        (
            'kind = "github-actions"\nrepository = "*/infra"',
            "10: `workloads.api.repository`: repository `*/infra` has a",
        ),
        ('kind = "github-actions"\nrepository = "acme/*"', "get in; name one repository: `acme/infra`"),
        ('kind = "github-actions"\nrepository = "${aws:x}/y"', "has a wildcard in it"),
        ('kind = "github-actions"\nrepository = "infra"', "`infra` is not a repository on GitHub; write owner, slash"),
        ('kind = "github-actions"\nrepository = "https://github.com/acme/infra"', "is not a repository on GitHub"),
        (f'{JOB}\nbranch = "release/*"', "11: `workloads.api.branch`: branch `release/*` has a wildcard in it"),
        (f'{JOB}\nbranch = "refs/heads/main"', "is a whole ref; write the branch alone: `main`"),
        (f'{JOB}\nbranch = "a..b"', "`a..b` is not a name of a branch that git takes"),
        (f'{JOB}\nbranch = ""', "is not a name of a branch that git takes"),
        (f'{JOB}\nenvironment = "prod-*"', "GitHub environment `prod-*` has a wildcard in it"),
        (f'{JOB}\nenvironment = " "', "is not a name of an environment that GitHub takes"),
        (f'{JOB}\nbranch = "main"\nenvironment = "prod"', "11: workload `api` has both `branch` and `environment`"),
        (f"{JOB}\nowner_id = 12", "11: workload `api` has `owner_id` without `repository_id`"),
        (f"{JOB}\nrepository_id = 0\nowner_id = 1", "`workloads.api.repository_id` is `0`; it must be above 0"),
        ('kind = "access-key"\nuser_name = "no spaces"', "`no spaces` is not a name that IAM takes"),
        (f'kind = "access-key"\nuser_name = "{"u" * 65}"', "has 65 characters: IAM takes 64 at most"),
        ('kind = "access-key"\nuser_name = "{nam}-x"', "name `{nam}-x` has an unknown placeholder `{nam}`"),
        ('kind = "access-key"\nrole_name = "R"', "unknown key `role_name` in `workloads.api`"),
    ],
)
def test_each_mistake_of_a_job_or_a_server_is_told(tmp_path: Path, after: str, mistake: str) -> None:
    """What GitHub or IAM would refuse, or what would let strangers in, is found before anything is called."""
    found = mistakes(tmp_path, GOOD.replace('kind = "ec2"', after))
    assert any(mistake in line for line in found), found


@pytest.mark.parametrize("name", ["main", "release/2.1", "feature/ümlaut", "v1@x"])
def test_branches_that_git_takes_are_taken(tmp_path: Path, name: str) -> None:
    """A rule of ours never refuses a branch that exists."""
    assert load_spec(write(tmp_path, GOOD.replace('kind = "ec2"', f'{JOB}\nbranch = "{name}"'))).app.workloads


def test_a_workload_is_never_called_anonymous(tmp_path: Path) -> None:
    """Claims about strangers have that name."""
    found = mistakes(tmp_path, '[app]\nname = "a"\nregion = "eu-west-1"\n[workloads.anonymous]\nkind = "role"\n')
    assert found == [
        "4: a workload cannot be called `anonymous`: that is whoever has no credentials; choose another name"
    ]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Mistakes of single keys and between tables come together, in the order of the file."""
    text = GOOD.replace('"shop"', '"Shop"').replace('bucket = "images"', 'bucket = "pics"', 1).replace('"api"', '"apy"')
    found = mistakes(tmp_path, text)
    assert [line.partition(":")[0] for line in found] == ["2", "12", "17"]


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    """No file at all: the message names `keyhole init`."""
    with pytest.raises(KeyholeError, match=r"there is no `.*keyhole.toml` here") as caught:
        load_spec(tmp_path / "keyhole.toml")
    assert "keyhole init" in caught.value.hint


def test_bytes_that_are_no_utf8_are_told(tmp_path: Path) -> None:
    """A file in another encoding is a message, not a traceback."""
    file = tmp_path / "keyhole.toml"
    file.write_bytes(b'[app]\nname = "\xff"\n')
    with pytest.raises(KeyholeError, match="is not UTF-8 at byte 14"):
        load_spec(file)


ENVIRONMENTS = """\
[app]
name = "shop"
region = "eu-west-1"
[buckets.data]
name = "shop-data-{environment}"
[environments.dev]
[environments.prod.app]
region = "us-east-1"
[environments.prod.buckets.data]
versioning = true
"""


def test_an_environment_overrides_what_it_names(tmp_path: Path) -> None:
    """Overrides are laid over the file key by key; the rest stays."""
    file = write(tmp_path, ENVIRONMENTS)
    dev, prod = load_spec(file, "dev").app, load_spec(file, "prod").app
    assert (dev.region, prod.region) == ("eu-west-1", "us-east-1")
    assert (dev.buckets["data"].versioning, prod.buckets["data"].versioning) == (False, True)
    assert prod.bucket_name("data", "1" * 12) == "shop-data-prod"


def test_several_environments_must_be_chosen_from(tmp_path: Path) -> None:
    """Without a choice, or with a wrong one, the message lists them."""
    file = write(tmp_path, ENVIRONMENTS)
    with pytest.raises(KeyholeError, match="several environments: `dev`, `prod`"):
        load_spec(file)
    with pytest.raises(KeyholeError, match="no environment `test`"):
        load_spec(file, "test")


def test_environments_never_share_a_bucket(tmp_path: Path) -> None:
    """The same bucket name in two environments is a mistake: one would touch the other."""
    found = mistakes(tmp_path, ENVIRONMENTS.replace("-{environment}", ""))
    assert "`shop-data` is the name in the environments `dev` and `prod`" in found[0]


def test_a_mistake_in_an_override_has_the_override_s_line(tmp_path: Path) -> None:
    """What is wrong in an environment's table is shown there, not at the table that it overrides."""
    found = mistakes(tmp_path, ENVIRONMENTS.replace('region = "us-east-1"', 'region = "moon"'))
    assert found[0].startswith("8: `app.region`: `moon` is not an AWS region")


@pytest.mark.parametrize("text", [GOOD, ENVIRONMENTS, starter_spec("shop", "eu-west-1")])
def test_good_files_agree_with_the_json_schema(text: str) -> None:
    """What loads is valid by the schema that editors use."""
    jsonschema.validate(tomllib.loads(text), spec_schema())


def test_the_json_schema_refuses_what_loading_refuses(tmp_path: Path) -> None:
    """An unknown key is an error in the editor too."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(GOOD.replace("region", "regoin")), spec_schema())
