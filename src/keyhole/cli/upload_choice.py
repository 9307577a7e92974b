"""Which `[uploads.…]` of the file are meant."""

from __future__ import annotations

from keyhole.errors import KeyholeError
from keyhole.spec import Spec


def choose_uploads(spec: Spec, name: str) -> tuple[str, ...]:
    """Give the named upload and the others of its workload, the named one first; without a name all there are.

    Raises: KeyholeError if there is none, or if nobody says which of several workloads is meant.
    """
    uploads = spec.app.uploads
    if not uploads:
        raise KeyholeError(
            "the file has no `[uploads.…]`: there is nothing to serve",
            hint="add `[uploads.images]` with `workload = …` and `bucket = …`",
            where=spec.places.file,
        )
    known = ", ".join(f"`{upload}`" for upload in uploads)
    if name and name not in uploads:
        raise KeyholeError(f"the file has no upload `{name}`", hint=f"it has {known}", where=spec.places.file)
    first = name or next(iter(uploads))
    workload = uploads[first].workload
    others = tuple(upload for upload in uploads if upload != first and uploads[upload].workload == workload)
    if not name and len(others) + 1 < len(uploads):
        raise KeyholeError(
            f"the uploads of the file run as several workloads: {known}",
            hint=f"say which: `keyhole serve {first}` serves all of `{workload}`",
        )
    return (first, *others)
