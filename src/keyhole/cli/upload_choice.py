"""Which `[uploads.…]` of the file is meant."""

from __future__ import annotations

from keyhole.errors import KeyholeError
from keyhole.spec import Spec


def choose_upload(spec: Spec, name: str) -> str:
    """Give the named upload, or the only one there is. Raises: KeyholeError."""
    uploads = tuple(spec.app.uploads)
    if name in uploads:
        return name
    if not uploads:
        raise KeyholeError(
            "the file has no `[uploads.…]`: there is nothing to serve",
            hint="add `[uploads.images]` with `workload = …` and `bucket = …`",
            where=spec.places.file,
        )
    if not name and len(uploads) == 1:
        return uploads[0]
    known = ", ".join(f"`{upload}`" for upload in uploads)
    if not name:
        raise KeyholeError(f"the file has several uploads: {known}", hint=f"say which: `keyhole serve {uploads[0]}`")
    raise KeyholeError(f"the file has no upload `{name}`", hint=f"it has {known}", where=spec.places.file)
