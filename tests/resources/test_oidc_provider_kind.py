from dataclasses import replace
from typing import Any

from keyhole.naming import Scope
from keyhole.resources import oidc_provider
from keyhole.resources.oidc_provider import ExistingOidcProvider, OidcProvider, TrustingRole, provider_arn
from recording_aws import RecordingAws

SCOPE = Scope("shop", "default", "111122223333", "eu-west-1")
ARN = provider_arn(SCOPE)
WANT = OidcProvider("oidc-provider.github", ARN, oidc_provider.GITHUB_HOST, "sts.amazonaws.com", SCOPE.tags)
HAVE = ExistingOidcProvider(ARN, ("sts.amazonaws.com",), SCOPE.tags)


def operations(want: OidcProvider | None, have: ExistingOidcProvider | None) -> list[str]:
    return [call.operation for call in oidc_provider.calls(want, have)]


def test_it_is_made_with_tags_and_audience_and_without_thumbprints() -> None:
    """AWS knows GitHub's certificate authority; that another app was faster is as good."""
    (call,) = oidc_provider.calls(WANT, None)
    assert call.params == {
        "Url": "https://token.actions.githubusercontent.com",
        "ClientIDList": ["sts.amazonaws.com"],
        "Tags": [
            {"Key": "keyhole:app", "Value": "shop"},
            {"Key": "keyhole:environment", "Value": "default"},
        ],
    }
    assert call.settled_by == ("EntityAlreadyExists",)


def test_one_that_is_there_is_used_as_it_is() -> None:
    """Neither the tags nor the audiences of others are touched."""
    assert operations(WANT, HAVE) == []
    assert operations(WANT, replace(HAVE, tags={}, audiences=("sts.amazonaws.com", "other"))) == []


def test_a_lacking_audience_is_added_and_nothing_else() -> None:
    """The plan says that what it adds to is shared."""
    (call,) = oidc_provider.calls(WANT, replace(HAVE, tags={}, audiences=("other",)))
    assert call.operation == "AddClientIDToOpenIDConnectProvider"
    assert call.params == {"OpenIDConnectProviderArn": ARN, "ClientID": "sts.amazonaws.com"}
    assert "shared" in call.why
    assert not call.destructive


def test_the_last_one_takes_it_along() -> None:
    """Without another role that trusts it, it is deleted."""
    assert operations(None, HAVE) == ["DeleteOpenIDConnectProvider"]


def test_it_is_handed_over_to_an_app_that_still_needs_it() -> None:
    """In one call: it never has two owners, and the heir deletes it when it goes."""
    tags = {"keyhole:app": "blog", "keyhole:environment": "prod"}
    have = replace(HAVE, trusted_by=(TrustingRole("someone", {}), TrustingRole("blog-ci", tags)))
    (call,) = oidc_provider.calls(None, have)
    assert call.operation == "TagOpenIDConnectProvider"
    assert {"Key": "keyhole:app", "Value": "blog"} in call.params["Tags"]
    assert "someone, blog-ci" in call.why
    assert not call.destructive


def test_it_stays_for_roles_that_are_not_keyhole_s() -> None:
    """Nothing that works without Keyhole stops working; it only loses our tags."""
    (call,) = oidc_provider.calls(None, replace(HAVE, trusted_by=(TrustingRole("someone", {}),)))
    assert call.operation == "UntagOpenIDConnectProvider"
    assert call.params["TagKeys"] == ["keyhole:app", "keyhole:environment"]


def role(name: str, path: str, federated: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Federated": federated}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return {"RoleName": name, "Path": path, "AssumeRolePolicyDocument": {"Statement": statement}}


class Account(RecordingAws):
    """An account with a provider of the scope's and roles; roles under Keyhole's path have these tags."""

    def __init__(self, roles: list[dict[str, Any]], tags: dict[str, dict[str, str]]) -> None:
        provider = {"ClientIDList": ["sts.amazonaws.com"], "Tags": self.tag_list(SCOPE.tags)}
        super().__init__({"GetOpenIDConnectProvider": provider, "ListRoles": {"Roles": roles}})
        self._tags = tags

    @staticmethod
    def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        answer = super().call(service, operation, **params)
        if operation == "GetRole":
            return {"Role": {"Tags": self.tag_list(self._tags.get(params["RoleName"], {}))}}
        return answer


def test_who_trusts_it_is_read_from_the_trust_policies() -> None:
    """Our own roles do not count; one that only stands under our path does, and so does one in a list."""
    blog = {"keyhole:app": "blog", "keyhole:environment": "prod"}
    aws = Account(
        [
            role("shop-ci", "/keyhole/shop/default/", ARN),
            role("squatter", "/keyhole/shop/default/", ARN),
            role("blog-ci", "/keyhole/blog/prod/", [ARN]),
            role("plain", "/", ["other", ARN]),
            role("elsewhere", "/", ARN + "x"),
            {"RoleName": "ec2", "Path": "/", "AssumeRolePolicyDocument": {"Statement": [{"Principal": "*"}]}},
        ],
        {"shop-ci": SCOPE.tags, "blog-ci": blog},
    )
    have = oidc_provider.read(aws, SCOPE, ARN)
    assert have is not None
    assert have.trusted_by == (
        TrustingRole("squatter", {}),
        TrustingRole("blog-ci", blog),
        TrustingRole("plain", {}),
    )


def test_nobody_asks_who_trusts_what_is_not_ours() -> None:
    """The roles of the account are listed only by the owner."""
    aws = RecordingAws({"GetOpenIDConnectProvider": {"ClientIDList": []}})
    have = oidc_provider.read(aws, SCOPE, ARN)
    assert have == ExistingOidcProvider(ARN, (), {}, ())
    assert aws.operations == ["iam:GetOpenIDConnectProvider"]
