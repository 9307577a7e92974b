"""Names and tags: deterministic from app and environment, so that no state file is needed."""

from __future__ import annotations

from dataclasses import dataclass

TAG_APP = "keyhole:app"
TAG_ENVIRONMENT = "keyhole:environment"


@dataclass(frozen=True, slots=True)
class Scope:
    """One app in one environment of one account and region: what a run may touch."""

    app: str
    environment: str
    account: str
    region: str
    elsewhere: tuple[tuple[str, str, str], ...] = ()
    """Kind, name and path of what the file names in IAM and is there already, at another path than the scope's."""

    def path_of(self, kind: str, name: str) -> str:
        """Give the IAM path of a role, user, policy or instance profile of the file: it never changes."""
        return next((path for kind_, name_, path in self.elsewhere if (kind_, name_) == (kind, name)), self.iam_path)

    @property
    def partition(self) -> str:
        """The part of AWS that the region is in: ARNs begin with `arn:<partition>:`."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    @property
    def iam_path(self) -> str:
        """The IAM path of everything that belongs to this scope."""
        return f"/keyhole/{self.app}/{self.environment}/"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that authorise Keyhole to change or delete a resource."""
        return {TAG_APP: self.app, TAG_ENVIRONMENT: self.environment}

    def owns(self, tags: dict[str, str]) -> bool:
        """Hold iff the tags of a resource say that it belongs to this scope."""
        return all(tags.get(key) == value for key, value in self.tags.items())


def short_name(name: str) -> str:
    """Give what people call it: of an ARN the last part, any other name as it is."""
    return name.rpartition("/")[2].rpartition(":")[2] if name.startswith("arn:") else name
