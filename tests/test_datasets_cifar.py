"""CIFAR-10: the binary format, packed and unpacked, whole and damaged."""

import gzip
import io
import tarfile
import tracemalloc

import numpy as np
import pytest

from nnscratch.data import load_dataset
from nnscratch.data.cifar import TEST, TRAIN

ARCHIVE = "cifar-10-binary.tar.gz"
SAMPLES = 4


def batch(number, labels=None):
    """Labels and values that tell batch, channel, row and column apart."""
    labels = (np.arange(SAMPLES) + number) % 10 if labels is None else labels
    records = bytearray()
    for label in labels:
        red, green, blue = np.full((32, 32), number), np.arange(32)[:, None], np.arange(32)[None]
        planes = [np.broadcast_to(plane, (32, 32)).astype(np.uint8) for plane in (red, green, blue)]
        records += bytes([label]) + b"".join(plane.tobytes() for plane in planes)
    return bytes(records)


BATCHES = {name: batch(i) for i, name in enumerate(TRAIN + TEST, 1)}


def pack(path, batches):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {"batches.meta.txt": b"airplane\n", **batches}.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def unpack(folder, batches):
    folder.mkdir(parents=True)
    for name, content in batches.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    "place", [f"cifar10/{ARCHIVE}", ARCHIVE, "cifar-10-batches-bin", "cifar10", "."]
)
def test_it_is_read_packed_and_unpacked(tmp_path, place):
    root = tmp_path / "root"
    if place.endswith(".gz"):
        # the order of the members does not count
        pack(root / place, dict(reversed(BATCHES.items())))
    else:
        unpack(root / place, BATCHES)
    data = load_dataset("cifar10", root=root)
    assert (data.x_train.shape, data.x_test.shape) == ((20, 3, 32, 32), (4, 3, 32, 32))
    assert (data.x_train.dtype, data.y_train.dtype) == (np.float32, np.int64)
    assert data.x_train.pixels.flags.c_contiguous
    assert data.y_train.tolist() == [(i + k) % 10 for k in range(1, 6) for i in range(4)]
    assert data.y_test.tolist() == [6, 7, 8, 9]
    pixels = data.x_train.pixels
    assert pixels[4:8, 0].max() == pixels[4:8, 0].min() == 2  # red: the number of the batch
    np.testing.assert_array_equal(pixels[19, 1], np.repeat(np.arange(32), 32).reshape(32, 32))
    np.testing.assert_array_equal(pixels[19, 2], np.tile(np.arange(32), 32).reshape(32, 32))
    assert data.class_names[data.y_test[0]] == "frog"


def test_an_archive_is_not_unpacked_onto_the_disk(tmp_path):
    pack(tmp_path / ARCHIVE, {**BATCHES, "../../evil.bin": b"x"})
    load_dataset("cifar10", root=tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == [ARCHIVE]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-3000], "expected an undamaged archive"),
        (lambda content: content[:30], "expected an undamaged archive"),
        (lambda content: b"", "expected"),
        (lambda content: b"<html>" * 100, "expected an undamaged archive"),
        (lambda content: content[:700] + b"!!!!" + content[704:], "expected an undamaged archive"),
    ],
)
def test_a_damaged_archive_is_named(tmp_path, damage, message):
    pack(tmp_path / ARCHIVE, BATCHES)
    content = (tmp_path / ARCHIVE).read_bytes()
    (tmp_path / ARCHIVE).write_bytes(damage(content))
    with pytest.raises(ValueError, match=f"{ARCHIVE}: {message}.*put a fresh copy"):
        load_dataset("cifar10", root=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data_batch_2.bin", b"x" * 3072, "samples of 3073 bytes each, found 3072 bytes"),
        ("test_batch.bin", b"", "samples of 3073 bytes each, found 0 bytes"),
        ("data_batch_1.bin", batch(1, [3, 10]), "expected labels 0 to 9, found 10 in row 1"),
        ("test_batch.bin", batch(1, [11]), "expected labels 0 to 9, found 11 in row 0"),
        ("data_batch_3.bin", None, "expected data_batch_3.bin in it"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_wrong_batch_is_named(tmp_path, packed, name, content, message):
    batches = {key: value for key, value in {**BATCHES, name: content}.items() if value is not None}
    if packed:
        pack(tmp_path / ARCHIVE, batches)
    else:
        unpack(tmp_path / "cifar10", batches)
    if content is None and not packed:
        with pytest.raises(FileNotFoundError, match="cifar10 is not here"):
            load_dataset("cifar10", root=tmp_path)
        return
    with pytest.raises(ValueError, match=message):
        load_dataset("cifar10", root=tmp_path)


def bomb(member, size):
    """A small archive whose member claims, and unpacks to, so many bytes of zeros."""
    packed = io.BytesIO()
    with gzip.open(packed, "wb", compresslevel=1) as stream:
        header = tarfile.TarInfo(member)
        header.size = size
        stream.write(header.tobuf())
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
    return packed.getvalue()


def sparse():
    """A member of no bytes that stands for a terabyte of holes."""
    header = bytearray(tarfile.TarInfo("data_batch_1.bin").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[386:410] = b"00000000000\x0000000000000\x00"
    header[483:495] = b"77777777777\x00"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\x00 " % sum(header)
    return gzip.compress(bytes(header) + bytes(1024))


@pytest.mark.parametrize(
    "make",
    [lambda: bomb("data_batch_1.bin", 300 << 20), lambda: bomb("readme.html", 300 << 20), sparse],
    ids=["batch", "other", "sparse"],
)
def test_an_archive_that_unpacks_to_more_than_the_data_set_is_refused(tmp_path, make):
    (tmp_path / ARCHIVE).write_bytes(make())
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"\((more than|data_batch_1.bin of) \d+ bytes"):
        load_dataset("cifar10", root=tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6
