"""Listings of objects, versions and uploads, page by page.

AWS: S3 API Reference, ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keyhole.local import listing
from keyhole.local.acl_policy import object_acl
from keyhole.local.acl_requests import write_owner
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Response
from keyhole.local.listing import Page
from keyhole.local.s3_xml import document, element
from keyhole.local.stored_objects import StoredObject, Upload

Encode = Callable[[str], str]


def list_objects(call: ApiCall, _caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """ListObjects, the first version of it. Raises: Fault (InvalidArgument)."""
    if bucket is None:
        return None
    encode, most = _encoder(call), listing.read_limit(call, "MaxKeys", "max-keys")
    marker, delimiter = str(call.params.get("Marker") or ""), str(call.params.get("Delimiter") or "")
    page = _page(call, backend, marker, most)
    inner = _head(call, encode, most) + element("Marker", encode(marker)) + element("IsTruncated", page.is_truncated)
    if page.is_truncated and delimiter:
        inner += element("NextMarker", encode(page.last))
    return document("ListBucketResult", inner + _entries(page, bucket, backend, encode, has_owner=True))


def list_objects_v2(call: ApiCall, _caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """ListObjectsV2. Raises: Fault (InvalidArgument)."""
    if bucket is None:
        return None
    encode, most = _encoder(call), listing.read_limit(call, "MaxKeys", "max-keys")
    token, start = call.params.get("ContinuationToken"), str(call.params.get("StartAfter") or "")
    page = _page(call, backend, start if token is None else listing.read_token(str(token)), most)
    inner = _head(call, encode, most) + element("KeyCount", len(page.entries))
    inner += element("IsTruncated", page.is_truncated)
    if token is not None:
        inner += element("ContinuationToken", token)
    if page.is_truncated:
        inner += element("NextContinuationToken", listing.write_token(page.last))
    if start:
        inner += element("StartAfter", encode(start))
    has_owner = bool(call.params.get("FetchOwner"))
    return document("ListBucketResult", inner + _entries(page, bucket, backend, encode, has_owner=has_owner))


def list_versions(call: ApiCall, _caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """ListObjectVersions: newest first under each key. Raises: Fault (InvalidArgument)."""
    if bucket is None:
        return None
    encode, most = _encoder(call), listing.read_limit(call, "MaxKeys", "max-keys")
    key_marker, version_marker = (str(call.params.get(name) or "") for name in ("KeyMarker", "VersionIdMarker"))
    prefix, delimiter = str(call.params.get("Prefix") or ""), str(call.params.get("Delimiter") or "")
    # One entry a key is not enough: a key's versions may go over several pages.
    keys = backend.object_keys(bucket.name, is_current=False)
    after = "" if version_marker else key_marker
    found = listing.list_page(keys, prefix=prefix, delimiter=delimiter, after=after, most=len(keys) + 1)
    entries: list[tuple[str, StoredObject | None]] = []
    for entry in found.entries:
        if version_marker and entry.name.encode() < key_marker.encode():
            continue
        versions = () if entry.is_prefix else backend.object_versions(bucket.name, entry.name)
        if version_marker and entry.name == key_marker:
            versions = _after(versions, version_marker)
        entries += [(entry.name, None)] if entry.is_prefix else [(entry.name, version) for version in versions]
        if len(entries) > most:
            break
    shown, is_truncated = entries[:most], 0 < most < len(entries)
    inner = (
        _head(call, encode, most)
        + element("KeyMarker", encode(key_marker))
        + element("VersionIdMarker", version_marker)
        + element("IsTruncated", is_truncated)
    )
    if is_truncated:
        name, version = shown[-1]
        inner += element("NextKeyMarker", encode(name))
        inner += element("NextVersionIdMarker", version.version_id) if version else ""
    inner += "".join(_write_version(version, bucket, encode) for _, version in shown if version)
    return document("ListVersionsResult", inner + _prefixes((name for name, version in shown if not version), encode))


def list_uploads(call: ApiCall, _caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """ListMultipartUploads, by key and then by their beginning. Raises: Fault (InvalidArgument)."""
    if bucket is None:
        return None
    encode, most = _encoder(call), listing.read_limit(call, "MaxUploads", "max-uploads")
    key_marker, id_marker = (str(call.params.get(name) or "") for name in ("KeyMarker", "UploadIdMarker"))
    prefix, delimiter = str(call.params.get("Prefix") or ""), str(call.params.get("Delimiter") or "")
    uploads = sorted(backend.uploads(bucket.name), key=lambda upload: (upload.key.encode(), upload.started))
    keys = list(dict.fromkeys(upload.key for upload in uploads))
    after = "" if id_marker else key_marker
    found = listing.list_page(keys, prefix=prefix, delimiter=delimiter, after=after, most=len(keys) + 1)
    entries: list[tuple[str, Upload | None]] = []
    for entry in found.entries:
        if id_marker and entry.name.encode() < key_marker.encode():
            continue
        mine = [upload for upload in uploads if upload.key == entry.name]
        if id_marker and entry.name == key_marker:
            mine = mine[[upload.upload_id for upload in mine].index(id_marker) + 1 :] if _has(mine, id_marker) else []
        entries += [(entry.name, None)] if entry.is_prefix else [(entry.name, upload) for upload in mine]
    shown, is_truncated = entries[:most], 0 < most < len(entries)
    inner = element("Bucket", bucket.name) + element("KeyMarker", encode(key_marker))
    inner += element("UploadIdMarker", id_marker)
    if is_truncated:
        name, upload = shown[-1]
        inner += element("NextKeyMarker", encode(name))
        inner += element("NextUploadIdMarker", upload.upload_id) if upload else ""
    inner += _query(call, encode) + element("MaxUploads", most) + element("IsTruncated", is_truncated)
    inner += "".join(_write_upload(upload, bucket, encode) for _, upload in shown if upload)
    prefixes = _prefixes((name for name, upload in shown if not upload), encode)
    return document("ListMultipartUploadsResult", inner + prefixes)


def _encoder(call: ApiCall) -> Encode:
    is_encoded = listing.read_encoding(call)
    return lambda text: listing.encode(text, is_encoded=is_encoded)


def _page(call: ApiCall, backend: Backend, after: str, most: int) -> Page:
    prefix, delimiter = str(call.params.get("Prefix") or ""), str(call.params.get("Delimiter") or "")
    keys = backend.object_keys(str(call.params["Bucket"]), is_current=True)
    return listing.list_page(keys, prefix=prefix, delimiter=delimiter, after=after, most=most)


def _head(call: ApiCall, encode: Encode, most: int) -> str:
    return element("Name", call.params["Bucket"]) + _query(call, encode) + element("MaxKeys", most)


def _query(call: ApiCall, encode: Encode) -> str:
    inner = element("Prefix", encode(str(call.params.get("Prefix") or "")))
    if delimiter := call.params.get("Delimiter"):
        inner += element("Delimiter", encode(str(delimiter)))
    return inner + (element("EncodingType", "url") if call.params.get("EncodingType") else "")


def _entries(page: Page, bucket: Bucket, backend: Backend, encode: Encode, *, has_owner: bool) -> str:
    found = (backend.find_object(bucket.name, entry.name) for entry in page.entries if not entry.is_prefix)
    contents = "".join(
        element("Contents", inner=_write_object(stored, bucket, encode, has_owner=has_owner))
        for stored in found
        if stored
    )
    return contents + _prefixes((entry.name for entry in page.entries if entry.is_prefix), encode)


def _prefixes(names: Iterable[str], encode: Encode) -> str:
    return "".join(element("CommonPrefixes", inner=element("Prefix", encode(name))) for name in names)


def _write_object(stored: StoredObject, bucket: Bucket, encode: Encode, *, has_owner: bool) -> str:
    inner = (
        element("Key", encode(stored.key))
        + element("LastModified", listing.write_moment(stored.last_modified))
        + element("ETag", stored.etag)
    )
    if stored.checksum_algorithm:
        inner += element("ChecksumAlgorithm", stored.checksum_algorithm)
    inner += element("Size", stored.size)
    inner += write_owner(object_acl(bucket, stored).owner) if has_owner else ""
    return inner + element("StorageClass", stored.storage_class)


def _write_version(stored: StoredObject, bucket: Bucket, encode: Encode) -> str:
    inner = element("VersionId", stored.version_id) + element("IsLatest", stored.is_latest)
    if stored.is_delete_marker:
        moment = element("LastModified", listing.write_moment(stored.last_modified))
        marker = element("Key", encode(stored.key)) + inner + moment + write_owner(bucket.account)
        return element("DeleteMarker", inner=marker)
    return element("Version", inner=_write_object(stored, bucket, encode, has_owner=True) + inner)


def _write_upload(upload: Upload, bucket: Bucket, encode: Encode) -> str:
    owner = upload.stamp.acl.owner if upload.stamp else bucket.account
    inner = element("Key", encode(upload.key)) + element("UploadId", upload.upload_id)
    inner += write_owner(owner, "Initiator") + write_owner(owner) + element("StorageClass", upload.storage_class)
    return element("Upload", inner=inner + element("Initiated", listing.write_moment(upload.started)))


def _after(versions: tuple[StoredObject, ...], version_id: str) -> tuple[StoredObject, ...]:
    ids = [version.version_id for version in versions]
    return versions[ids.index(version_id) + 1 :] if version_id in ids else versions


def _has(uploads: list[Upload], upload_id: str) -> bool:
    return any(upload.upload_id == upload_id for upload in uploads)
