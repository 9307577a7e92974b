"""The part of a backend that keeps buckets and objects, with none in it."""

from __future__ import annotations

from keyhole.local.backend import Bucket, PublicAccessBlock
from keyhole.local.stored_objects import Acl, Deletion, Stamp, StoredObject, Upload


class NoObjects:
    """There is no bucket, and so there is nothing in one."""

    def find_bucket(self, name: str) -> Bucket | None:
        return None

    def account_block(self, account: str) -> PublicAccessBlock | None:
        return None

    def set_account_block(self, account: str, block: PublicAccessBlock | None) -> None:
        raise NotImplementedError

    def has_object(self, bucket: str, key: str, version_id: str) -> bool:
        return False

    def object_tags(self, bucket: str, key: str, version_id: str) -> tuple[tuple[str, str], ...]:
        return ()

    def find_object(self, bucket: str, key: str, version_id: str = "") -> StoredObject | None:
        return None

    def object_keys(self, bucket: str, *, is_current: bool) -> list[str]:
        return []

    def object_versions(self, bucket: str, key: str) -> tuple[StoredObject, ...]:
        return ()

    def find_upload(self, bucket: str, upload_id: str) -> Upload | None:
        return None

    def uploads(self, bucket: str) -> tuple[Upload, ...]:
        return ()

    def delete_object(self, bucket: str, key: str, version_id: str = "", if_match: str = "") -> Deletion:
        raise NotImplementedError

    def restamp(self, bucket: str, key: str, version_id: str, stamp: Stamp) -> bool:
        return False

    def set_bucket_acl(self, bucket: str, acl: Acl) -> None:
        raise NotImplementedError
