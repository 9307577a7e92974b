"""An account: its users and roles, each with the policies that bind it, from GetAccountAuthorizationDetails.

AWS: IAM API Reference, "GetAccountAuthorizationDetails".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keyhole.errors import KeyholeError, PolicyError
from keyhole.iam.access.document import Asked, Document, Part, read_document
from keyhole.iam.model import Policy, PolicyKind, PolicySet, Principal, PrincipalKind

ANY_SESSION = "session"
"""The name of a role's session, of which none is known."""
_ARN = re.compile(r"arn:[a-z0-9-]+:iam::([0-9]{12}):(user|role)/.+")


@dataclass(frozen=True, slots=True, eq=False)
class Holder:
    """A user or a role. `attached`: the ARNs of managed policies, its groups' too. `problems`: what cannot be told."""

    principal: Principal
    arn: str
    unique_id: str
    documents: tuple[Document, ...] = ()
    boundary: Document | None = None
    trust: Document | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name, without the path."""
        return self.arn.rpartition("/")[2]

    @property
    def is_role(self) -> bool:
        """Hold iff it is a role, else it is a user."""
        return self.principal.kind is PrincipalKind.ROLE_SESSION

    def policies(self, resource: Policy | None = None, trust: Policy | None = None) -> PolicySet:
        """Give all that has a say on what it asks for. Raises: PolicyError."""
        identity = tuple(document.parse() for document in self.documents)
        boundary = self.boundary.parse() if self.boundary is not None else None
        return PolicySet(identity, resource, trust, boundary)

    def relevant(self, asked: Asked) -> tuple[tuple[Part, ...], PolicySet]:
        """Give the parts of its policies that may matter, and these as what has a say. Raises: PolicyError."""
        parts = tuple(part for document in self.documents if (part := document.part(asked)) is not None)
        boundary = None
        if self.boundary is not None:
            part = self.boundary.part(asked)
            boundary = part.policy if part is not None else Policy((), name=self.boundary.name)
        return parts, PolicySet(tuple(part.policy for part in parts), boundary=boundary)

    def find_problem(self) -> str:
        """Why nothing can be told of it for certain, "" if everything can."""
        if self.problems:
            return self.problems[0]
        try:
            self.policies()
        except PolicyError as error:
            return str(error)
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """All users and roles of an account, by ARN, in the order of their names."""

    number: str
    partition: str
    holders: tuple[Holder, ...]
    groups: Mapping[str, str] = field(default_factory=dict)
    """The ARN of each group by its name."""
    group_documents: Mapping[str, tuple[Document, ...]] = field(default_factory=dict)

    def find(self, text: str) -> Holder:
        """Give the user or role of this ARN, or of this name if there is but one. Raises: KeyholeError."""
        role = self._role_of_session(text)
        found = [holder for holder in self.holders if text in (holder.arn, holder.name)]
        found += [holder for holder in self.roles if holder.name == role]
        if len(found) == 1:
            return found[0]
        if not found:
            raise KeyholeError(f"there is no user or role `{text}` in account {self.number}", hint="give its ARN")
        raise KeyholeError(f"`{text}` is a user and a role", hint=f"write `{found[0].arn}` or `{found[1].arn}`")

    @property
    def roles(self) -> tuple[Holder, ...]:
        """Its roles."""
        return tuple(holder for holder in self.holders if holder.is_role)

    def _role_of_session(self, text: str) -> str:
        """Give the name of the role whose session in this account it is, "" if it is none."""
        start = f"arn:{self.partition}:sts::{self.number}:assumed-role/"
        return text.removeprefix(start).partition("/")[0] if text.startswith(start) else ""


def read_details(details: Mapping[str, Any]) -> Account:
    """Give the account that the answer of GetAccountAuthorizationDetails describes. Raises: KeyholeError."""
    lists = {name: details.get(name) for name in ("UserDetailList", "RoleDetailList", "GroupDetailList", "Policies")}
    if not any(isinstance(found, list) for found in lists.values()):
        raise KeyholeError(
            "this is no answer of get-account-authorization-details: it lists neither users nor roles",
            hint="`aws iam get-account-authorization-details > FILE` writes it",
        )
    if details.get("IsTruncated") or details.get("NextToken"):
        raise KeyholeError(
            "these are not all of the account's details: who is not in them could not be named",
            hint="`aws iam get-account-authorization-details > FILE`, without --max-items, writes them all",
        )
    try:
        return _Reader({name: found or [] for name, found in lists.items()}).read()
    except (LookupError, TypeError, AttributeError) as error:
        raise KeyholeError(
            f"this is no answer of get-account-authorization-details: {type(error).__name__}: {error}",
            hint="`aws iam get-account-authorization-details > FILE` writes it",
        ) from None


class _Reader:
    def __init__(self, lists: Mapping[str, list[Mapping[str, Any]]]) -> None:
        self._lists = lists
        self._shared: dict[tuple[PolicyKind, str], Policy] = {}
        self._managed = {str(policy["Arn"]): found for policy in lists["Policies"] if (found := _default(policy))}
        self._read: dict[tuple[str, PolicyKind], Document] = {}

    def read(self) -> Account:
        groups = {str(group["GroupName"]): group for group in self._lists["GroupDetailList"]}
        self._groups = {name: self._own(group, "Group", name) for name, group in groups.items()}
        self._attached = {name: _attached(group) for name, group in groups.items()}
        holders = [self._user(user) for user in self._lists["UserDetailList"]]
        holders += [self._role(role) for role in self._lists["RoleDetailList"]]
        if not holders:
            raise KeyholeError("the account has neither users nor roles: there is nobody to ask about")
        holders.sort(key=lambda holder: holder.arn)
        numbers = {found[1] for holder in holders if (found := _ARN.fullmatch(holder.arn))}
        if len(numbers) != 1:
            raise KeyholeError("the users and roles are not of one account", hint="give one account's details")
        arns = {name: str(group["Arn"]) for name, group in groups.items()}
        documents = {name: found[0] for name, found in self._groups.items()}
        return Account(numbers.pop(), holders[0].arn.split(":")[1], tuple(holders), arns, documents)

    def _user(self, user: Mapping[str, Any]) -> Holder:
        arn, name = str(user["Arn"]), str(user["UserName"])
        groups = tuple(map(str, user.get("GroupList") or ()))
        own, problems = self._own(user, "User", name)
        attached = _attached(user)
        for group in groups:
            if group not in self._groups:
                problems = (*problems, f"the policies of its group `{group}` are not there")
                continue
            own, problems = (*own, *self._groups[group][0]), (*problems, *self._groups[group][1])
            attached = (*attached, *self._attached[group])
        principal = Principal(PrincipalKind.USER, arn, arn.split(":")[4])
        boundary, lacking = self._boundary(user)
        return Holder(
            principal, arn, str(user["UserId"]), own, boundary, None, _tags(user), groups, attached, problems + lacking
        )

    def _role(self, role: Mapping[str, Any]) -> Holder:
        arn, name = str(role["Arn"]), str(role["RoleName"])
        own, problems = self._own(role, "Role", name)
        fields = arn.split(":")
        session = f"arn:{fields[1]}:sts::{fields[4]}:assumed-role/{name}/{ANY_SESSION}"
        principal = Principal(PrincipalKind.ROLE_SESSION, session, fields[4], arn)
        boundary, lacking = self._boundary(role)
        trust = read_document(role["AssumeRolePolicyDocument"], PolicyKind.TRUST, f"trust of {name}", self._shared)
        return Holder(
            principal, arn, str(role["RoleId"]), own, boundary, trust, _tags(role), (), _attached(role),
            problems + lacking,
        )  # fmt: skip

    def _own(self, holder: Mapping[str, Any], kind: str, name: str) -> tuple[tuple[Document, ...], tuple[str, ...]]:
        documents: list[Document] = []
        problems: list[str] = []
        for inline in holder.get(f"{kind}PolicyList") or ():
            label = f"{kind.lower()} {name}: {inline['PolicyName']}"
            documents.append(read_document(inline["PolicyDocument"], PolicyKind.IDENTITY, label, self._shared))
        for arn in _attached(holder):
            found = self._find(arn, PolicyKind.IDENTITY)
            if found is None:
                problems.append(f"its policy `{arn}` is not in the account's details")
            else:
                documents.append(found)
        return tuple(documents), tuple(problems)

    def _boundary(self, holder: Mapping[str, Any]) -> tuple[Document | None, tuple[str, ...]]:
        arn = (holder.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
        if not arn:
            return None, ()
        found = self._find(str(arn), PolicyKind.BOUNDARY)
        return found, () if found else (f"its boundary `{arn}` is not in the account's details",)

    def _find(self, arn: str, kind: PolicyKind) -> Document | None:
        if arn not in self._managed:
            return None
        if (arn, kind) not in self._read:
            self._read[arn, kind] = read_document(self._managed[arn], kind, arn, self._shared)
        return self._read[arn, kind]


def _default(policy: Mapping[str, Any]) -> Any:
    """Give the document of the version that counts, None if it is not there."""
    for version in policy.get("PolicyVersionList") or ():
        if version.get("IsDefaultVersion") or version.get("VersionId") == policy.get("DefaultVersionId"):
            return version.get("Document")
    return None


def _attached(holder: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(policy["PolicyArn"]) for policy in holder.get("AttachedManagedPolicies") or ())


def _tags(holder: Mapping[str, Any]) -> dict[str, str]:
    tags: Iterable[Mapping[str, Any]] = holder.get("Tags") or ()
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags}
