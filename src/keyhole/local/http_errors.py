"""What the server itself says to what is no request, or one that nobody will read: AWS's error documents as well.

AWS: S3 API Reference, "Error responses", "List of error codes".
"""

from __future__ import annotations

from keyhole.local.call import Fault, Headers, HttpRequest, Response
from keyhole.local.errors import new_host_id, new_request_id, write_fault
from keyhole.local.parse import guess_destination

_FAULTS = {
    400: ("BadRequest", "An error occurred when parsing the HTTP request.", 400),
    408: (
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period. Idle "
        "connections will be closed.",
        400,
    ),
    413: ("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400),
    414: ("InvalidURI", "Couldn't parse the specified URI.", 400),
    431: ("RequestHeaderSectionTooLarge", "Your request header section exceeds the maximum allowed size.", 400),
    501: ("NotImplemented", "A header you provided implies functionality that is not implemented", 501),
    505: ("HttpVersionNotSupported", "The HTTP version specified is not supported.", 505),
}
_INTERNAL = ("InternalError", "We encountered an internal error. Please try again.", 500)


class _NoBody:
    def read(self) -> bytes:
        return b""


def http_fault(status: int, extra: tuple[tuple[str, str], ...] = ()) -> Fault:
    """Give AWS's error for what an HTTP server would answer with this status."""
    code, message, aws_status = _FAULTS.get(status, _INTERNAL)
    return Fault(code, message, aws_status, extra=extra)


def write_http_fault(fault: Fault, method: str, path: str, headers: Headers) -> Response:
    """Write the error in the words of the service that was most likely meant, as far as its request was read."""
    destination = guess_destination(HttpRequest(method, path, "", headers, _NoBody()), "")
    request_id, host_id = new_request_id(destination.service), new_host_id()
    response = write_fault(
        fault, service=destination.service, protocol=destination.protocol, request_id=request_id, host_id=host_id
    )
    ids = (("x-amz-request-id", request_id), ("x-amz-id-2", host_id))
    return Response(response.status, (*response.headers, *ids), response.body)
