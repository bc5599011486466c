"""An .npz of a stranger's: what it claims is looked at before anything is unpacked."""

import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.npz import read_npz


def member(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), allow_pickle=True)
    return file.getvalue()


def zipped(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_arrays_come_back_as_numpy_saved_them(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.normal(size=(3, 4)).astype(np.float32),
        "b/c": np.asfortranarray(rng.integers(0, 9, (5, 2))),
        "names": np.array(["x", "yz"]),
        "scalar": np.float64(3.5),
        "empty": np.zeros((0, 7)),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", **arrays)
        found = read_npz(tmp_path / "x.npz")
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == np.asarray(array).dtype


def test_only_what_is_chosen_is_unpacked(tmp_path):
    zeros = {"small": np.ones(3), "large": np.zeros(40_000_000)}
    np.savez_compressed(tmp_path / "x.npz", **zeros)
    seen = {}
    tracemalloc.start()
    found = read_npz(tmp_path / "x.npz", lambda claims: seen.update(claims) or ["small"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (list(found), seen["large"].shape, seen["large"].nbytes) == (
        ["small"],
        (40_000_000,),
        320_000_000,
    )
    assert peak < 5e6


def test_a_model_file_with_an_array_that_the_model_lacks_is_refused_unread(tmp_path):
    model = nn.Linear(3, 2, rng=0)
    params = {name: np.asarray(array) for name, array in model.params.items()}
    np.savez_compressed(tmp_path / "x.npz", **params, more=np.zeros(40_000_000))
    tracemalloc.start()
    with pytest.raises(ValueError, match="does not fit the model: extra more"):
        nn.load(model, tmp_path / "x.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6


def lying(shape, dtype="<f8", length=16):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    return (
        b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(length)
    )


HOSTILE = {
    "longer than its header says": {"a.npy": member(np.ones(3)) + b"!"},
    "shorter than its header says": {"a.npy": member(np.ones(3))[:-1]},
    "a terabyte claimed": {"a.npy": lying((1 << 37,))},
    "more axes than an array can have": {"a.npy": lying((1,) * 100, length=8)},
    "a negative length": {"a.npy": lying((-1, 2))},
    "lengths that overflow": {"a.npy": lying((1 << 62, 1 << 62, 0), length=0)},
    "pickled objects": {"a.npy": member(np.array([{}], object))},
    "no array": {"a.npy": b"<html>"},
    "not an array's name": {"a.txt": b"hello"},
    "a header of code": {"a.npy": lying("__import__('os').system('true')")},
    "an escape in its name": {"\x1b[31m.txt": b""},
    "an empty member": {"a.npy": b""},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_plain_array_is_refused_in_one_line(tmp_path, kind):
    path = zipped(tmp_path / "x.npz", HOSTILE[kind])
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"x.npz is damaged or no .npz file of arrays") as caught:
        read_npz(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_numpy_does_not_write_is_refused(tmp_path, method):
    path = zipped(tmp_path / "x.npz", {"a.npy": member(np.ones(3))}, method)
    with pytest.raises(ValueError, match="compressed in another way"):
        read_npz(path)


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(ValueError, match="no regular file"):
        read_npz(tmp_path / "pipe.npz")
    np.save(tmp_path / "x.npy", np.ones(3))
    with pytest.raises(ValueError, match=r"no \.npz file"):
        read_npz(tmp_path / "x.npy")


def test_any_cut_and_any_flipped_bit_is_an_array_or_a_clear_error(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", a=np.arange(6.0).reshape(2, 3), b=np.arange(3))
    whole = (tmp_path / "x.npz").read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[:n] for n in range(len(whole))]
    for place, bit in zip(rng.integers(0, len(whole), 600), rng.integers(0, 8, 600), strict=True):
        content = bytearray(whole)
        content[place] ^= 1 << bit
        damaged.append(bytes(content))
    for content in damaged:
        (tmp_path / "y.npz").write_bytes(content)
        try:
            read_npz(tmp_path / "y.npz")
        except ValueError as error:
            assert str(error).isprintable()
