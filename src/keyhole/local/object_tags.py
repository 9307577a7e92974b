"""The tags of objects, in a header or a document: how many there may be, and of what.

AWS: S3 User Guide, "Categorizing your objects using tags".
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from keyhole.local.call import ApiCall, Fault
from keyhole.local.protocols.xmlbody import malformed_xml

_MAX_TAGS = 10
_MAX_KEY, _MAX_VALUE = 128, 256
_LETTERS = re.compile(r"^[\w\s+\-=._:/@]*$")


def check_tags(call: ApiCall) -> None:
    """Hold iff the tags that the call carries may be an object's. Raises: Fault."""
    tagging: Any = call.params.get("Tagging")
    if isinstance(tagging, str):
        try:
            pairs = parse_qsl(tagging, keep_blank_values=True, strict_parsing=bool(tagging), errors="strict")
        except ValueError as error:
            message = (
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without "
                "tag name duplicates."
            )
            extra = (("ArgumentName", "x-amz-tagging"), ("ArgumentValue", tagging))
            raise Fault("InvalidArgument", message, 400, extra=extra) from error
    elif isinstance(tagging, dict):
        items = tagging.get("TagSet") or ()
        if any("Key" not in item or "Value" not in item for item in items):
            raise malformed_xml()
        pairs = [(str(item["Key"]), str(item["Value"])) for item in items]
    else:
        return
    if len(pairs) > _MAX_TAGS:
        raise Fault("BadRequest", "Object tags cannot be greater than 10", 400)
    for key, value in pairs:
        _check_tag(key, value)


def _check_tag(key: str, value: str) -> None:
    if not 0 < len(key) <= _MAX_KEY or not _LETTERS.match(key):
        raise Fault("InvalidTag", "The TagKey you have provided is invalid", 400, extra=(("TagKey", key),))
    if key.lower().startswith("aws:"):
        raise Fault("InvalidTag", "System tags cannot be added/updated by requester", 400, extra=(("TagKey", key),))
    if len(value) > _MAX_VALUE or not _LETTERS.match(value):
        message = "The TagValue you have provided is invalid"
        raise Fault("InvalidTag", message, 400, extra=(("TagKey", key), ("TagValue", value)))
