"""Files on disk -> arrays: what load_idx accepts, what it refuses and how, what save_idx writes."""

import gzip
import math
import re
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnscratch.data import load_idx
from nnscratch.data.idx import DTYPES, save_idx

# Code of the dtype, format letter of the struct module, NumPy's name: the table of the IDX format,
# written down again so that an error in DTYPES cannot hide.
FORMAT = [
    (0x08, "B", "uint8"),
    (0x09, "b", "int8"),
    (0x0B, "h", "int16"),
    (0x0C, "i", "int32"),
    (0x0D, "f", "float32"),
    (0x0E, "d", "float64"),
]


def idx_bytes(shape, values, code=0x08, letter="B"):
    lengths = struct.pack(f">{len(shape)}I", *shape)
    return (
        bytes([0, 0, code, len(shape)]) + lengths + struct.pack(f">{len(values)}{letter}", *values)
    )


def parse(content):
    """Read IDX without NumPy: (dtype name, shape, values), or None for what is malformed."""
    known = {code: (letter, name) for code, letter, name in FORMAT}
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in known:
        return None
    axes = content[3]
    if not 1 <= axes <= 64 or len(content) < 4 + 4 * axes:
        return None
    letter, name = known[content[2]]
    shape = struct.unpack_from(f">{axes}I", content, 4)
    count = math.prod(shape)
    body = content[4 + 4 * axes :]
    if len(body) != count * struct.calcsize(f">{letter}"):
        return None
    return name, shape, struct.unpack(f">{count}{letter}", body)


