"""Documents that S3 answers with, written by hand: elements, escaped, in S3's namespace."""

from __future__ import annotations

from xml.sax.saxutils import escape

from keyhole.local.call import Response

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_WHITE = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}


def element(name: str, text: object = None, *, inner: str = "") -> str:
    """Give an element that holds a text, or other elements."""
    if isinstance(text, bool):
        text = "true" if text else "false"
    return f"<{name}>{inner if text is None else escape(str(text), _WHITE)}</{name}>"


def document(
    root: str, inner: str, *, headers: tuple[tuple[str, str], ...] = (), namespace: str = _NAMESPACE
) -> Response:
    """Give the answer that is a document with this root."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{namespace}">{inner}</{root}>'
    return Response(200, (("Content-Type", "application/xml"), *headers), text.encode())
