"""The end of every upload that went to the store itself: what came is checked, promoted, and told."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from anyio import to_thread

from keyhole.service.api.answers import Uploaded
from keyhole.service.api.desk import Desk, Place, ask_store, move_file
from keyhole.service.api.links import describe_uploaded, make_links
from keyhole.service.form import open_temporary
from keyhole.service.images.checked import Refused, Unavailable
from keyhole.service.intake import Kept, postpone_image, refuse_image
from keyhole.service.problems import Problem
from keyhole.service.quarantine import Quarantine, Waiting


async def complete_upload(desk: Desk, place: Place, name: str) -> Uploaded:
    """Give the image that came under this name, which is one of the caller's. Raises: Problem."""
    quarantine = Quarantine(place.settings, place.store, place.prefix, place.quarantine)
    found = await ask_store(partial(quarantine.find, name))
    if found is None:
        raise Problem(
            404,
            "nothing-arrived",
            "nothing has been uploaded under this id, or it was refused, or has been waiting for more than a day",
            hint="upload first, then complete",
        )
    kept = found if isinstance(found, Kept) else await _examine(desk, place, quarantine, found)
    return describe_uploaded(await make_links(place), kept)


async def _examine(desk: Desk, place: Place, quarantine: Quarantine, waiting: Waiting) -> Kept:
    file = await to_thread.run_sync(lambda: open_temporary(desk.directory))
    with file:
        await move_file(partial(quarantine.fetch, waiting, file))
        path = Path(file.name)
        try:
            checked = await desk.check_image(place, path)
        except Refused as refused:
            await ask_store(partial(quarantine.discard, waiting, refused.reason))
            raise refuse_image(refused, place.settings) from refused
        except Unavailable as unavailable:
            raise postpone_image(unavailable) from unavailable
        with checked:

            def promote() -> Kept:
                with desk.runtime.quotas.reserve(place.settings, place.caller, place.store, checked.size_bytes):
                    return quarantine.promote(waiting, checked, is_same=checked.path == path)

            return await move_file(promote)
