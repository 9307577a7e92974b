"""Text as an XML document can hold it: an error may quote whatever a client has sent."""

from __future__ import annotations

import re
from xml.sax import saxutils

# XML 1.0, section 2.2: no other characters can be in a document, not even as references.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """Give the text with its markup escaped, and a replacement character for each that XML does not have."""
    return saxutils.escape(_ILLEGAL.sub("\ufffd", text))
