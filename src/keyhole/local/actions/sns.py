"""SNS: operation → action; the resource is the topic, also for the subscriptions to it.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SNS"; SNS Developer Guide,
"Amazon SNS API permissions: Actions and resources reference".
"""

from __future__ import annotations

from collections.abc import Mapping

from keyhole.local.actions.row import Need, Place, ResourcesOf, Row, every
from keyhole.local.call import ApiCall


def _topic(*members: str) -> ResourcesOf:
    """The topic that the call names by its ARN; all, where it names several in one way or another."""

    def resources(call: ApiCall, _place: Place) -> tuple[str, ...]:
        return tuple(str(call.params[name]) for name in members if call.params.get(name)) or ("*",)

    return resources


def _published(call: ApiCall, place: Place) -> tuple[str, ...]:
    """A phone number is no resource: who publishes to one needs the permission for any."""
    topics = _topic("TopicArn", "TargetArn")(call, place)
    return (*topics, "*") if call.params.get("PhoneNumber") and "*" not in topics else topics


def _new_topic(call: ApiCall, place: Place) -> tuple[str, ...]:
    return (f"arn:aws:sns:{place.region}:{place.account}:{call.params.get('Name', '')}",)


def _topic_of_subscription(call: ApiCall, _place: Place) -> tuple[str, ...]:
    """A subscription's ARN is its topic's with an id behind it."""
    arn = str(call.params.get("SubscriptionArn", ""))
    return (arn.rpartition(":")[0] if arn.count(":") > 5 else arn,)


def _subscribed(call: ApiCall, _place: Place) -> Mapping[str, str]:
    found = {"sns:Protocol": str(call.params.get("Protocol", ""))}
    return {**found, "sns:Endpoint": str(call.params["Endpoint"])} if "Endpoint" in call.params else found


def _rows(resource: ResourcesOf, *operations: str) -> dict[str, Row]:
    return {name: (Need(f"sns:{name}", resource),) for name in operations}


_TOPIC = _topic("TopicArn")

ROWS: dict[str, Row] = {
    "CreateTopic": (Need("sns:CreateTopic", _new_topic), Need("sns:TagResource", _new_topic, ("Tags",))),
    **_rows(
        _TOPIC,
        *("DeleteTopic", "GetTopicAttributes", "SetTopicAttributes", "ListSubscriptionsByTopic"),
        *("AddPermission", "RemovePermission", "ConfirmSubscription"),
    ),
    "Subscribe": every("sns:Subscribe", _TOPIC, context=_subscribed),
    **_rows(_topic_of_subscription, "Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes"),
    "Publish": every("sns:Publish", _published),
    "PublishBatch": every("sns:Publish", _TOPIC),
    **_rows(_topic("ResourceArn"), "TagResource", "UntagResource", "ListTagsForResource"),
    **_rows(_topic("ResourceArn"), "GetDataProtectionPolicy", "PutDataProtectionPolicy"),
    **{
        name: every(f"sns:{name}")
        for name in (
            *("ListTopics", "ListSubscriptions", "GetSMSAttributes", "SetSMSAttributes", "ListPlatformApplications"),
            *("CreatePlatformApplication", "DeletePlatformApplication", "GetPlatformApplicationAttributes"),
            *("SetPlatformApplicationAttributes", "CreatePlatformEndpoint", "DeleteEndpoint", "GetEndpointAttributes"),
            *("SetEndpointAttributes", "ListEndpointsByPlatformApplication", "CheckIfPhoneNumberIsOptedOut"),
            *("ListPhoneNumbersOptedOut", "OptInPhoneNumber"),
        )
    },
}
