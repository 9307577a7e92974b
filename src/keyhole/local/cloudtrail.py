"""A request as an event in CloudTrail's shape, with what was asked of the policies and what they said.

AWS: CloudTrail User Guide, "CloudTrail record contents for management, data, and network activity events" and
"CloudTrail userIdentity element"; S3 User Guide, "CloudTrail log file entries for Amazon S3". What is Keyhole's own is
under the key `keyhole`: the mode, the HTTP status, the Host that was called, the key id that a refused caller claimed,
the condition keys that every question had (keys of one question alone are with it), and the decisions. No secret is in
an event: see `event_parameters`.
"""

from __future__ import annotations

import uuid
from typing import Any

from keyhole.iam.model import PrincipalKind
from keyhole.local.call import Caller
from keyhole.local.event_parameters import claimed_key_id, cut, name_refused, parameters_of, without_secrets
from keyhole.local.happened import Happened
from keyhole.local.inquiry import Asked

_VERSION = "1.11"
_TYPES = {
    PrincipalKind.ROOT: "Root",
    PrincipalKind.USER: "IAMUser",
    PrincipalKind.ROLE_SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.WEB_IDENTITY: "WebIdentityUser",
    PrincipalKind.SERVICE: "AWSService",
    PrincipalKind.ANONYMOUS: "AWSAccount",
}
_SOURCES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging", "s3control": "s3"}
_RESOURCE_TYPES = {
    ("iam", "role"): "AWS::IAM::Role",
    ("iam", "user"): "AWS::IAM::User",
    ("iam", "policy"): "AWS::IAM::Policy",
    ("dynamodb", "table"): "AWS::DynamoDB::Table",
}
_READS = ("Get", "List", "Describe", "Head", "Simulate", "AssumeRole", "Lookup", "BatchGet", "TransactGet", "Select")
_READ_OPERATIONS = frozenset({"Query", "Scan"})
# AWS: S3 User Guide, "Amazon S3 CloudTrail events", object-level actions: those that name no key.
_DATA_WITHOUT_KEY = frozenset({"DeleteObjects", "HeadBucket", "ListObjects", "ListObjectsV2", "ListObjectVersions"})
# AWS: DynamoDB Developer Guide, "Logging DynamoDB operations by using AWS CloudTrail", data plane events.
_ITEM_OPERATIONS = frozenset(
    {
        *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"),
        *("TransactGetItems", "TransactWriteItems"),
    }
)
_AUTHENTICATION = {"REST-HEADER": "AuthHeader", "REST-QUERY-STRING": "QueryString", "POST": "HtmlForm"}


def describe(happened: Happened) -> dict[str, Any]:
    """Give the event of a request."""
    call, caller, fault, trail = happened.call, happened.caller, happened.fault, happened.trail
    operation, parameters = (call.operation, parameters_of(call)) if call else name_refused(happened)
    is_data = _is_data(happened.service, operation, parameters)
    event: dict[str, Any] = {
        "eventVersion": _VERSION,
        "userIdentity": _identity(caller),
        "eventTime": _timestamp(happened.at),
        "eventSource": f"{_SOURCES.get(happened.service, happened.service)}.amazonaws.com",
        "eventName": operation,
        "awsRegion": happened.region,
        "sourceIPAddress": happened.request.source_ip,
        "userAgent": without_secrets(happened.request.headers.get("user-agent", "")),
    }
    if fault:
        event["errorCode"] = fault.code
        event["errorMessage"] = cut(fault.message)
    context, decisions = _decisions(trail)
    event["requestParameters"] = parameters
    event["responseElements"] = None
    if happened.service == "s3" and caller.auth:
        event["additionalEventData"] = {
            "SignatureVersion": "SigV2" if context.get("s3:signatureversion") == "AWS" else "SigV4",
            "AuthenticationMethod": _AUTHENTICATION.get(caller.auth, caller.auth),
        }
    event["requestID"] = happened.request_id
    event["eventID"] = str(uuid.uuid4())
    event["readOnly"] = operation.startswith(_READS) or operation in _READ_OPERATIONS
    event["resources"] = _resources(trail)
    event["eventType"] = "AwsApiCall"
    event["managementEvent"] = not is_data
    event["recipientAccountId"] = (trail[0].request.resource_account if trail else "") or caller.account
    event["eventCategory"] = "Data" if is_data else "Management"
    event["keyhole"] = {
        "mode": happened.mode.value,
        "status": happened.status,
        "host": happened.request.headers.get("host", ""),
        "context": context,
        "decisions": decisions,
    }
    if fault and caller.principal.kind is PrincipalKind.ANONYMOUS and (claimed := claimed_key_id(happened.request)):
        event["keyhole"]["claimedAccessKeyId"] = claimed
    return event


