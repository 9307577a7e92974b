"""DeleteObjects: decided key by key, answered key by key.

AWS: S3 API Reference, DeleteObjects: keys that may not be deleted come back as errors, the others are deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from keyhole.local.actions.row import Question
from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Response
from keyhole.local.protocols.xmlbody import malformed_xml

_MAX_KEYS = 1000
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

# Gives the sentence of a denial, "" where the caller may.
Ask = Callable[[Question], str]


def delete_objects(call: ApiCall, account: str, backend: Backend, ask: Ask) -> Response:
    """Delete those of the named keys that the caller may delete. Raises: Fault (MalformedXML)."""
    request = call.params.get("Delete") or {}
    objects = request.get("Objects") or []
    if not 0 < len(objects) <= _MAX_KEYS or any(not item.get("Key") for item in objects):
        raise malformed_xml()
    denials = [(item, _denial(call, item, ask)) for item in objects]
    allowed = [item for item, message in denials if not message]
    errors = "".join(_error(item, message) for item, message in denials if message)
    if not allowed:
        return _response(errors)
    body = _document(allowed)
    response = backend.handle(replace(call, params={**call.params, "Delete": {"Objects": allowed}}), account, body)
    text = response.body.decode()
    if response.status != 200:
        return response
    inner = text[text.index(">", text.index("<DeleteResult")) + 1 : text.rindex("</DeleteResult>")] if (
        "</DeleteResult>" in text
    ) else ""  # fmt: skip
    if request.get("Quiet"):
        inner = _without_deleted(inner)
    return _response(inner + errors)


def _denial(call: ApiCall, item: dict[str, Any], ask: Ask) -> str:
    action = "s3:DeleteObjectVersion" if item.get("VersionId") else "s3:DeleteObject"
    resource = f"arn:aws:s3:::{call.params['Bucket']}/{item['Key']}"
    context = {"s3:versionid": item["VersionId"]} if item.get("VersionId") else {}
    message = ask(Question(action, resource, context))
    if not message and call.params.get("BypassGovernanceRetention"):
        message = ask(Question("s3:BypassGovernanceRetention", resource, context))
    return message


def _document(objects: list[dict[str, Any]]) -> bytes:
    items = "".join(
        f"<Object><Key>{_escape(item['Key'])}</Key>"
        + (f"<VersionId>{_escape(item['VersionId'])}</VersionId>" if item.get("VersionId") else "")
        + "</Object>"
        for item in objects
    )
    return f'<Delete xmlns="{_NAMESPACE}">{items}</Delete>'.encode()


def _error(item: dict[str, Any], message: str) -> str:
    version = f"<VersionId>{_escape(item['VersionId'])}</VersionId>" if item.get("VersionId") else ""
    return (
        f"<Error><Key>{_escape(item['Key'])}</Key>{version}<Code>AccessDenied</Code>"
        f"<Message>{escape(message)}</Message></Error>"
    )


def _response(inner: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="{_NAMESPACE}">{inner}</DeleteResult>'
    return Response(200, (("Content-Type", "application/xml"),), text.encode())


def _without_deleted(inner: str) -> str:
    while "<Deleted>" in inner:
        start = inner.index("<Deleted>")
        end = inner.index("</Deleted>", start) + len("</Deleted>")
        inner = inner[:start] + inner[end:]
    return inner


def _escape(text: str) -> str:
    return escape(text, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})
