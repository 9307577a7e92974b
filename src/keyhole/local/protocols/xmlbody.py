"""XML bodies of the rest-xml protocol, as the members that the shape names.

Smithy, "AWS restXml protocol". Document types and entities are refused: no AWS client sends them.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from keyhole.local.call import Fault
from keyhole.local.protocols.values import convert_text
from keyhole.local.service_models import serialization

_MAX_DEPTH = 40


def malformed_xml() -> Fault:
    """The body is not XML, or not the XML that the operation takes."""
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return Fault("MalformedXML", message, 400)


def parse_xml(body: bytes, shape: Any) -> Any:
    """Give the value of `shape` in the document. Raises: Fault (MalformedXML)."""
    try:
        text = body.decode("utf-8-sig")
        if "\0" in text or "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
            raise malformed_xml()
        root = ET.fromstring(text)  # noqa: S314  # no document type can be in it, see above
        return _read(root, shape, 0)
    except (ET.ParseError, ValueError) as error:
        raise malformed_xml() from error


def _read(element: ET.Element, shape: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise malformed_xml()
    if shape.type_name == "structure":
        return _structure(element, shape, depth)
    if shape.type_name == "list":
        return [_read(child, shape.member, depth + 1) for child in element]
    if shape.type_name == "map":
        raise malformed_xml()
    return convert_text(element.text or "", shape.type_name)


def _structure(element: ET.Element, shape: Any, depth: int) -> dict[str, Any]:
    children: dict[str, list[ET.Element]] = {}
    for child in element:
        children.setdefault(_local(child.tag), []).append(child)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire = serialization(member)
        if wire.get("xmlAttribute"):
            value = _attribute(element, str(wire["name"]))
            if value is not None:
                found[name] = value
        elif member.type_name == "list" and wire.get("flattened"):
            item_name = str(wire.get("name") or serialization(member.member).get("name", name))
            if item_name in children:
                found[name] = [_read(child, member.member, depth + 1) for child in children[item_name]]
        else:
            matching = children.get(str(wire.get("name", name)), [])
            if len(matching) > 1:
                raise malformed_xml()
            if matching:
                found[name] = _read(matching[0], member, depth + 1)
    return found


def _attribute(element: ET.Element, name: str) -> str | None:
    wanted = name.rsplit(":", 1)[-1]
    return next((value for key, value in element.attrib.items() if _local(key) == wanted), None)


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]