def _timestamp(at: Any) -> str:
    # strftime takes five times as long.
    return f"{at.year:04}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.minute:02}:{at.second:02}Z"


def _identity(caller: Caller) -> dict[str, Any]:
    principal = caller.principal
    identity: dict[str, Any] = {"type": _TYPES[principal.kind]}
    if principal.kind is PrincipalKind.ANONYMOUS:
        return {**identity, "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    identity["principalId"] = caller.user_id
    if caller.web_identity:
        return identity | {"userName": caller.web_identity.subject, "identityProvider": principal.arn}
    identity["arn"] = principal.arn
    identity["accountId"] = principal.account
    identity["accessKeyId"] = caller.access_key_id
    if caller.user_name:
        identity["userName"] = caller.user_name
    if session := caller.session:
        attributes = {"creationDate": _timestamp(session.issued_at), "mfaAuthenticated": "false"}
        identity["sessionContext"] = {"attributes": attributes}
        if session.source_identity:
            identity["sessionContext"]["sourceIdentity"] = session.source_identity
        if principal.kind is PrincipalKind.ROLE_SESSION:
            identity["sessionContext"]["sessionIssuer"] = {
                "type": "Role",
                "principalId": session.role_id,
                "arn": principal.role_arn,
                "accountId": principal.account,
                "userName": principal.role_arn.rsplit("/", 1)[-1],
            }
    return identity


def _resources(trail: tuple[Asked, ...]) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for asked in trail:
        arn = cut(asked.request.resource)
        if arn.startswith("arn:aws:s3:::"):
            bucket, slash, _ = arn.partition("/")
            if slash:
                found[arn] = {"type": "AWS::S3::Object", "ARN": arn}
            found[bucket] = {"accountId": asked.request.resource_account, "type": "AWS::S3::Bucket", "ARN": bucket}
        elif arn.startswith("arn:") and arn.count(":") >= 5:
            _, _, service, _, account, rest = arn.split(":", 5)
            found[arn] = {"ARN": arn, **({"accountId": account} if account else {})}
            if kind := _RESOURCE_TYPES.get((service, rest.partition("/")[0])):
                found[arn]["type"] = kind
    return list(found.values())


def _decisions(trail: tuple[Asked, ...]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give the condition keys that every question had, and each question with its answer and its further keys."""
    contexts = [asked.request.context.by_key for asked in trail]
    common = dict(contexts[0]) if contexts else {}
    for other in contexts[1:]:
        common = {key: value for key, value in common.items() if other.get(key) == value}
    decisions = []
    for asked, context in zip(trail, contexts, strict=True):
        request, decision = asked.request, asked.decision
        found: dict[str, Any] = {
            "action": request.action,
            "resource": cut(request.resource),
            "allowed": decision is None or decision.is_allowed,
            "reason": decision.reason if decision else "not asked",
        }
        if len(context) > len(common):
            found["context"] = _written({key: value for key, value in context.items() if key not in common})
        decisions.append(found)
    return _written(common), decisions


def _written(context: dict[str, Any]) -> dict[str, Any]:
    return {
        key: without_secrets(value) if isinstance(value, str) else [cut(item) for item in value]
        for key, value in context.items()
    }


def _is_data(service: str, operation: str, parameters: dict[str, Any] | None) -> bool:
    if service == "s3":
        return operation in _DATA_WITHOUT_KEY or (parameters is not None and "key" in parameters)
    return service == "dynamodb" and operation in _ITEM_OPERATIONS
