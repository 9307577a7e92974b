"""A change that ran into someone else's, looked at anew: two runs at once meet, and both end well.

What a run finds made, changed or gone since its plan is read again. Only what carries our tags by then is gone on with,
and nothing is taken away that the plan did not say.
"""

from __future__ import annotations

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError, KeyholeError
from keyhole.naming import Scope
from keyhole.provision.plan import Change
from keyhole.provision.snapshot import read_resource
from keyhole.resources import KINDS, access_key
from keyhole.resources.kind import GONE

EXISTS = frozenset(
    {
        *("EntityAlreadyExists", "BucketAlreadyOwnedByYou", "ResourceExistsException"),
        *("ResourceInUseException", "TrailAlreadyExistsException"),
    }
)
OVERTAKEN = frozenset(
    {
        *EXISTS,
        *GONE,
        *("IncorrectState", "DeleteConflict"),
        # A fifth version of a policy that someone else made meanwhile.
        "LimitExceeded",
    }
)


def resume_change(aws: Aws, scope: Scope, change: Change, failed: Call, error: AwsError) -> tuple[Call, ...] | None:
    """Give the calls that are left of a change whose call `failed` was overtaken, or None if it cannot go on.

    Where nothing is different from what the plan knew there is no reason to try again, but for something that exists
    and is not shown yet: that lags behind.

    Raises: AwsError, KeyholeError if what is there cannot be read.
    """
    # What of an access key is in files, a reading of AWS does not tell: the next run finds out.
    if error.code not in OVERTAKEN or change.kind == access_key.NAME:
        return None
    name = change.want.name if change.want else change.name
    have = read_resource(aws, scope, change.kind, name)
    if have is not None and not scope.owns(have.tags):
        return None
    try:
        calls = tuple(KINDS[change.kind].calls(change.want, have))
    except KeyholeError:
        return None
    agreed = {call.operation for call in change.calls if call.destructive}
    if any(call.destructive and call.operation not in agreed for call in calls):
        return None
    return calls if failed not in calls[:1] or error.code in EXISTS else None
