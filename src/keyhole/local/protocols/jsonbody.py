"""The JSON protocol (`X-Amz-Target: Service.Operation`) and rpc-v2-cbor (`/service/Service/operation/Operation`).

Both carry the members under their model names already.
"""

from __future__ import annotations

import json
from typing import Any

from keyhole.local.call import Fault, HttpRequest
from keyhole.local.protocols import cbor
from keyhole.local.protocols.members import read_members


def is_cbor(request: HttpRequest) -> bool:
    """Hold iff the request says that it speaks rpc-v2-cbor."""
    return request.headers.get("smithy-protocol", "") == "rpc-v2-cbor"


def read_operation(request: HttpRequest, target_prefix: str) -> str:
    """Give the name of the operation. Raises: Fault (UnknownOperationException)."""
    if is_cbor(request):
        parts = request.raw_path.split("/")
        if len(parts) == 5 and parts[:2] == ["", "service"] and parts[2] == target_prefix and parts[3] == "operation":
            return parts[4]
    else:
        prefix, _, operation = request.headers.get("x-amz-target", "").rpartition(".")
        # Some SDKs leave out the package in front of the service's name.
        if prefix and prefix.rpartition(".")[2] == target_prefix.rpartition(".")[2]:
            return operation
    raise Fault("UnknownOperationException", "The operation is not known.", 400)


def parse_members(request: HttpRequest, shape: Any) -> dict[str, Any]:
    """Give the members of the input structure that the body has. Raises: Fault (SerializationException)."""
    body = request.body.read()
    if not body:
        return {}
    try:
        found = cbor.decode(body) if is_cbor(request) else _load(body)
    except (ValueError, RecursionError) as error:
        raise Fault("SerializationException", "The request body cannot be read.", 400) from error
    if not isinstance(found, dict):
        raise Fault("SerializationException", "The request body is not a structure.", 400)
    return read_members(found, shape)


def _load(body: bytes) -> Any:
    """Give the value in a JSON text. Raises: ValueError, also for half a character: it cannot be written anywhere."""
    found = json.loads(body, parse_constant=_refuse_constant)
    if b"\\ud" in body.lower():
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
