"""The types that travel through the gate: a request on the wire, the API call in it, who makes it, the answer.

Everything the gate does (authenticate, authorize, record, override, pass on) works on one parsed `ApiCall`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from keyhole.iam.model import ANONYMOUS, Principal

if TYPE_CHECKING:
    from keyhole.local.blob import Blob
    from keyhole.local.sessions import Session
    from keyhole.local.web_identity import WebIdentity


class Headers(Mapping[str, str]):
    """HTTP headers: names match case-insensitively, repeated ones are joined by a comma."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            self._values[key] = f"{self._values[key]},{value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self):  # type: ignore[no-untyped-def]  # Iterator[str]; Mapping supplies the type
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({sorted(self._values)})"


class Body(Protocol):
    """The bytes after the headers, not read before somebody asks."""

    def read(self) -> bytes:
        """Give all of it, as sent; the same bytes each time. Raises: Fault where it is cut off or too long."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it was sent: path and query still percent-encoded, as signatures need them."""

    method: str
    raw_path: str
    raw_query: str
    headers: Headers
    body: Body = field(repr=False)
    source_ip: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One API call, in botocore's names: `ApiCall("iam", "GetRole", {"RoleName": "web"}, "us-east-1", …)`.

    `params` has the operation's input members by their model names, typed as in boto3 (int, bool, list, dict, str;
    timestamps stay as sent). A streaming body (PutObject, UploadPart) is not in it: see `request.body`.
    `protocol` is "query", "ec2", "json", "rest-xml" or "rest-json".
    """

    service: str
    operation: str
    params: Mapping[str, Any] = field(repr=False)
    region: str
    protocol: str
    request: HttpRequest


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes the call, after its signature was verified; without a key it is anonymous.

    `user_id` is aws:userid: AIDA… for a user, `AROA…:SESSION` for a role session, the account for its root.
    `auth` is s3:authType: "REST-HEADER", "REST-QUERY-STRING" or "" for anonymous. `web_identity` is what the verified
    token of an AssumeRoleWithWebIdentity says; such a caller's principal is the identity provider.
    """

    principal: Principal = ANONYMOUS
    access_key_id: str = ""
    user_id: str = ""
    user_name: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    session: Session | None = None
    auth: str = ""
    web_identity: WebIdentity | None = None

    @property
    def account(self) -> str:
        """The caller's account; empty for an anonymous one."""
        return self.principal.account


@dataclass(frozen=True, slots=True)
class Response:
    """An answer on the wire; `blob` is its body where that is too large for memory, and `body` is then empty."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    blob: Blob | None = None

    def header(self, name: str) -> str | None:
        """Give the first header of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Fault(Exception):  # noqa: N818  # AWS's own word for it
    """An error as AWS answers it: its code, its sentence, its HTTP status.

    `extra` are further elements of the error document: `(("BucketName", "x"),)`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        *,
        extra: tuple[tuple[str, str], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra
        self.headers = headers
