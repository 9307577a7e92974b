"""moto would deliver what is published to topics itself: here nothing is delivered.

There are no queues and functions in this local AWS, and an endpoint on the network has not confirmed that it wants
messages, without which AWS sends it none: this process makes no request because a client named an address.
AWS: SNS Developer Guide, "Subscribing HTTPS endpoints to SNS topics".
"""

from __future__ import annotations

from typing import Any


def keep_messages() -> None:
    """Let published messages reach nobody."""
    from moto.sns.models import Subscription

    def publish(_self: Any, *_arguments: Any, **_named: Any) -> None:
        pass

    Subscription.publish = publish
