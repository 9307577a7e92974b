"""Large contents: cut and joined like bytes, and gone from the disk when nobody has them."""

from __future__ import annotations

import hashlib
import random
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhole.local.blob import BLOCK_BYTES, MEMORY_BYTES, Blob, BlobWriter, blocks_of, join


def blob(size: int, seed: int = 0) -> tuple[Blob, bytes]:
    """A blob, and the bytes in it."""
    data = random.Random(seed).randbytes(size)
    writer = BlobWriter()
    for start in range(0, size, 70_001):
        writer.write(data[start : start + 70_001])
    found = writer.finish()
    assert isinstance(found, Blob)
    return found, data


BLOB, DATA = blob(MEMORY_BYTES + 300_000)


def test_little_stays_in_memory() -> None:
    """What is not longer than the limit comes back as bytes."""
    writer = BlobWriter()
    writer.write(b"a" * MEMORY_BYTES)
    assert writer.finish() == b"a" * MEMORY_BYTES


def test_a_blob_knows_its_md5() -> None:
    """It was computed as the bytes came; a part of it, or several together, have to be read for theirs."""
    assert BLOB.md5 == hashlib.md5(DATA, usedforsecurity=False).hexdigest()
    assert BLOB[1:].md5 == ""
    assert join((BLOB, b"x")).md5 == ""  # type: ignore[union-attr]


@given(st.slices(len(DATA)).filter(lambda part: part.step in (None, 1)))
def test_a_blob_is_cut_like_bytes(part: slice) -> None:
    """Any slice without a step gives the same bytes, and the right length."""
    found = BLOB[part]
    assert found.content() == DATA[part]
    assert len(found) == len(DATA[part])


@given(st.lists(st.integers(0, len(DATA)), min_size=2, max_size=8))
def test_cut_pieces_join_to_what_they_were(cuts: list[int]) -> None:
    """Cut anywhere and joined again, it is the same; no block is longer than a block."""
    edges = [0, *sorted(cuts), len(DATA)]
    whole = join(BLOB[start:end] for start, end in pairwise(edges))
    assert b"".join(blocks_of(whole)) == DATA
    assert all(len(block) <= BLOCK_BYTES for block in blocks_of(whole))


def test_writers_do_not_mix() -> None:
    """Blobs that are written at the same time share files, and keep apart."""
    found: dict[int, tuple[Blob, bytes]] = {}
    threads = [threading.Thread(target=lambda n=n: found.update({n: blob(3_000_000, n)})) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(8))
    assert all(one.content() == data for one, data in found.values())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells which files are open")
def test_many_blobs_take_few_files_and_give_them_back() -> None:
    """A hundred megabytes in many blobs are two files or three, and none but the last when the blobs are gone."""

    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = files()
    blobs = [blob(2_000_000, n)[0] for n in range(50)]
    assert before + 1 <= files() <= before + 3
    blobs.clear()
    assert files() <= before + 1
