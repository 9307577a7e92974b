"""A topic's attributes are those that topics have: moto sets whatever it is told to, its own members included.

AWS: SNS API Reference, SetTopicAttributes and CreateTopic.
"""

from __future__ import annotations

import re

from keyhole.local.call import ApiCall, Fault

_ATTRIBUTE = re.compile(
    r"DeliveryPolicy|DisplayName|Policy|TracingConfig|KmsMasterKeyId|SignatureVersion|FifoThroughputScope|ArchivePolicy"
    r"|ContentBasedDeduplication|(HTTP|Firehose|Lambda|Application|SQS)(SuccessFeedbackSampleRate"
    r"|(Success|Failure)FeedbackRoleArn)"
)
_AT_BIRTH = "FifoTopic"


def check_attributes(call: ApiCall) -> None:
    """Hold iff the call sets attributes only that topics have. Raises: Fault."""
    if (call.service, call.operation) == ("sns", "SetTopicAttributes"):
        names = [str(call.params.get("AttributeName", ""))]
    elif (call.service, call.operation) == ("sns", "CreateTopic"):
        names = [str(name) for name in call.params.get("Attributes") or () if name != _AT_BIRTH]
    else:
        return
    if any(not _ATTRIBUTE.fullmatch(name) for name in names):
        raise Fault("InvalidParameter", "Invalid parameter: AttributeName")
