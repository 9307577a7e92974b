"""The condition keys of a request, filled as AWS fills them; a key that is not known is absent, never guessed.

AWS: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, condition keys of S3 and EC2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from keyhole.local import sigv2
from keyhole.local.actions import s3
from keyhole.local.call import ApiCall, Caller, Fault
from keyhole.local.object_lock import parse_moment
from keyhole.local.principal_context import principal_context
from keyhole.local.sigv4 import UNSIGNED_PAYLOAD, Signature

Values = dict[str, str | tuple[str, ...]]

_DUPLICATE_TAGS = {
    "s3": ("InvalidTag", "Cannot provide multiple Tags with the same key", 400),
    "ec2": ("InvalidParameterValue", "A tag key can be given one value only in Keyhole's local AWS, in one case", 400),
    "sts": ("ValidationError", "Duplicate tag keys found. Please note that Tag keys are case insensitive.", 400),
    "iam": ("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.", 400),
}


def fill_context(
    call: ApiCall, caller: Caller, signature: Signature | None, at: datetime, resource_account: str
) -> Values:
    """Give every condition key of the call that does not depend on the action."""
    return {
        **_network(call, at),
        **principal_context(caller),
        **_tags(call),
        **({"aws:ResourceAccount": resource_account} if resource_account else {}),
        **(_s3(call, caller, signature, at, resource_account) if call.service in ("s3", "s3control") else {}),
        **(_ec2(call) if call.service == "ec2" else {}),
    }


def _network(call: ApiCall, at: datetime) -> Values:
    values: Values = {
        "aws:SourceIp": call.request.source_ip,
        # The endpoint stands in the place of AWS's HTTPS one: whoever wants to be seen without TLS says so.
        "aws:SecureTransport": "false" if _is_plain(call) else "true",
        "aws:ViaAWSService": "false",
        "aws:CurrentTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "aws:EpochTime": str(int(at.timestamp())),
        "aws:RequestedRegion": "us-east-1" if call.service == "iam" else call.region,
    }
    if agent := call.request.headers.get("user-agent"):
        values["aws:UserAgent"] = agent
    if referer := call.request.headers.get("referer"):
        values["aws:Referer"] = referer
    return values


def _is_plain(call: ApiCall) -> bool:
    return call.request.headers.get("x-forwarded-proto", "").strip().lower() == "http"


def _tags(call: ApiCall) -> Values:
    """The tags that the request itself carries: aws:RequestTag/… and aws:TagKeys."""
    pairs = request_tags(call)
    if pairs is None:
        keys = _removed_tags(call)
        return {"aws:TagKeys": tuple(str(key) for key in keys)} if isinstance(keys, list) else {}
    values: Values = {f"aws:RequestTag/{key}": value for key, value in pairs}
    values["aws:TagKeys"] = tuple(key for key, _ in pairs)
    return values


def _removed_tags(call: ApiCall) -> Any:
    if (call.service, call.operation) == ("cloudtrail", "RemoveTags"):
        return [tag.get("Key", "") for tag in call.params.get("TagsList") or ()]
    return call.params.get("tagKeys" if call.service == "ecs" else "TagKeys")


def request_tags(call: ApiCall) -> list[tuple[str, str]] | None:
    """Give the resource tags in a call, None where it carries none; S3 object tags have keys of their own."""
    params: Mapping[str, Any] = call.params
    if call.service == "s3":
        found = (params.get("CreateBucketConfiguration") or {}).get("Tags")
        if call.operation == "PutBucketTagging":
            found = (params.get("Tagging") or {}).get("TagSet")
    elif call.service == "cloudtrail" and call.operation != "RemoveTags":
        found = params.get("TagsList")
    elif call.service == "ecs":
        found = params.get("tags")
    elif "TagSpecifications" in params:
        found = [tag for specification in params["TagSpecifications"] for tag in specification.get("Tags", ())]
    else:
        found = params.get("Tags")
    if not isinstance(found, list):
        return None
    tags = (tag for tag in found if isinstance(tag, dict))
    return [(str(tag.get("Key", tag.get("key", ""))), str(tag.get("Value", tag.get("value", "")))) for tag in tags]


def check_tags(call: ApiCall) -> None:
    """Hold iff no tag has two values, be it in another case: conditions would see one of them only. Raises: Fault."""
    pairs = [*(request_tags(call) or ()), *(_object_tag_pairs(call) or () if call.service == "s3" else ())]
    seen: dict[str, tuple[str, str]] = {}
    for key, value in pairs:
        first = seen.setdefault(key.lower(), (key, value))
        # EC2's instance and volume may both be given one tag; elsewhere a tag comes once.
        if first != (key, value) or (call.service != "ec2" and [k for k, _ in pairs].count(key) > 1):
            raise Fault(*_DUPLICATE_TAGS.get(call.service, _DUPLICATE_TAGS["iam"]))


def _s3(call: ApiCall, caller: Caller, signature: Signature | None, at: datetime, resource_account: str) -> Values:
    values: Values = {}
    for member, key in s3.CONTEXT_MEMBERS.items():
        is_list_key = member in s3.LIST_KEYS
        if member in call.params and (not is_list_key or call.operation in s3.LIST_OPERATIONS):
            values[key] = str(call.params[member])
    if resource_account:
        values["s3:ResourceAccount"] = resource_account
    configuration = call.params.get("CreateBucketConfiguration") or {}
    if "LocationConstraint" in configuration:
        values["s3:LocationConstraint"] = configuration["LocationConstraint"]
    if "x-amz-content-sha256" in call.request.headers:
        values["s3:x-amz-content-sha256"] = call.request.headers["x-amz-content-sha256"]
    elif signature and signature.is_query and signature.version != sigv2.VERSION:
        values["s3:x-amz-content-sha256"] = UNSIGNED_PAYLOAD
    if signature:
        values["s3:authType"] = caller.auth
        values["s3:signatureversion"] = signature.version
    if signature and signature.amz_date:
        values["s3:signatureAge"] = str(max(0, int((at - signature.signed_at).total_seconds() * 1000)))
    return {**values, **_lock(call, at), **_object_tags(call)}


def _lock(call: ApiCall, at: datetime) -> Values:
    """The lock that the request asks for, in headers or in a document, and for how many more days it would hold."""
    params = call.params
    retention, hold = params.get("Retention") or {}, params.get("LegalHold") or {}
    values: Values = {
        key: str(value)
        for key, value in (
            ("s3:object-lock-mode", retention.get("Mode")),
            ("s3:object-lock-retain-until-date", retention.get("RetainUntilDate")),
            ("s3:object-lock-legal-hold", hold.get("Status")),
        )
        if value
    }
    until = parse_moment(retention.get("RetainUntilDate") or params.get("ObjectLockRetainUntilDate"))
    if until is not None:
        values["s3:object-lock-remaining-retention-days"] = str(math.ceil((until - at) / timedelta(days=1)))
    return values


def _object_tag_pairs(call: ApiCall) -> list[tuple[str, str]] | None:
    tagging = call.params.get("Tagging")
    if isinstance(tagging, str):
        return parse_qsl(tagging, keep_blank_values=True)
    if isinstance(tagging, dict) and call.operation == "PutObjectTagging":
        return [(str(tag.get("Key", "")), str(tag.get("Value", ""))) for tag in tagging.get("TagSet", ())]
    return None


def _object_tags(call: ApiCall) -> Values:
    pairs = _object_tag_pairs(call)
    if pairs is None:
        return {}
    values: Values = {f"s3:RequestObjectTag/{key}": value for key, value in pairs}
    values["s3:RequestObjectTagKeys"] = tuple(key for key, _ in pairs)
    return values


def _ec2(call: ApiCall) -> Values:
    values: Values = {"ec2:Region": call.region}
    if "InstanceType" in call.params:
        values["ec2:InstanceType"] = str(call.params["InstanceType"])
    options = call.params.get("MetadataOptions") or {}
    if "HttpTokens" in options:
        values["ec2:MetadataHttpTokens"] = str(options["HttpTokens"])
    profile = call.params.get("IamInstanceProfile") or {}
    if profile.get("Arn"):
        values["ec2:InstanceProfile"] = str(profile["Arn"])
    return values
