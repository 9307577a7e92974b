"""moto's buckets and objects: the only place that knows how moto keeps them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moto.s3 import notifications
from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

from keyhole.local.backend import Bucket, CorsRule, PublicAccessBlock, Tags
from keyhole.local.conditional_requests import check_match
from keyhole.local.moto_births import BLOCK, STAMP, guard
from keyhole.local.moto_blobs import PART_SIZES
from keyhole.local.stored_objects import Acl, Deletion, Lock, Part, Stamp, StoredObject, Upload

_PARTITION = "aws"
_NULL = "null"


class MotoObjects:
    """Reads and writes of moto's S3, in the types of the port."""

    def find_bucket(self, name: str) -> Bucket | None:
        bucket = _bucket(name)
        if bucket is None:
            return None
        tags = s3_backends[bucket.account_id][_PARTITION].tagger.get_tag_dict_for_resource(bucket.arn)
        account_block = self.account_block(bucket.account_id) or PublicAccessBlock()
        return Bucket(
            name=name,
            account=bucket.account_id,
            region=bucket.region_name,
            policy=bucket.policy.decode("utf-8", "replace") if bucket.policy else None,
            ownership=bucket.ownership_rule or "ObjectWriter",
            public_access_block=_block(bucket.public_access_block) | account_block,
            tags=tuple(tags.items()),
            cors=tuple(_cors_rule(rule) for rule in bucket.cors),
            acl=getattr(bucket, STAMP, None),
            versioning=bucket.versioning_status or "",
            has_object_lock=bool(bucket.object_lock_enabled),
        )

    def account_block(self, account: str) -> PublicAccessBlock | None:
        if account not in s3_backends:
            return None
        found: PublicAccessBlock | None = getattr(s3_backends[account][_PARTITION], BLOCK, None)
        return found

    def set_account_block(self, account: str, block: PublicAccessBlock | None) -> None:
        setattr(s3_backends[account][_PARTITION], BLOCK, block)

    def set_bucket_acl(self, bucket: str, acl: Acl) -> None:
        if (found := _bucket(bucket)) is not None:
            setattr(found, STAMP, acl)

    def has_object(self, bucket: str, key: str, version_id: str) -> bool:
        found = _bucket(bucket)
        return found is not None and isinstance(_version(found, key, version_id), FakeKey)

    def object_tags(self, bucket: str, key: str, version_id: str) -> Tags:
        found = _bucket(bucket)
        stored = _version(found, key, version_id) if found else None
        if found is None or not isinstance(stored, FakeKey):
            return ()
        tags = s3_backends[found.account_id][_PARTITION].tagger.get_tag_dict_for_resource(stored.arn)
        return tuple(tags.items())

    def find_object(self, bucket: str, key: str, version_id: str = "") -> StoredObject | None:
        found = _bucket(bucket)
        versions = found.keys.getlist(key, []) if found else []
        version = _version(found, key, version_id) if found else None
        return _stored(key, version, is_latest=version is versions[-1]) if version is not None else None

    def object_keys(self, bucket: str, *, is_current: bool) -> list[str]:
        found = _bucket(bucket)
        every = list(dict.items(found.keys)) if found else []
        keys = [key for key, versions in every if versions and (not is_current or isinstance(versions[-1], FakeKey))]
        return sorted(keys, key=str.encode)

    def object_versions(self, bucket: str, key: str) -> tuple[StoredObject, ...]:
        found = _bucket(bucket)
        versions = list(reversed(found.keys.getlist(key, []))) if found else []
        return tuple(_stored(key, version, is_latest=number == 0) for number, version in enumerate(versions))

    def find_upload(self, bucket: str, upload_id: str) -> Upload | None:
        found = _bucket(bucket)
        upload = found.multiparts.get(upload_id) if found else None
        return _upload(upload) if upload else None

    def uploads(self, bucket: str) -> tuple[Upload, ...]:
        found = _bucket(bucket)
        return tuple(_upload(upload) for upload in list(found.multiparts.values())) if found else ()

    def delete_object(self, bucket: str, key: str, version_id: str = "", if_match: str = "") -> Deletion:
        with guard(bucket, key):
            found = _bucket(bucket)
            if found is None:
                return Deletion()
            if if_match:
                check_match(if_match, self.find_object(bucket, key), key)
            if version_id:
                gone = _version(found, key, version_id)
                _remove(found, key, version_id)
                is_marker = isinstance(gone, FakeDeleteMarker)
                return Deletion(version_id if found.versioning_status else "", is_marker)
            if not found.versioning_status:
                _remove(found, key, _NULL)
                return Deletion()
            marker = FakeDeleteMarker(SimpleNamespace(name=key))
            if found.versioning_status == "Suspended":
                _remove(found, key, _NULL)
                marker._version_id = _NULL
            found.keys.setlist(key, [*found.keys.getlist(key, []), marker])
            return Deletion(marker.version_id, is_delete_marker=True)

    def restamp(self, bucket: str, key: str, version_id: str, stamp: Stamp) -> bool:
        found = _bucket(bucket)
        stored = _version(found, key, version_id) if found else None
        if not isinstance(stored, FakeKey):
            return False
        setattr(stored, STAMP, stamp)
        return True


