"""Messages: what is sent arrives, and nothing else is accepted, whatever the bytes."""

import functools
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnscratch.grading.sandbox.errors import StudentError, WorkerError
from nnscratch.grading.sandbox.protocol import escape, message, receive
from nnscratch.grading.sandbox.values import (
    DTYPES,
    Caps,
    Kept,
    Malformed,
    Raw,
    Unsendable,
    pack,
    unpack,
)

CAPS = Caps(header=10_000, size=1 << 16, arrays=8, depth=4)

ARRAYS = st.sampled_from(list(DTYPES.values())).flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=3)
    )
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(), ARRAYS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(), st.integers(-9, 9)), inner, max_size=3),
    ),
    max_leaves=6,
)


def reader(content):
    rest = memoryview(bytes(content))

    def read(buffer):
        nonlocal rest
        if len(rest) < len(buffer):
            raise EOFError
        buffer[:] = rest[: len(buffer)]
        rest = rest[len(buffer) :]

    return read


def frame(header, content=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("!I", len(text)) + text + content


def travel(value):
    arrays = []
    tree = pack(value, arrays, Caps())
    header, arrived = receive(reader(b"".join(message({"value": tree}, arrays))), Caps())
    return unpack(header["value"], arrived)


def identical(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[key], b[key]) for key in a)
    return a == b or (a != a and b != b)


@given(VALUES)
def test_a_value_arrives_as_it_was_sent(value):
    assert identical(travel(value), value)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
def test_scalar_of_numpy_stays_one(dtype):
    assert identical(travel(dtype.type(1)), dtype.type(1))


def test_any_memory_order_and_byte_order_arrives():
    x = np.arange(24.0).reshape(2, 3, 4)
    for array in (x.T, x[:, ::-2], x.astype(">f8"), np.broadcast_to(x, (2, 2, 3, 4))):
        arrived = travel(array)
        assert np.array_equal(arrived, array)
        assert arrived.flags.c_contiguous and arrived.flags.writeable


class Lying(type):
    def __eq__(cls, other):
        return True

    __hash__ = type.__hash__


class EqualsAll(metaclass=Lying):
    pass


ENDLESS = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "the value is of type object, expected an array, a number"),
        (EqualsAll(), "EqualsAll"),
        ({"a": (1, {2})}, r"the value\['a'\]\[1\] is of type set"),
        ({1.5: 0}, "a key of type float"),
        ({True: 0}, "a key of type bool"),
        (type("Mine", (float,), {})(1), "Mine"),
        (np.ma.array([1.0]), "MaskedArray"),
        (np.zeros(2).view(type("Mine", (np.ndarray,), {})), "Mine"),
        (np.array([None]), "dtype object"),
        (np.array(["a"]), "dtype <U1"),
        (np.zeros(1, "f8,f8"), "dtype"),
        (np.zeros(1, complex), "dtype complex128"),
        (np.float16(1), "float16"),
        (1 + 2j, "complex"),
        (b"bytes", "bytes"),
        (2**63, "64 bits"),
        (np.zeros((1,) * 7), "7 axes, expected at most 6"),
        (np.zeros(1 << 14), "more than 65536 bytes in all"),
        ([np.zeros(5000), np.zeros(5000)], "more than 65536 bytes in all"),
        ([np.zeros(1)] * 9, "more than 8 arrays"),
        (ENDLESS, "nested too deeply"),
        ([0] * 10_001, "10001 entries"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_not_travel_is_named(value, reason):
    with pytest.raises(Unsendable, match=reason):
        pack(value, [], CAPS)


def described(dtype="float64", shape=(1,), **more):
    return {"value": {"array": 0}, "arrays": [{"dtype": dtype, "shape": shape, **more}]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (struct.pack("!I", 2**32 - 1), "a header of 4294967295 bytes"),
        (frame(b"\xff\xfe"), "not JSON"),
        (frame(b"[" * 5000), "not JSON"),
        (frame(b""), "not JSON"),
        (frame([]), "not an object"),
        (frame({}), "no list"),
        (frame({"arrays": [{}] * 9}), "no list"),
        (frame({"arrays": [[]]}), "without shape"),
        (frame(described("object")), "dtype 'object'"),
        (frame(described("O8")), "dtype"),
        (frame(described("uint8")), "dtype"),
        (frame(described(["float64"])), "dtype"),
        (frame(described("float16")), "dtype"),
        (frame(described(shape=[-1])), "shape"),
        (frame(described(shape=[1.0])), "shape"),
        (frame(described(shape=[True])), "shape"),
        (frame(described(shape=["1"])), "shape"),
        (frame(described(shape=[1] * 7)), "shape"),
        (frame(described(shape=[2**40])), "more than 65536 bytes"),
        (frame(described(shape=[2**32, 2**32])), "more than 65536 bytes"),
        (frame(described(shape=[0, 2**62])), "more than 65536 bytes"),
        (frame({"arrays": [{"dtype": "float64", "shape": [5000]}] * 2}), "more than 65536 bytes"),
        (frame(described("bool"), b"\x02"), "boolean"),
    ],
)
def test_a_lying_header_is_refused_before_anything_is_allocated(content, reason):
    with pytest.raises(Malformed, match=reason):
        receive(reader(content), CAPS)


@pytest.mark.parametrize(
    "tree",
    [
        [],
        {},
        {"array": 1},
        {"array": -1},
        {"array": True},
        {"array": "0"},
        {"scalar": 0},
        {"array": 0, "tuple": []},
        {"tuple": {}},
        {"tuple": [[1]]},
        {"dict": [[1, 2, 3]]},
        {"dict": [[[], 2]]},
        {"dict": [[1.5, 2]]},
        {"pickle": "cos"},
        {"kept": 0},
        2**63,
        {"list": [0] * 10_001},
        functools.reduce(lambda inner, _: {"list": [inner]}, range(20), 1),
        {"list": [{"array": 0}, {"array": 0}]},
    ],
    ids=str,
)
def test_what_is_no_value_is_refused(tree):
    with pytest.raises(Malformed):
        unpack(tree, [np.zeros(2)])


def test_a_reference_is_a_value_only_where_it_is_expected():
    assert unpack({"kept": 3}, [], references=True) == Kept(3)


@given(st.binary(max_size=50))
def test_bytes_of_a_file_travel_one_way(content):
    tree = pack(Raw(content), [], CAPS)
    assert unpack(tree, [], references=True) == Raw(content)
    with pytest.raises(Malformed, match="not a value"):
        unpack(tree, [])
    with pytest.raises(Malformed, match="bytes that are none"):
        unpack({"raw": "0g"}, [], references=True)


@given(st.binary(max_size=200))
def test_random_bytes_never_do_more_than_be_refused(content):
    try:
        header, arrays = receive(reader(content), CAPS)
    except (Malformed, EOFError):
        return
    try:
        unpack(header.get("value"), arrays)
    except Malformed:
        return


@given(st.text())
def test_escaped_text_holds_nothing_that_acts(text):
    shown = escape(text)
    assert not set(shown) & set("\x00\x1b\r\n\x7f\x9b\u202e\u2066\u2028\ud800")
    shown.encode()


def test_an_error_is_one_short_line():
    error = StudentError("Value\x1b[2JError", "first\nsecond\r" + "x" * 10**6, "a\x1b\n" * 10**6)
    assert str(error).startswith(r"Value\x1b[2JError: first second x")
    assert len(str(error)) < 600
    assert "\x1b" not in error.traceback + error.message + error.exception
    assert len(error.traceback) < 30_000
    assert "\n" not in str(WorkerError("a\nb"))
