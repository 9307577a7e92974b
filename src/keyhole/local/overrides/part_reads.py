"""GetObject and HeadObject of one part of what was uploaded in parts; an object that was put whole is its first part.

AWS: S3 API Reference, GetObject, partNumber: "a 'ranged' GET request for the part specified".
"""

from __future__ import annotations

from dataclasses import replace

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Headers, Response
from keyhole.local.object_presence import find_version
from keyhole.local.overrides.object_reads import tell_customer_key
from keyhole.local.stored_objects import StoredObject

_MAX_PARTS = 10_000


def answer_part(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """Answer a read that names a part, None for one that does not. Raises: Fault (InvalidPartNumber and others)."""
    number = call.params.get("PartNumber")
    if number is None or bucket is None:
        return None
    stored = find_version(call, backend)
    first, last = _range(call, stored, int(number))
    members = {name: value for name, value in call.params.items() if name not in ("PartNumber", "Range")}
    headers = [pair for pair in call.request.headers.items() if pair[0] != "range"]
    is_get, is_empty = call.operation == "GetObject", last < first
    if is_get and not is_empty:
        members["Range"] = f"bytes={first}-{last}"
        headers.append(("range", members["Range"]))
    ranged = replace(call, params=members, request=replace(call.request, headers=Headers(headers)))
    answer = tell_customer_key(ranged, caller, backend, backend.handle(ranged, bucket.account, b""))
    if answer.status >= 300:
        return answer
    kept = [pair for pair in answer.headers if pair[0].lower() not in ("content-length", "content-range")]
    kept.append(("Content-Length", str(last - first + 1)))
    if not is_empty:
        kept.append(("Content-Range", f"bytes {first}-{last}/{stored.size}"))
    if stored.part_sizes:
        kept.append(("x-amz-mp-parts-count", str(len(stored.part_sizes))))
    return replace(answer, status=200 if is_empty else 206, headers=tuple(kept))


def _range(call: ApiCall, stored: StoredObject, number: int) -> tuple[int, int]:
    """Give the first and last byte of the part; of nothing, 0 and -1."""
    if "Range" in call.params:
        raise Fault("InvalidRequest", "Cannot specify both Range header and partNumber query parameter", 400)
    if not 1 <= number <= _MAX_PARTS:
        extra = (("ArgumentName", "partNumber"), ("ArgumentValue", str(number)))
        message = f"Part number must be an integer between 1 and {_MAX_PARTS}, inclusive"
        raise Fault("InvalidArgument", message, 400, extra=extra)
    sizes = stored.part_sizes or (stored.size,)
    if number > len(sizes):
        extra = (("PartNumberRequested", str(number)), ("ActualPartCount", str(len(sizes))))
        raise Fault("InvalidPartNumber", "The requested partnumber is not satisfiable", 416, extra=extra)
    first = sum(sizes[: number - 1])
    return first, first + sizes[number - 1] - 1
