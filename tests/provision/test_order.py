"""Order from declared dependencies: there is always one, whatever the file and whatever is there."""

from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from keyhole.blueprint import Blueprint
from keyhole.provision import Plan, Verb, plan_down, plan_up
from keyhole.provision.snapshot import Snapshot, kind_of
from keyhole.resources import KINDS
from local_story import blueprint_of

ROOT = Path(__file__).parents[2]
FILES = sorted(
    (*(ROOT / "tests" / "golden" / "specs").glob("*.toml"), *(ROOT / "examples").glob("*/keyhole.toml")),
    key=str,
)


def every_blueprint(file: Path) -> list[Blueprint]:
    environments = [name for name in ("dev", "staging", "prod") if f"[environments.{name}" in file.read_text("utf-8")]
    return [blueprint_of(file, environment=name) for name in environments or [""]]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_every_file_has_an_order(file: Path) -> None:
    """No resource waits for itself by a detour, and none for something that is not in the plan."""
    for blueprint in every_blueprint(file):
        addresses = [want.address for want in blueprint.resources]
        assert len(set(addresses)) == len(addresses)
        assert {need for want in blueprint.resources for need in want.depends_on} <= set(addresses)
        order = TopologicalSorter({want.address: want.depends_on for want in blueprint.resources})
        assert len(list(order.static_order())) == len(addresses)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_depends_on_something_is_of_a_kind_that_says_so(file: Path) -> None:
    """Deletions are ordered by kinds alone: a dependency that its kind does not declare would be deleted too early."""
    for blueprint in every_blueprint(file):
        for want in blueprint.resources:
            kinds = {kind_of(need) for need in want.depends_on} - {kind_of(want.address)}
            assert kinds <= all_needs(kind_of(want.address)), want.address


def all_needs(kind: str) -> set[str]:
    direct = set(KINDS[kind].DEPENDS_ON)
    return direct | {further for name in direct for further in all_needs(name)}


def test_kinds_have_an_order() -> None:
    """The kinds' own declarations are no circle either, and name kinds that there are."""
    assert {need for kind in KINDS.values() for need in kind.DEPENDS_ON} <= set(KINDS)
    order = TopologicalSorter({name: kind.DEPENDS_ON for name, kind in KINDS.items()})
    assert len(list(order.static_order())) == len(KINDS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_plan_from_nothing_has_an_order_and_nothing_to_take_down(file: Path) -> None:
    """What is made waits only for what is made; where nothing is, nothing goes."""
    for blueprint in every_blueprint(file):
        nothing = Snapshot({want.address: None for want in blueprint.resources}, (), {})
        makable = [want for want in blueprint.resources if kind_of(want.address) != "instance-attachment"]
        without_instances = replace(blueprint, resources=tuple(makable))
        planned = plan_up(without_instances, nothing)
        assert is_ordered(planned)
        assert planned.count(Verb.CREATE) == len(without_instances.resources)
        assert plan_down(blueprint, nothing).changes == ()


def is_ordered(plan: Plan) -> bool:
    order = TopologicalSorter({change.address: change.after for change in plan.changes})
    return len(list(order.static_order())) >= len(plan.changes)