def write(folder, content, name="sample"):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for a whole hypothesis test, whose runs overwrite the same file."""
    return tmp_path_factory.mktemp("idx")


SMALL = idx_bytes((2, 3), [0, 1, 2, 253, 254, 255])
SMALL_ARRAY = np.array([[0, 1, 2], [253, 254, 255]], dtype=np.uint8)


@pytest.mark.parametrize(("code", "letter", "name"), FORMAT)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_every_dtype_becomes_a_native_writable_contiguous_array(
    tmp_path, code, letter, name, compress
):
    values = [1, 0, 100, 7, 2, 3]
    loaded = load_idx(write(tmp_path, compress(idx_bytes((3, 1, 2), values, code, letter))))
    assert loaded.dtype == np.dtype(name)
    assert loaded.dtype.isnative
    assert loaded.flags.c_contiguous
    assert loaded.flags.writeable
    np.testing.assert_array_equal(loaded, np.reshape(values, (3, 1, 2)))


@pytest.mark.parametrize("name", ["plain.gz", "zipped"])
def test_the_bytes_decide_whether_it_is_gzipped_not_the_name(tmp_path, name):
    content = SMALL if name == "plain.gz" else gzip.compress(SMALL)
    np.testing.assert_array_equal(load_idx(str(write(tmp_path, content, name))), SMALL_ARRAY)


def test_a_missing_file_is_file_not_found_with_its_path(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_idx(tmp_path / "nowhere")


@given(
    array=st.sampled_from([dtype.newbyteorder("=") for dtype in DTYPES.values()]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0))
    ),
    suffix=st.sampled_from(["", ".gz"]),
)
def test_what_is_saved_is_loaded_again(folder, array, suffix):
    path = folder / f"round{suffix}"
    save_idx(path, array)
    loaded = load_idx(path)
    assert loaded.dtype == array.dtype
    assert loaded.tobytes() == array.tobytes()  # bytes, so that NaN equals itself
    assert loaded.shape == array.shape


def test_saved_bytes_are_those_of_the_format(tmp_path):
    save_idx(tmp_path / "a", SMALL_ARRAY[:, ::-1])
    assert (tmp_path / "a").read_bytes() == idx_bytes((2, 3), [2, 1, 0, 255, 254, 253])
    save_idx(tmp_path / "b", np.array([-2, 258], dtype="<i2"))
    assert (tmp_path / "b").read_bytes() == b"\0\0\x0b\x01\0\0\0\x02\xff\xfe\x01\x02"


def test_saving_twice_writes_the_same_bytes(tmp_path):
    save_idx(tmp_path / "a.gz", SMALL_ARRAY)
    save_idx(tmp_path / "other.gz", SMALL_ARRAY)
    content = (tmp_path / "a.gz").read_bytes()
    assert content == (tmp_path / "other.gz").read_bytes()
    assert content[4:8] == bytes(4)  # no time of writing
    assert gzip.decompress(content) == SMALL


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.arange(3), "int64; convert"),
        (np.array([True]), "bool; convert"),
        (np.array(1, dtype=np.uint8), "1 to 64 axes"),
    ],
)
def test_what_the_format_cannot_hold_is_not_saved(tmp_path, array, message):
    with pytest.raises(ValueError, match=message):
        save_idx(tmp_path / "a", array)
    assert not (tmp_path / "a").exists()


LARGEST = struct.pack(">4I", 3577, 42799, 92737, 649657)  # 2**63 - 1 bytes
MALFORMED = {
    "empty": (b"", "a header of 4 bytes or more, found 0 bytes"),
    "one_byte": (b"\0", "a header of 4 bytes or more, found 1 bytes"),
    "first_bytes": (b"\x89PNG" + SMALL, "two zero bytes first, found 89 50"),
    "dtype": (b"\0\0\x0a\x01\0\0\0\x01\x07", "a dtype code out of 0x08, .*, found 0x0a"),
    "no_axes": (b"\0\0\x08\x00\x07", "1 to 64 axes, found 0"),
    "65_axes": (b"\0\0\x08\x41" + bytes(4 * 65), "1 to 64 axes, found 65"),
    "cut_header": (SMALL[:11], "a header of 12 bytes for 2 axes, found 11 bytes"),
    "cut": (SMALL[:-1], r"18 bytes, as .* \(uint8 of shape \(2, 3\)\), found 17 bytes"),
    "longer": (SMALL + b"\0", "18 bytes, as .*, found 19 bytes"),
    "zero_axis": (b"\0\0\x08\x03" + bytes(4) + b"\xff" * 8, "an array that fits into memory"),
    "2**63": (b"\0\0\x08\x04" + LARGEST, "an array that fits into memory"),
}


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_malformed_file_is_refused_with_path_and_remedy(tmp_path, content, message, compress):
    pattern = f"^{re.escape(str(tmp_path / 'sample'))}: expected {message}"
    with pytest.raises(ValueError, match=pattern) as caught:
        load_idx(write(tmp_path, compress(content)))
    assert "put a fresh copy" in str(caught.value)


def large_gzip():
    """More than one chunk of input, of values that do not compress."""
    values = np.random.default_rng(0).integers(0, 256, 200_000, dtype=np.uint8)
    return gzip.compress(idx_bytes((200_000,), values.tolist())), values


def test_a_gzip_of_several_chunks_is_read(tmp_path):
    content, values = large_gzip()
    assert len(content) > 3 * 2**16
    np.testing.assert_array_equal(load_idx(write(tmp_path, content)), values)


@pytest.mark.parametrize("keep", [2, 9, 17, 18, 40, 2**16, 150_000, -9, -8, -4, -1])
def test_truncated_gzip_is_refused_with_its_path(tmp_path, keep):
    content, _ = large_gzip()
    with pytest.raises(
        ValueError, match=r"truncated.gz: expected .*, found .*; .*put a fresh copy"
    ):
        load_idx(write(tmp_path, content[:keep], "truncated.gz"))


def test_gzip_that_breaks_off_but_ends_in_the_promised_length_is_refused(tmp_path):
    content, values = large_gzip()
    forged = content[:-500] + struct.pack("<I", len(values) + 8)
    with pytest.raises(ValueError, match="breaks off after"):
        load_idx(write(tmp_path, forged))


def test_gzip_with_a_wrong_checksum_is_refused(tmp_path):
    content = bytearray(gzip.compress(SMALL))
    content[-8] ^= 1
    with pytest.raises(ValueError, match=r"undamaged gzip stream, found .*check"):
        load_idx(write(tmp_path, bytes(content)))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (SMALL + b"\0" * 400_000, "a longer gzip stream"),
        (SMALL[:-1], "a gzip stream|error in it"),
    ],
)
def test_gzip_with_a_forged_length_record_is_refused(tmp_path, content, found):
    forged = gzip.compress(content)[:-4] + struct.pack("<I", len(SMALL))
    with pytest.raises(ValueError, match=f"found .*({found})"):
        load_idx(write(tmp_path, forged))


@pytest.mark.parametrize("second", [SMALL, b""], ids=["full", "empty"])
def test_gzip_of_several_members_is_refused(tmp_path, second):
    one, other = gzip.compress(SMALL), gzip.compress(second)
    for content in (one + other, other + one):
        with pytest.raises(ValueError, match=r"expected .*; .*put a fresh copy"):
            load_idx(write(tmp_path, content))


def test_bytes_after_a_whole_gzip_stream_are_refused(tmp_path):
    # They end in the promised length, so that only the end of the stream gives them away.
    with pytest.raises(ValueError, match="a single gzip member, found 5 bytes after its end"):
        load_idx(write(tmp_path, gzip.compress(SMALL) + b"x" + struct.pack("<I", len(SMALL))))


HUGE = b"\0\0\x08\x02" + struct.pack(">2I", 2**20, 2**20)  # promises 2**40 bytes


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(HUGE, id="plain"),
        # The recorded length is modulo 2**32: 12, just what the header promises.
        pytest.param(gzip.compress(HUGE), id="gzip"),
        pytest.param(gzip.compress(HUGE + b"\0" * 1000), id="gzip_with_other_length"),
    ],
)
def test_a_header_that_promises_a_terabyte_allocates_nothing(tmp_path, content):
    path = write(tmp_path, content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="1099511627788 bytes"):
            load_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_not_inflated(tmp_path):
    content = idx_bytes((1000,), [7] * 1000)
    bomb = gzip.compress(content + bytes(2**26))[:-4] + struct.pack("<I", len(content))
    path = write(tmp_path, bomb)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="a longer gzip stream"):
            load_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()


@st.composite
def damaged(draw, content):
    """Some bytes replaced, then cut or lengthened."""
    damage = bytearray(content)
    places = st.integers(0, len(content) - 1)
    for place in draw(st.lists(places, max_size=3)):
        damage[place] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        damage = damage[: draw(places)]
    return bytes(damage) + draw(st.binary(max_size=3))


def load_or_refuse(path):
    try:
        return load_idx(path)
    except ValueError as error:
        assert str(path) in str(error)
        assert "put a fresh copy" in str(error)
        return None


@given(content=damaged(idx_bytes((2, 3), [1, -2, 3, 4, 5, -600], 0x0B, "h")))
def test_a_damaged_file_gives_what_it_says_or_a_value_error(folder, content):
    loaded, truth = load_or_refuse(write(folder, content)), parse(content)
    assert (loaded is None) == (truth is None)
    if truth is not None:
        name, shape, values = truth
        assert (loaded.dtype, loaded.shape) == (np.dtype(name), shape)
        np.testing.assert_array_equal(loaded.ravel(), values)


@given(content=damaged(gzip.compress(SMALL)))
def test_a_damaged_gzip_gives_the_right_array_or_a_value_error(folder, content):
    if content[:2] == b"\x1f\x8b":
        loaded = load_or_refuse(write(folder, content))
        if loaded is not None:
            np.testing.assert_array_equal(loaded, SMALL_ARRAY)
