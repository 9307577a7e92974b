"""The port to AWS: every call that Keyhole makes goes through `Aws.call`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Call:
    """One API call as data, in AWS's own spelling: `Call("s3", "PutBucketPolicy", {…})`.

    `destructive` calls destroy data or access and are asked about. `why` is a few words for the reader of the plan.
    `settled_by`: error codes that say that what the call is for is the case already.
    """

    service: str
    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)
    destructive: bool = False
    why: str = ""
    settled_by: tuple[str, ...] = ()


class Aws(Protocol):
    """An AWS account as seen by one set of credentials."""

    @property
    def region(self) -> str:
        """The region of the calls, "ap-northeast-2"."""

    @property
    def endpoint_url(self) -> str:
        """The endpoint override (a local AWS), or "" for AWS itself."""

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Make one call and give its answer.

        Raises: AwsError, with AWS's code, the operation and the request id.
        """

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Make a paginated call and give the items under `result_key` of every page.

        Raises: AwsError.
        """
