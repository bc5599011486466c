"""Files on disk -> arrays: the binary format in which CIFAR-10 is published.

A batch is nothing but samples of 3073 bytes: the label, then the image's red, green and blue
values, row by row. The published archive is read as it is, never unpacked onto the disk.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

IMAGE = (3, 32, 32)
CHUNK = 1 << 20
RECORD = 1 + 3 * 32 * 32
BATCH = 10_000 * RECORD
MOST = 7 * BATCH  # all that an archive may unpack to: six batches and some words about them
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST = ("test_batch.bin",)
REMEDY = "delete it and put a fresh copy in its place"

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def load_cifar(paths: Sequence[Path]) -> tuple[Pair, Pair]:
    """Read CIFAR-10 from its archive, or from its six files.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        ``cifar-10-binary.tar.gz`` alone, or the six ``.bin`` files.

    Returns
    -------
    (x_train, y_train), (x_test, y_test) : uint8 arrays
        Images (samples, 3, 32, 32) and labels (samples,).

    Raises
    ------
    ValueError
        A file is damaged, or holds something else; the message names it.
    """
    batches = dict(_batches(paths))
    if missing := [name for name in TRAIN + TEST if name not in batches]:
        raise ValueError(f"{paths[0]}: expected {', '.join(missing)} in it; {REMEDY}")
    return _joined([batches[name] for name in TRAIN]), _joined([batches[name] for name in TEST])


def _batches(paths: Sequence[Path]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """(file name, records) of each batch, in any order."""
    if len(paths) > 1:
        for path in paths:
            with path.open("rb") as batch:
                yield path.name, _records(batch.read(BATCH + 1), str(path))
        return
    archive = paths[0]
    try:
        with gzip.open(archive) as file:
            bounded: Any = _Bounded(file)
            members = tarfile.open(fileobj=bounded, mode="r|")  # noqa: SIM115 - nothing to close
            for member in members:
                name = Path(member.name).name
                if not member.isreg() or name not in TRAIN + TEST:
                    continue
                if member.issparse() or member.size > BATCH:
                    raise tarfile.TarError(f"{name} of {member.size} bytes")
                content = members.extractfile(member)
                assert content is not None
                yield name, _records(content.read(), f"{archive}: {name}")
            while bounded.read(CHUNK):  # to the end, where the checksum is
                pass
    except (tarfile.TarError, zlib.error, EOFError, OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, not of the archive
        raise ValueError(f"{archive}: expected an undamaged archive ({error}); {REMEDY}") from error


class _Bounded:
    """A stream of which no more is read than the data set holds, whatever its headers say."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile) -> None:
        self.stream, self.left = stream, MOST

    def read(self, count: int) -> bytes:
        self.left -= count
        if self.left < 0:
            raise tarfile.TarError(f"more than {MOST} bytes in it")
        return self.stream.read(count)


def _records(content: bytes, place: str) -> NDArray[np.uint8]:
    if not content or len(content) % RECORD or len(content) > BATCH:
        raise ValueError(
            f"{place}: expected samples of {RECORD} bytes each, found {len(content)} bytes; "
            f"{REMEDY}"
        )
    return np.frombuffer(content, np.uint8).reshape(-1, RECORD)


def _joined(batches: Sequence[NDArray[np.uint8]]) -> Pair:
    """All samples of some batches, their images one array in C order."""
    samples = sum(map(len, batches))
    x, y = np.empty((samples, *IMAGE), np.uint8), np.empty(samples, np.uint8)
    start = 0
    for records in batches:
        stop = start + len(records)
        y[start:stop] = records[:, 0]
        x[start:stop].reshape(len(records), -1)[...] = records[:, 1:]
        start = stop
    return x, y
