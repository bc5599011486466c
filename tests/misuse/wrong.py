"""Wrong values of every kind, made anew for each call."""

import numpy as np


class Nothing:
    """An object that is nothing of what could be meant."""


def _sparse():
    import scipy.sparse

    return scipy.sparse.csr_array(np.eye(4, 3))


def _read_only():
    x = np.ones((4, 3), np.float32)
    x.flags.writeable = False
    return x


WRONG = {
    "None": lambda: None,
    "text": lambda: "text",
    "bytes": lambda: b"bytes",
    "True": lambda: True,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2.5": lambda: 2.5,
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "complex": lambda: 3 + 4j,
    "class": lambda: int,
    "function": lambda: len,
    "object": lambda: Nothing(),
    "empty list": list,
    "list": lambda: [1, 2],
    "ragged": lambda: [[1.0], [1.0, 2.0]],
    "tuple of text": lambda: ("a", "b"),
    "dict": lambda: {"a": 1},
    "set": lambda: {1, 2},
    "generator": lambda: (i for i in range(3)),
    "range": lambda: range(3),
    "0-d": lambda: np.array(1.5, np.float32),
    "empty": lambda: np.zeros((0, 3), np.float32),
    "no features": lambda: np.zeros((4, 0), np.float32),
    "one axis": lambda: np.ones(3, np.float32),
    "five axes": lambda: np.ones((2, 1, 2, 1, 2), np.float32),
    "read-only": _read_only,
    "strided": lambda: np.ones((8, 6), np.float32)[::2, ::-2],
    "big-endian": lambda: np.ones((4, 3), ">f4"),
    "float16": lambda: np.ones((4, 3), np.float16),
    "integers": lambda: np.ones((4, 3), np.int64),
    "booleans": lambda: np.ones((4, 3), bool),
    "complex array": lambda: np.ones((4, 3), complex),
    "objects": lambda: np.full((4, 3), None, object),
    "texts": lambda: np.full((4, 3), "a"),
    "dates": lambda: np.zeros((4, 3), "M8[s]"),
    "records": lambda: np.zeros(4, [("a", "f4")]),
    "masked": lambda: np.ma.masked_less(np.ones((4, 3)), 2),
    "matrix": lambda: np.ones((4, 3)).view(type("Sub", (np.ndarray,), {})),
    "sparse": _sparse,
    "NaNs": lambda: np.full((4, 3), np.nan, np.float32),
}
