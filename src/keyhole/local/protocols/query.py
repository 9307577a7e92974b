"""The query protocols of IAM, STS and EC2: form parameters like `Tags.member.1.Key=a`, as nested members.

Smithy, "AWS query protocol" and "AWS EC2 query protocol", query key resolution.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from keyhole.local.call import Fault, HttpRequest
from keyhole.local.protocols.values import convert_text
from keyhole.local.service_models import serialization

_MAX_FIELDS = 20_000


def read_form(request: HttpRequest) -> dict[str, str]:
    """Give the form parameters of a call, from its query and its body. Raises: Fault where a name comes twice."""
    try:
        pairs = parse_qsl(request.raw_query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        if request.method == "POST":
            body = request.body.read().decode("utf-8")
            pairs += parse_qsl(body, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise Fault("MalformedQueryString", "The query string contains a syntax error.", 400) from error
    form: dict[str, str] = {}
    for name, value in pairs:
        # A repeated name would let the gate and the backend each see another value.
        if name in form:
            raise Fault("MalformedInput", f"The parameter {name} is given more than once.", 400)
        form[name] = value
    return {name: value for name, value in form.items() if not name.startswith("X-Amz-")}


def parse_members(form: dict[str, str], shape: Any, *, is_ec2: bool) -> dict[str, Any]:
    """Give the members of the operation's input structure that the form has."""
    if shape is None:
        return {}
    tree: dict[str, Any] = {}
    for name, value in form.items():
        _plant(tree, name.split("."), value)
    return _structure(tree, shape, is_ec2) or {}


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    node = tree
    for part in path:
        node = node.setdefault(part, {})
    node[""] = value


def _read(node: dict[str, Any], shape: Any, is_ec2: bool) -> Any:
    if shape.type_name == "structure":
        return _structure(node, shape, is_ec2)
    if shape.type_name == "list":
        return _list(node, shape, is_ec2)
    if shape.type_name == "map":
        return _map(node, shape, is_ec2)
    if "" not in node:
        return None
    try:
        return convert_text(node[""], shape.type_name)
    except ValueError as error:
        raise Fault("MalformedInput", f"Invalid value for type {shape.type_name}: {node['']}", 400) from error


def _structure(node: dict[str, Any], shape: Any, is_ec2: bool) -> dict[str, Any] | None:
    found = {}
    for name, member in shape.members.items():
        child = node.get(_key(name, member, is_ec2))
        value = _read(child, member, is_ec2) if child else None
        if value is not None:
            found[name] = value
    return found or None


def _list(node: dict[str, Any], shape: Any, is_ec2: bool) -> list[Any] | None:
    if not is_ec2 and not serialization(shape).get("flattened"):
        node = node.get(serialization(shape.member).get("name", "member"), {})
    items = (_read(child, shape.member, is_ec2) for child in _numbered(node))
    return [item for item in items if item is not None] or None


def _map(node: dict[str, Any], shape: Any, is_ec2: bool) -> dict[str, Any] | None:
    if not serialization(shape).get("flattened"):
        node = node.get("entry", {})
    key_name = serialization(shape.key).get("name", "key")
    value_name = serialization(shape.value).get("name", "value")
    found = {}
    for child in _numbered(node):
        key = child.get(key_name, {}).get("")
        if key is not None:
            found[key] = _read(child.get(value_name, {}), shape.value, is_ec2)
    return found or None


def _numbered(node: dict[str, Any]) -> Iterable[dict[str, Any]]:
    indexes = sorted((int(name), name) for name in node if name.isascii() and name.isdigit())
    return (node[name] for _, name in indexes)


def _key(name: str, member: Any, is_ec2: bool) -> str:
    found = serialization(member)
    if is_ec2:
        if "queryName" in found:
            return str(found["queryName"])
        wire = str(found.get("name", name))
        return wire[:1].upper() + wire[1:]
    if member.type_name == "list" and found.get("flattened"):
        return str(serialization(member.member).get("name", found.get("name", name)))
    return str(found.get("name", name))
