"""Who calls AssumeRoleWithWebIdentity: nobody with a key, but who a verified token of an identity provider says.

The call needs no signature of AWS's. The token is what is authenticated here, as signatures are elsewhere: in no mode
does one that was not verified get credentials.
AWS: STS API Reference, AssumeRoleWithWebIdentity; IAM User Guide, "Pass session tags in AWS STS", using
AssumeRoleWithWebIdentity, and "Monitor and control actions taken with assumed roles", source identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from keyhole.iam.model import Principal, PrincipalKind
from keyhole.local.backend import Backend, OidcProvider
from keyhole.local.call import ApiCall, Caller, Fault
from keyhole.local.issuer_documents import DocumentError, is_loopback_url
from keyhole.local.issuer_keys import IssuerKeys
from keyhole.local.sts_parameters import Tags, check_parameters, check_source_identity, read_arn
from keyhole.local.web_identity_claims import Values, session_keys, trust_keys
from keyhole.local.web_token import WebToken, check_times, no_key, read_token, refuse, verify_signature

_TAGS = "https://aws.amazon.com/tags"
_SOURCE_IDENTITY = "https://aws.amazon.com/source_identity"
_ROLES = "https://aws.amazon.com/roles"


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """What a verified token says: of whom, for whom, and what the session is to be tagged with.

    `audience` is the authorized party where the token names one. `is_role_authorized`: the provider named the role.
    """

    provider_arn: str
    provider: str
    subject: str
    audience: tuple[str, ...]
    claims: Mapping[str, Any] = field(repr=False)
    tags: Tags = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str = ""
    is_role_authorized: bool = False

    def trust_context(self) -> Values:
        """Give the condition keys that the trust policy sees."""
        authorized = "true" if self.is_role_authorized else "false"
        keys = trust_keys(self.provider, self.claims, self.audience)
        return {**keys, "aws:FederatedProvider": self.provider_arn, "sts:RoleAuthorizedByIdp": authorized}

    def session_context(self) -> Values:
        """Give the condition keys that every request of the session has."""
        keys = session_keys(self.provider, self.claims, self.audience)
        return {**keys, "aws:FederatedProvider": self.provider_arn}


class WebIdentities:
    """Verifies the tokens of AssumeRoleWithWebIdentity."""

    def __init__(self, backend: Backend, keys: IssuerKeys) -> None:
        self._backend = backend
        self._keys = keys

    def identify(self, call: ApiCall, caller: Caller, at: datetime) -> Caller:
        """Give who the token of the call speaks for, and the caller itself of any other call.

        Raises: Fault where the token is not to be believed.
        """
        if (call.service, call.operation) != ("sts", "AssumeRoleWithWebIdentity"):
            return caller
        check_parameters(call)
        if "ProviderId" in call.params:
            message = "OAuth 2.0 access tokens (ProviderId) are not available in Keyhole's local AWS"
            raise Fault("NotImplemented", message, 501)
        role_arn = str(call.params["RoleArn"])
        token = read_token(str(call.params["WebIdentityToken"]))
        provider = self._find_provider(token.require("iss"), read_arn(role_arn, "role").account)
        self._verify(token, at)
        identity = _read_identity(token, provider, role_arn)
        user_id = f"{identity.provider_arn}:{','.join(identity.audience)}:{identity.subject}"
        principal = Principal(PrincipalKind.WEB_IDENTITY, identity.provider_arn)
        return replace(Caller(principal, user_id=user_id), web_identity=identity)

    def _find_provider(self, issuer: str, account: str) -> OidcProvider:
        """Give the account's provider whose URL the issuer is, to the letter."""
        host = issuer.removeprefix("http://" if is_loopback_url(issuer) else "https://")
        provider = self._backend.find_oidc_provider(account, host) if host != issuer else None
        if provider is None or provider.url.removeprefix("https://") != host:
            raise refuse(f"No OpenIDConnect provider found in your account for {issuer}")
        return provider

    def _verify(self, token: WebToken, at: datetime) -> None:
        try:
            keys = self._keys.find(token.require("iss"), token.key_id)
        except DocumentError as error:
            if error.is_passing:
                message = "The identity provider could not be reached. Retry the request a limited number of times."
                raise Fault("IDPCommunicationError", message, 400) from error
            raise no_key() from error
        verify_signature(token, keys)
        check_times(token, at)


def _read_identity(token: WebToken, provider: OidcProvider, role_arn: str) -> WebIdentity:
    audience = _read_audience(token, provider.client_ids)
    tags, transitive = _read_tags(token)
    return WebIdentity(
        provider_arn=provider.arn,
        provider=provider.url.removeprefix("https://"),
        subject=token.require("sub"),
        audience=audience,
        claims=token.claims,
        tags=tags,
        transitive_tag_keys=transitive,
        source_identity=_read_source_identity(token),
        is_role_authorized=_check_role(token, role_arn),
    )


def _read_audience(token: WebToken, client_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Give whom the token is for: one at least must be a client ID of the provider.

    AWS: "IAM and AWS STS condition context keys", OIDC federation: `aud` is the claim `azp` where there is one.
    """
    if "azp" in token.claims:
        audience: tuple[str, ...] = (token.require("azp"),)
    elif isinstance(token.claims.get("aud"), list):
        audience = tuple(item for item in token.claims["aud"] if isinstance(item, str))
    else:
        audience = (token.require("aud"),)
    if not set(audience) & set(client_ids):
        raise refuse("Incorrect token audience")
    return audience


def _read_tags(token: WebToken) -> tuple[Tags, tuple[str, ...]]:
    """Give the session tags in the token, nested or flat, and which of them are transitive."""
    nested = token.claims.get(_TAGS, {})
    if not isinstance(nested, dict):
        raise refuse(f"Invalid claim: {_TAGS}")
    flat = f"{_TAGS}/principal_tags/"
    given = {name.removeprefix(flat): value for name, value in token.claims.items() if name.startswith(flat)}
    tags = nested.get("principal_tags", {})
    transitive = nested.get("transitive_tag_keys", token.claims.get(f"{_TAGS}/transitive_tag_keys", []))
    if not isinstance(tags, dict) or not _are_texts(transitive):
        raise refuse(f"Invalid claim: {_TAGS}")
    return tuple((key, _read_tag_value(value)) for key, value in {**tags, **given}.items()), tuple(transitive)


def _read_tag_value(value: Any) -> str:
    single = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(single, str):
        raise refuse(f"Invalid claim: {_TAGS}")
    return single


def _read_source_identity(token: WebToken) -> str:
    if _SOURCE_IDENTITY not in token.claims:
        return ""
    found = token.require(_SOURCE_IDENTITY)
    check_source_identity(found)
    return found


def _check_role(token: WebToken, role_arn: str) -> bool:
    """Hold iff the provider authorized the role by name; where it authorized others only, nothing is given."""
    if _ROLES not in token.claims:
        return False
    roles = token.claims[_ROLES]
    named = [roles] if isinstance(roles, str) else roles
    if not _are_texts(named) or role_arn not in named:
        raise refuse("The role is not among those that the token authorizes")
    return True


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
