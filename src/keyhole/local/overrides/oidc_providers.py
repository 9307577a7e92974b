"""OpenID Connect providers are made once for each URL, which must be one of HTTPS, or on this machine.

AWS: IAM API Reference, CreateOpenIDConnectProvider, GetOpenIDConnectProvider, UpdateOpenIDConnectProviderThumbprint;
DeleteOpenIDConnectProvider is silent about a provider that does not exist.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.issuer_documents import is_loopback_url
from keyhole.local.overrides.iam_entities import no_such

_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_MAX_THUMBPRINTS = 5
_MAX_AUDIENCES = 100
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")


def check_provider(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse what AWS refuses of a provider. Raises: Fault."""
    if call.operation == "CreateOpenIDConnectProvider":
        url = str(call.params.get("Url", ""))
        _check_url(url)
        if backend.find_oidc_provider(caller.account, f"https://{url.partition('://')[2]}"):
            raise Fault("EntityAlreadyExists", f"Provider with url {url} already exists.", 409)
        if len(call.params.get("ClientIDList") or ()) > _MAX_AUDIENCES:
            message = f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {_MAX_AUDIENCES}"
            raise Fault("LimitExceeded", message, 409)
    elif "OpenIDConnectProviderArn" in call.params and call.operation != "DeleteOpenIDConnectProvider":
        arn = str(call.params["OpenIDConnectProviderArn"])
        found = backend.find_oidc_provider(caller.account, f"https://{arn.partition(':oidc-provider/')[2]}")
        if found is None or found.arn != arn:
            raise no_such(f"OpenIDConnect Provider not found for arn {arn}")
    _check_thumbprints(call)
    return None


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    is_plain = not parts.query and not parts.fragment and "?" not in url and "#" not in url
    # Issuers on this machine have no certificate.
    is_secure = parts.scheme == "https" or is_loopback_url(url)
    if not is_secure or not _HOST.fullmatch(parts.netloc) or not is_plain:
        raise Fault("ValidationError", "Invalid Open ID Connect Provider URL", 400)


def _check_thumbprints(call: ApiCall) -> None:
    thumbprints = call.params.get("ThumbprintList") or ()
    if len(thumbprints) > _MAX_THUMBPRINTS:
        raise Fault("InvalidInput", "Thumbprint list must contain fewer than 5 entries.", 400)
    if not all(_THUMBPRINT.fullmatch(str(item)) for item in thumbprints):
        raise Fault("InvalidInput", "Thumbprint must contain only hexadecimal characters.", 400)
