"""Plans and policies of the examples, to the letter. They change only by `make golden`, and the diff is read."""

import json
import os
import shutil
from pathlib import Path

import pytest

from keyhole.blueprint import Blueprint
from keyhole.provision import plan_down, take_snapshot
from keyhole.provision.show import plan_as_json
from keyhole.spec.schema import SCHEMA_FILE, schema_text
from local_story import INSTANCE, AccountFactory, blueprint_of, plan, run_instance, up

FOLDER = Path(__file__).parent
EXAMPLES = FOLDER.parents[1] / "examples"
EXAMPLE = EXAMPLES / "ai-image-community" / "keyhole.toml"


def agree(name: str, found: object, replacing: dict[str, str]) -> None:
    """Compare with the golden file, or write it; ids that AWS chooses are replaced by names."""
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    for value, label in replacing.items():
        text = text.replace(value, label)
    file = FOLDER / name
    if os.environ.get("KEYHOLE_GOLDEN") == "write":
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8"), f"{name} differs: if that is meant, `make golden` and read the diff"


@pytest.mark.parametrize("story", ["up", "down"])
def test_the_plan_of_the_example_is_the_golden_one(account: AccountFactory, story: str) -> None:
    """Every call with its parameters, from nothing up and from there down again."""
    aws = account()
    instance = run_instance(aws, INSTANCE)
    blueprint = blueprint_of(EXAMPLE)
    if story == "up":
        agree("ai-image-community.up.json", plan_as_json(plan(aws, blueprint)), {instance: "INSTANCE"})
        return
    assert up(aws, blueprint).is_complete
    snapshot = take_snapshot(aws, blueprint, only_ours=True)
    association = str(
        aws.call("ec2", "DescribeIamInstanceProfileAssociations")["IamInstanceProfileAssociations"][0]["AssociationId"]
    )
    found = plan_as_json(plan_down(blueprint, snapshot))
    agree("ai-image-community.down.json", found, {instance: "INSTANCE", association: "ASSOCIATION"})


SPECS = {
    **{file.stem: (file, "") for file in sorted((FOLDER / "specs").glob("*.toml"))},
    "pacs-masks": (EXAMPLES / "pacs-masks" / "keyhole.toml", "dev"),
    "instagram-static-files": (EXAMPLES / "instagram-static-files" / "keyhole.toml", ""),
}


@pytest.mark.parametrize("name", SPECS)
def test_the_plans_and_claims_of_each_kind_are_the_golden_ones(
    account: AccountFactory, name: str, tmp_path: Path
) -> None:
    """One file for each kind: every call from nothing up and down again, and what must hold in between."""
    file, environment = SPECS[name]
    aws = account(region="us-east-1")
    # A copy: keys are handed over beside the file.
    copy = shutil.copytree(file.parent, tmp_path / "specs", ignore=shutil.ignore_patterns("node_modules")) / file.name
    blueprint = blueprint_of(copy, environment=environment)
    folder = {str(tmp_path / "specs"): "FOLDER"}
    agree(f"{name}.up.json", plan_as_json(plan(aws, blueprint)), folder)
    assert up(aws, blueprint).is_complete
    assert plan(aws, blueprint).is_empty
    snapshot = take_snapshot(aws, blueprint, only_ours=True)
    keys = {
        key["AccessKeyId"]: f"ACCESS-KEY-OF-{user['UserName']}"
        for user in aws.pages("iam", "ListUsers", "Users")
        for key in aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", UserName=user["UserName"])
    }
    agree(f"{name}.down.json", plan_as_json(plan_down(blueprint, snapshot)), {**folder, **keys})
    agree(f"{name}.claims.json", claims_of(blueprint), {})


def test_the_schema_beside_the_example_is_the_model_s() -> None:
    """Editors complete the example by a schema that agrees with what is loaded."""
    file = EXAMPLE.with_name(SCHEMA_FILE)
    text = schema_text()
    if os.environ.get("KEYHOLE_GOLDEN") == "write":
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8"), "the schema differs: `make golden` writes it anew"


def test_the_claims_of_the_example_are_the_golden_ones() -> None:
    """What must hold and what must not, claim by claim."""
    agree("ai-image-community.claims.json", claims_of(blueprint_of(EXAMPLE)), {})


def claims_of(blueprint: Blueprint) -> list[str]:
    """Give each claim as a sentence, with its line in the file and why."""
    return [f"{claim.place.rpartition('/')[2]}: {claim.sentence} ({claim.why})" for claim in blueprint.claims]