def _bucket(name: str) -> Any:
    owner = s3_backends.bucket_accounts.get(name)
    return s3_backends[owner[1]][owner[0]].buckets.get(name) if owner else None


def _version(bucket: Any, key: str, version_id: str) -> Any:
    """Give moto's object or delete marker; an empty version is the current one."""
    versions = bucket.keys.getlist(key, [])
    if not version_id:
        return versions[-1] if versions else None
    return next((item for item in versions if str(item.version_id) == version_id), None)


def _remove(bucket: Any, key: str, version_id: str) -> None:
    versions = bucket.keys.getlist(key, [])
    kept = [item for item in versions if str(item.version_id) != version_id]
    if len(kept) == len(versions):
        return
    current = versions[-1]
    if kept:
        bucket.keys.setlist(key, kept)
        return
    if isinstance(current, FakeKey):
        event = notifications.S3NotificationEvent.OBJECT_REMOVED_DELETE_EVENT
        notifications.send_event(bucket.account_id, event, bucket, current)
    dict.pop(bucket.keys, key, None)
    for item in versions:
        if isinstance(item, FakeKey):
            item.dispose()


def _stored(key: str, version: Any, *, is_latest: bool) -> StoredObject:
    version_id = str(version.version_id)
    if not isinstance(version, FakeKey):
        return StoredObject(key, version_id, version.last_modified, is_delete_marker=True, is_latest=is_latest)
    return StoredObject(
        key,
        version_id,
        version.last_modified,
        is_latest=is_latest,
        etag=version.etag,
        size=version.size,
        storage_class=version.storage_class or "STANDARD",
        checksum_algorithm=version.checksum_algorithm or "",
        stamp=getattr(version, STAMP, None),
        lock=Lock(version.lock_mode or "", version.lock_until or "", version.lock_legal_status or ""),
        upload_id=version.multipart.id if version.multipart else "",
        part_sizes=getattr(version.multipart, PART_SIZES, ()),
    )


def _upload(upload: Any) -> Upload:
    parts = (upload.parts[number] for number in sorted(upload.parts))
    return Upload(
        upload_id=upload.id,
        key=str(upload.key_name),
        started=upload.started,
        storage_class=upload.storage or "STANDARD",
        parts=tuple(Part(int(part.name), part.etag, part.size, part.last_modified) for part in parts),
        stamp=getattr(upload, STAMP, None),
    )


def _block(block: Any) -> PublicAccessBlock:
    if not block:
        return PublicAccessBlock()
    return PublicAccessBlock(
        block.block_public_acls,
        block.ignore_public_acls,
        block.block_public_policy,
        block.restrict_public_buckets,
    )


def _cors_rule(rule: Any) -> CorsRule:
    return CorsRule(
        origins=_strings(rule.allowed_origins),
        methods=_strings(rule.allowed_methods),
        headers=_strings(rule.allowed_headers),
        exposed_headers=_strings(rule.exposed_headers),
        max_age_s=int(rule.max_age_seconds) if rule.max_age_seconds is not None else None,
    )


def _strings(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())
