"""Answers of services that speak the query protocol, written by the operation's model in botocore.

AWS: IAM API Reference, response syntax of each operation.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from keyhole.local.call import ApiCall, Response
from keyhole.local.service_models import find_operation, serialization, service_model


def write_answer(call: ApiCall, result: Mapping[str, Any] | None = None) -> Response:
    """Give the answer with these members; those that are None or not there are left out."""
    operation = find_operation(call.service, call.operation)
    shape = operation.output_shape if operation else None
    inner = ""
    if shape is not None:
        wrapper = serialization(shape).get("resultWrapper", f"{call.operation}Result")
        inner = f"<{wrapper}>{''.join(_structure(result or {}, shape))}</{wrapper}>"
    namespace = service_model(call.service).metadata["xmlNamespace"]
    request_id = str(uuid.uuid4())
    text = (
        f'<{call.operation}Response xmlns="{namespace}">{inner}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{call.operation}Response>"
    )
    return Response(200, (("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)), text.encode())


def _structure(value: Mapping[str, Any], shape: Any) -> Iterator[str]:
    for name, member in shape.members.items():
        if (item := value.get(name)) is not None:
            yield _element(serialization(member).get("name", name), item, member)


def _element(name: str, value: Any, shape: Any) -> str:
    return f"<{name}>{_content(value, shape)}</{name}>"


def _content(value: Any, shape: Any) -> str:
    if shape.type_name == "structure":
        return "".join(_structure(value, shape))
    if shape.type_name == "list":
        return "".join(_element("member", item, shape.member) for item in value)
    if shape.type_name == "map":
        entries = (
            _element("key", key, shape.key) + _element("value", item, shape.value) for key, item in value.items()
        )
        return "".join(f"<entry>{entry}</entry>" for entry in entries)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else escape(str(value))
