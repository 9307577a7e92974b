"""Deletions: of one object, and of many that are decided and answered key by key.

AWS: S3 API Reference, DeleteObject and DeleteObjects: keys that may not be deleted come back as errors, the others are
deleted; S3 User Guide, "Deleting object versions from a versioning-enabled bucket".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keyhole.local import object_lock
from keyhole.local.actions.row import Question
from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.object_presence import check_version_id
from keyhole.local.protocols.xmlbody import malformed_xml
from keyhole.local.s3_xml import document, element
from keyhole.local.stored_objects import Deletion

_MAX_KEYS = 1000

# Gives the sentence of a denial, "" where the caller may.
Ask = Callable[[Question], str]


def answer_deletion(call: ApiCall, _caller: Caller, _bucket: object, backend: Backend) -> Response:
    """DeleteObject. Raises: Fault."""
    version_id = check_version_id(call)
    bypasses = bool(call.params.get("BypassGovernanceRetention"))
    item = {"Key": call.params["Key"], "VersionId": version_id, "ETag": call.params.get("IfMatch")}
    done = _delete(str(call.params["Bucket"]), item, backend, bypasses=bypasses)
    headers = [("x-amz-version-id", done.version_id)] if done.version_id else []
    if done.is_delete_marker:
        headers.append(("x-amz-delete-marker", "true"))
    return Response(204, tuple(headers))


def delete_objects(call: ApiCall, backend: Backend, ask: Ask) -> Response:
    """Delete those of the named keys that the caller may delete. Raises: Fault (MalformedXML)."""
    request = call.params.get("Delete") or {}
    objects = request.get("Objects") or []
    if not 0 < len(objects) <= _MAX_KEYS or any(not item.get("Key") for item in objects):
        raise malformed_xml()
    bypasses = bool(call.params.get("BypassGovernanceRetention"))
    answers: list[str] = []
    for item in objects:
        message = _denial(call, item, ask)
        if message:
            answers.append(_error(item, Fault("AccessDenied", message, 403)))
            continue
        try:
            done = _delete(str(call.params["Bucket"]), item, backend, bypasses=bypasses)
        except Fault as fault:
            answers.append(_error(item, fault))
            continue
        if not request.get("Quiet"):
            answers.append(_deleted(item, done))
    return document("DeleteResult", "".join(answers))


def _delete(bucket: str, item: Mapping[str, Any], backend: Backend, *, bypasses: bool) -> Deletion:
    key, version_id = str(item["Key"]), str(item.get("VersionId") or "")
    if version_id and (stored := backend.find_object(bucket, key, version_id)):
        object_lock.check_unlocked(stored.lock, bypasses=bypasses)
    return backend.delete_object(bucket, key, version_id, str(item.get("ETag") or ""))


def _denial(call: ApiCall, item: Mapping[str, Any], ask: Ask) -> str:
    action = "s3:DeleteObjectVersion" if item.get("VersionId") else "s3:DeleteObject"
    resource = f"arn:aws:s3:::{call.params['Bucket']}/{item['Key']}"
    context = {"s3:versionid": item["VersionId"]} if item.get("VersionId") else {}
    message = ask(Question(action, resource, context))
    if not message and call.params.get("BypassGovernanceRetention"):
        message = ask(Question("s3:BypassGovernanceRetention", resource, context))
    return message


def _deleted(item: Mapping[str, Any], done: Deletion) -> str:
    inner = element("Key", item["Key"])
    if item.get("VersionId"):
        inner += element("VersionId", item["VersionId"])
    if done.is_delete_marker:
        inner += element("DeleteMarker", True) + element("DeleteMarkerVersionId", done.version_id)
    return element("Deleted", inner=inner)


def _error(item: Mapping[str, Any], fault: Fault) -> str:
    inner = element("Key", item["Key"])
    if item.get("VersionId"):
        inner += element("VersionId", item["VersionId"])
    return element("Error", inner=inner + element("Code", fault.code) + element("Message", fault.message))
