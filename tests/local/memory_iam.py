"""The part of a backend that tells of IAM beyond decisions, with nothing in it."""

from __future__ import annotations

from datetime import datetime

from keyhole.local.iam_backend import Entity, ManagedPolicy


class NoEntities:
    """There is nobody, and so nothing hangs on anybody."""

    def find_entity(self, account: str, kind: str, name: str) -> Entity | None:
        return None

    def list_entities(self, account: str, kind: str) -> tuple[Entity, ...]:
        return ()

    def find_managed_policy(self, account: str, arn: str) -> ManagedPolicy | None:
        return None

    def list_managed_policies(self, account: str) -> tuple[ManagedPolicy, ...]:
        return ()

    def list_profile_names(self, account: str) -> tuple[str, ...]:
        return ()

    def count_providers(self, account: str) -> int:
        return 0

    def find_principal(self, unique_id: str) -> str:
        return ""

    def rename_principal(self, arn: str, name: str) -> None:
        raise NotImplementedError

    def note_use(self, access_key_id: str, role_arn: str, service: str, region: str, at: datetime) -> None:
        return None
