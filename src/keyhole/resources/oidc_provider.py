"""IAM OIDC provider of GitHub Actions: an account has one at most, so apps share it.

Who made it owns it by its tags. Any app of the account uses it as it is, and adds the audience if it lacks. The owner
that goes deletes it only if no role is left that trusts it; otherwise it hands it over to the app of such a role, or
takes its own tags off where none of them is Keyhole's: so the last app that goes takes it along.
Adding an audience lets nobody in: a job chooses the audience of its token itself, and whom a role trusts is said by
its trust policy. It is never taken away, since others may rely on it by then.
AWS: IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM"; IAM API Reference,
CreateOpenIDConnectProvider (without thumbprints: AWS knows GitHub's certificate authority).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.naming import TAG_APP, TAG_ENVIRONMENT, Scope
from keyhole.resources.kind import Foreign, missing_tags, removal, tag_dict, tag_list

NAME = "oidc-provider"
DEPENDS_ON: tuple[str, ...] = ()
FOREIGN = Foreign.SHARED

GITHUB_HOST = "token.actions.githubusercontent.com"
GITHUB_AUDIENCE = "sts.amazonaws.com"
KEYHOLE_PATH = "/keyhole/"


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """A provider as it shall be."""

    address: str
    arn: str
    host: str
    audience: str
    tags: dict[str, str]
    depends_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.arn


@dataclass(frozen=True, slots=True)
class TrustingRole:
    """A role of others that trusts the provider; `tags` are Keyhole's on it, empty if it is none of Keyhole's."""

    name: str
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class ExistingOidcProvider:
    """`trusted_by`: the roles that trust it and are not the scope's; read only where the scope owns the provider."""

    arn: str
    audiences: tuple[str, ...]
    tags: dict[str, str]
    trusted_by: tuple[TrustingRole, ...] = ()

    @property
    def name(self) -> str:
        return self.arn


def provider_arn(scope: Scope) -> str:
    """Give the ARN of GitHub's provider in the scope's account."""
    return f"arn:{scope.partition}:iam::{scope.account}:oidc-provider/{GITHUB_HOST}"


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the ARN of GitHub's provider if the account has it."""
    arn = provider_arn(scope)
    providers = aws.call("iam", "ListOpenIDConnectProviders").get("OpenIDConnectProviderList", ())
    if any(provider["Arn"] == arn for provider in providers):
        yield arn


def read(aws: Aws, scope: Scope, name: str) -> ExistingOidcProvider | None:
    """Give the provider of this ARN; who trusts it is asked where it is the scope's."""
    try:
        provider = aws.call("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=name)
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    tags = tag_dict(provider.get("Tags"))
    trusted_by = tuple(_trusting_roles(aws, scope, name)) if scope.owns(tags) else ()
    return ExistingOidcProvider(name, tuple(provider.get("ClientIDList", ())), tags, trusted_by)


def calls(want: OidcProvider | None, have: ExistingOidcProvider | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`. One that is there already keeps its tags."""
    if want is None:
        if have is not None:
            yield _leave(have)
        return
    if have is None:
        params = {"Url": f"https://{want.host}", "ClientIDList": [want.audience], "Tags": tag_list(want.tags)}
        # Another app of the account may be faster: then it is there, which is all that is needed.
        settled_by = ("EntityAlreadyExists",)
        why = "let GitHub's tokens be traded for credentials"
        yield Call("iam", "CreateOpenIDConnectProvider", params, why=why, settled_by=settled_by)
    elif want.audience not in have.audiences:
        params = {"OpenIDConnectProviderArn": want.arn, "ClientID": want.audience}
        whose = "" if not missing_tags(want.tags, have.tags) else ", which is shared and stays as it is otherwise"
        why = f"add the audience {want.audience} to it{whose}"
        yield Call("iam", "AddClientIDToOpenIDConnectProvider", params, why=why)


def _leave(have: ExistingOidcProvider) -> Call:
    """Give the one call by which the owner goes: a crash leaves the provider with exactly one owner, or with none."""
    provider = {"OpenIDConnectProviderArn": have.arn}
    if not have.trusted_by:
        return removal("iam", "DeleteOpenIDConnectProvider", provider, "delete it: no other role here trusts it")
    roles = ", ".join(role.name for role in have.trusted_by)
    heir = next((role for role in have.trusted_by if role.tags), None)
    if heir is not None:
        app = f"app {heir.tags[TAG_APP]} ({heir.tags[TAG_ENVIRONMENT]})"
        why = f"it stays, handed over to {app}: it is trusted by {roles}"
        return Call("iam", "TagOpenIDConnectProvider", {**provider, "Tags": tag_list(heir.tags)}, why=why)
    params = {**provider, "TagKeys": [TAG_APP, TAG_ENVIRONMENT]}
    why = f"it stays, without this app's tags: it is trusted by {roles}"
    return Call("iam", "UntagOpenIDConnectProvider", params, why=why)


def _trusting_roles(aws: Aws, scope: Scope, arn: str) -> Iterator[TrustingRole]:
    """Give every role of the account that trusts the provider and does not go with the scope."""
    for role in aws.pages("iam", "ListRoles", "Roles"):
        if not _trusts(role.get("AssumeRolePolicyDocument") or {}, arn):
            continue
        tags: dict[str, str] = {}
        if role["Path"].startswith(KEYHOLE_PATH):
            found = tag_dict(aws.call("iam", "GetRole", RoleName=role["RoleName"])["Role"].get("Tags"))
            if scope.owns(found):
                continue
            if TAG_APP in found and TAG_ENVIRONMENT in found:
                tags = {key: found[key] for key in (TAG_APP, TAG_ENVIRONMENT)}
        yield TrustingRole(role["RoleName"], tags)


def _trusts(document: Mapping[str, Any], arn: str) -> bool:
    statements = document.get("Statement", ())
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal")
        federated = principal.get("Federated", ()) if isinstance(principal, dict) else ()
        if arn in ([federated] if isinstance(federated, str) else federated):
            return True
    return False
