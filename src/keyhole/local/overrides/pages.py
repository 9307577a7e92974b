"""Long lists of IAM's come in pages: MaxItems elements at most, and a marker where there are more.

AWS: IAM API Reference, "MaxItems" and "Marker" of any list operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keyhole.local.call import ApiCall, Fault

_DEFAULT_ITEMS = 100


def take_page(call: ApiCall, items: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """Give the page that the call asks for, with IsTruncated and Marker. Raises: Fault for a marker of nobody's."""
    marker = str(call.params.get("Marker") or "0")
    if not (marker.isascii() and marker.isdigit()) or len(marker) > 9 or int(marker) > len(items):
        raise Fault("ValidationError", f"Invalid Marker: {marker}", 400)
    start = int(marker)
    end = start + int(call.params.get("MaxItems") or _DEFAULT_ITEMS)
    more = {"Marker": str(end)} if end < len(items) else {}
    return items[start:end], {"IsTruncated": end < len(items), **more}
