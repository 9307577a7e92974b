"""Every operation of every service of the local AWS: authorized by a row, or refused; none is in between.

A botocore with new operations makes this fail; `make golden` writes the list and the page anew, and the diff is read.
"""

import importlib
import json
import os
from pathlib import Path

from moto.core.utils import camelcase_to_underscores, method_names_from_class

from keyhole.local import overrides
from keyhole.local.actions import find_row
from keyhole.local.actions.row import Row
from keyhole.local.moto_backend import _RESPONSE_CLASSES
from keyhole.local.overrides import iam_rules
from keyhole.local.s3_support import SUPPORTED
from keyhole.local.service_models import SIGNING_NAMES, service_model

REFUSED = Path(__file__).with_name("refused-operations.json")
PAGE = Path(__file__).parents[2] / "docs" / "local-aws-operations.md"
SERVICES = sorted({*SIGNING_NAMES.values(), "s3control"})
# Answered by the local AWS itself, without a store behind.
OWN = {"sts", "s3control"}

INTRODUCTION = """\
# Operations of the local AWS

What the local AWS does with every operation that the AWS SDK for Python knows of its services. An *authorized* call is
put to the policies with the actions that are named beside it; actions in brackets are asked only where the call has
what they are about, such as tags. A † marks calls that are authorized and then answered with 501: they are not kept
here. A *refused* call is denied to everyone but the account's root user, whatever their policies say: nobody has said
which permissions it needs.

This page is written by `make golden`.
"""


def operations(service: str) -> list[str]:
    """The names of the service's operations."""
    return sorted(service_model(service).operation_names)


def refused() -> dict[str, list[str]]:
    """The operations without a row, by service."""
    return {service: [name for name in operations(service) if find_row(service, name) is None] for service in SERVICES}


def is_kept(service: str, operation: str) -> bool:
    """Whether something answers the call once it is authorized."""
    if service in OWN or (service, operation) in overrides._BEFORE:
        return True
    if service == "iam" and operation in iam_rules._LAST:
        return True
    if service == "s3":
        return operation in SUPPORTED
    module, name = _RESPONSE_CLASSES[service]
    methods = method_names_from_class(getattr(importlib.import_module(module), name))
    return camelcase_to_underscores(operation) in methods


def actions(row: Row) -> str:
    """The row's actions; those that are not always asked stand in brackets."""
    if not row:
        return "decided by trust policies, or by nothing"
    names: dict[str, bool] = {}
    for need in row:
        names[need.action] = names.get(need.action, True) and bool(need.when)
    return ", ".join(f"({name})" if is_conditional else name for name, is_conditional in names.items())


def page() -> str:
    """The documentation page."""
    parts = [INTRODUCTION]
    for service in SERVICES:
        rows = [(name, row) for name in operations(service) if (row := find_row(service, name)) is not None]
        parts.append(f"\n## {service}\n\nAuthorized: {len(rows)} of {len(operations(service))}.\n")
        parts.append("\n| Call | Actions |\n| --- | --- |\n")
        parts += [f"| {name}{'' if is_kept(service, name) else ' †'} | {actions(row)} |\n" for name, row in rows]
        if names := refused()[service]:
            parts.append(f"\nRefused: {', '.join(names)}.\n")
    return "".join(parts)


def agree(file: Path, text: str) -> None:
    """Compare with the file, or write it."""
    if os.environ.get("KEYHOLE_GOLDEN") == "write":
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8"), f"{file.name} differs: if that is meant, `make golden` and read the diff"


def test_the_refused_operations_are_the_golden_ones() -> None:
    """An operation that no row is for is in the list, and was put there by somebody who read it."""
    agree(REFUSED, json.dumps(refused(), indent=1) + "\n")


def test_the_page_says_what_the_tables_say() -> None:
    """The documentation lists each operation with its actions, or as refused."""
    agree(PAGE, page())


def test_every_row_is_of_an_operation() -> None:
    """No row is misspelt: each names an operation that the service's model has."""
    from keyhole.local.actions import _TABLES

    for service, rows in _TABLES.items():
        assert set(rows) <= set(operations(service)), service


def test_all_of_s3_is_authorized_but_for_directory_buckets() -> None:
    """What is refused of S3 is of directory buckets or Object Lambda, which are not part of this local AWS."""
    assert refused()["s3"] == ["CreateSession", "ListDirectoryBuckets", "RenameObject", "WriteGetObjectResponse"]
