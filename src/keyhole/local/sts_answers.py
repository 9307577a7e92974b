"""STS's answers on the wire: the query protocol's XML.

AWS: STS API Reference, response syntax of each operation.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from xml.sax.saxutils import escape

from keyhole.local.call import Response
from keyhole.local.sessions import Session

Element = str | Mapping[str, "Element"]

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def credentials_of(session: Session) -> dict[str, Element]:
    """Give the Credentials element of a session."""
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": f"{session.expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def packed_size(percent: int | None) -> dict[str, Element]:
    """Give the PackedPolicySize element, nothing where nothing was packed."""
    return {} if percent is None else {"PackedPolicySize": str(percent)}


def render_answer(operation: str, result: Mapping[str, Element]) -> Response:
    """Give the answer to an operation."""
    request_id = str(uuid.uuid4())
    inner = _render(f"{operation}Result", result)
    metadata = _render("ResponseMetadata", {"RequestId": request_id})
    text = f'<{operation}Response xmlns="{_NAMESPACE}">{inner}{metadata}</{operation}Response>'
    return Response(200, (("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)), text.encode())


def _render(name: str, value: Element) -> str:
    content = escape(value) if isinstance(value, str) else "".join(_render(*item) for item in value.items())
    return f"<{name}>{content}</{name}>"
