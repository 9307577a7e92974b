"""Which requests of a bucket CloudWatch is to count, which moto does not know. Nothing is counted here.

AWS: Amazon S3 API Reference, PutBucketMetricsConfiguration, GetBucketMetricsConfiguration,
DeleteBucketMetricsConfiguration, ListBucketMetricsConfigurations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response

OPERATIONS = (
    *("PutBucketMetricsConfiguration", "GetBucketMetricsConfiguration"),
    *("DeleteBucketMetricsConfiguration", "ListBucketMetricsConfigurations"),
)
_MOST = 1000
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def answer_metrics(call: ApiCall, _caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """Keep, give or forget a configuration. Raises: Fault where there is none of that id, or where it names another."""
    if bucket is None:
        return None
    kept = backend.metrics_configurations(bucket.name)
    name = str(call.params.get("Id", ""))
    match call.operation:
        case "PutBucketMetricsConfiguration":
            configuration = call.params.get("MetricsConfiguration") or {}
            if configuration.get("Id") != name:
                raise Fault("InvalidArgument", "The id of the configuration differs from the one in the request.", 400)
            if len(kept) >= _MOST and name not in kept:
                raise Fault(
                    "TooManyConfigurations",
                    "You are attempting to create a new configuration but have already "
                    "reached the 1,000-configuration limit.",
                    400,
                )
            backend.set_metrics_configurations(bucket.name, {**kept, name: configuration})
            return Response(200)
        case "ListBucketMetricsConfigurations":
            inner = "".join(_render("MetricsConfiguration", kept[name]) for name in sorted(kept))
            return _xml("ListMetricsConfigurationsResult", f"<IsTruncated>false</IsTruncated>{inner}")
    if name not in kept:
        raise Fault("NoSuchConfiguration", "The specified configuration does not exist.", 404)
    if call.operation == "DeleteBucketMetricsConfiguration":
        backend.set_metrics_configurations(bucket.name, {key: kept[key] for key in kept if key != name})
        return Response(204)
    return _xml("MetricsConfiguration", "".join(_render(*item) for item in kept[name].items()))


def _xml(element: str, inner: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{element} xmlns="{_NAMESPACE}">{inner}</{element}>'
    return Response(200, (("Content-Type", "application/xml"),), body.encode())


def _render(name: str, value: Any) -> str:
    """Give a member as S3 writes it; the tags of a filter stand one beside the other."""
    if isinstance(value, list | tuple):
        return "".join(_render(name.removesuffix("s"), item) for item in value)
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_render(*item) for item in value.items())}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
