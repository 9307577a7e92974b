"""Claims: what must hold, and what must not, in terms of requests. Nothing else says what should be allowed.

Each claim is decided on paper against the planned policies before anything changes, and tried for real afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

ANONYMOUS = "anonymous"
GITHUB_JOB = "github.com"
LAUNCHER = ".launcher"
"""What follows a workload's key where a claim is about whoever launches it."""
CALLERS = ".callers"
"""What follows an upload's key where a claim is about the role that its callers are served with."""
_WHO = {ANONYMOUS: "anyone on the web", GITHUB_JOB: "a GitHub Actions job"}


class Expected(StrEnum):
    CAN = "can"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class Target:
    """What a claim's requests are about: a bucket, and keys under `prefix` in it where the action takes objects.

    `bucket` may be empty for an action that names none.
    """

    bucket: str = ""
    prefix: str = ""
    is_object: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """`who` can, or cannot, do `action` on `resource`.

    `who` is a workload's key, "anonymous", a service of AWS by its principal, "github.com": whoever holds a token of
    GitHub's with the `context`, "KEY.launcher": whoever has the policy for launching the workload, or
    "UPLOAD.callers": the role that callers of an upload are served with.
    `resource` is an ARN with a closing `*` for "all of these". `context` are the condition keys that such a request
    carries. `on_paper`: it is decided on the policies alone, because nobody can try it safely. `environment` names
    the other environment of the app that it is about, if any: it can be tried once that is there. `place` is where
    the file says so. `why` says it in the user's terms.
    """

    id: str
    who: str
    action: str
    resource: str
    expected: Expected
    why: str
    place: str
    target: Target = Target()
    context: dict[str, str] = field(default_factory=dict)
    on_paper: bool = False
    environment: str = ""

    @property
    def sentence(self) -> str:
        """The claim as a person reads it."""
        if self.who.endswith(LAUNCHER):
            return f"who launches {self.who.removesuffix(LAUNCHER)} {self._predicate}"
        if self.who.endswith(CALLERS):
            return f"callers of upload {self.who.removesuffix(CALLERS)} {self._predicate}"
        who = _WHO.get(self.who) or (self.who if "." in self.who else f"workload {self.who}")
        return f"{who} {self._predicate}"

    @property
    def _predicate(self) -> str:
        conditions = "".join(f", {key} = {value}" for key, value in self.context.items())
        return f"{self.expected} {self.action} on {self.resource}{conditions}"
