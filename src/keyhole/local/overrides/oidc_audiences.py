"""Adding an audience to an OIDC provider and taking it away, which moto does not know.

AWS: IAM API Reference, AddClientIDToOpenIDConnectProvider and RemoveClientIDFromOpenIDConnectProvider (both say nothing
where it is the case already); IAM User Guide, "IAM and AWS STS quotas" (100 audiences).
"""

from __future__ import annotations

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response

OPERATIONS = ("AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider")
_MAX_AUDIENCES = 100
_QUOTA = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider"
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def answer_audience(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Change the provider's audiences. Raises: Fault where there is no such provider, or where it has too many."""
    arn, audience = str(call.params.get("OpenIDConnectProviderArn", "")), str(call.params.get("ClientID", ""))
    provider = backend.find_oidc_provider(caller.account, f"https://{arn.partition(':oidc-provider/')[2]}")
    if provider is None or provider.arn != arn:
        raise Fault("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    others = tuple(name for name in provider.client_ids if name != audience)
    is_added = call.operation == "AddClientIDToOpenIDConnectProvider"
    audiences = (*others, audience) if is_added else others
    if len(audiences) > _MAX_AUDIENCES:
        raise Fault("LimitExceeded", f"{_QUOTA}: {_MAX_AUDIENCES}", 409)
    backend.set_oidc_audiences(caller.account, arn, audiences)
    body = f'<{call.operation}Response xmlns="{_NAMESPACE}"><ResponseMetadata/></{call.operation}Response>'
    return Response(200, (("Content-Type", "text/xml"),), body.encode())
