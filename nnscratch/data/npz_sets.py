"""An .npz file -> samples and labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.found import MOST_BYTES, Found
from nnscratch.data.images import Images, channels_first
from nnscratch.files import printable
from nnscratch.npz import Claim, read_npz

NAMES = ("x_train", "y_train", "x_test", "y_test")
WHOLE = ("x", "y")  # of files that make no difference
BRIGHT = 128  # what the brightest byte of images is at least


def read_npz_set(path: Path, label: str | None) -> Found:
    """The arrays `x_train`, `y_train`, `x_test` and `y_test`, or `x` and `y`, and `class_names`.

    Bytes of three axes or more are images, and so are whole numbers up to 255; the channels may
    be the last axis.
    """
    others: list[str] = []

    def choose(claims: dict[str, Claim]) -> Iterable[str]:
        wanted = NAMES if "x_train" in claims else WHOLE
        if missing := [name for name in wanted if name not in claims]:
            there = ", ".join(printable(name) for name in sorted(claims)[:12])
            raise ValueError(
                f"{path}: expected the arrays {', '.join(NAMES)} (or x, y), it lacks "
                f"{', '.join(missing)} and has {there or 'none'}"
            )
        names = [*wanted, *(["class_names"] if "class_names" in claims else [])]
        for name in names:
            if claims[name].nbytes > MOST_BYTES:
                raise ValueError(f"{path}: {name} has {claims[name].nbytes} bytes, too many")
        others.extend(sorted(claims.keys() - set(names)))
        return names

    arrays = read_npz(path, choose)
    names = arrays.pop("class_names", None)
    if names is not None and (names.dtype.kind != "U" or names.ndim != 1):
        raise ValueError(f"{path}: expected class_names as one axis of text, found {names.dtype}")
    parts = [
        (_samples(arrays[name], f"{path}: {name}"), arrays["y" + name[1:]])
        for name in arrays
        if name.startswith("x")
    ]
    notes = [f"skipped the array {printable(name)}" for name in others]
    test = parts[1] if len(parts) > 1 else None
    return Found(parts[0], test, None if names is None else names.tolist(), notes)


def _samples(x: NDArray[Any], place: str) -> Any:
    """Images as (samples, channels, height, width), everything else as float32."""
    if x.dtype.kind not in "fiub" or x.ndim == 0:
        raise ValueError(f"{place} holds {x.dtype} of shape {x.shape}; expected numbers in rows")
    if x.ndim == 1:
        x = x[:, np.newaxis]
    x = channels_first(x)
    if x.ndim == 4 and _are_bytes(x):
        return Images(np.ascontiguousarray(x, np.uint8))
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused as infinite
        return np.ascontiguousarray(x, np.float32)


def _are_bytes(x: NDArray[Any]) -> bool:
    """Whether these are the bytes of images, also where they are stored as other numbers."""
    if x.dtype == np.uint8 or not x.size:
        return x.dtype == np.uint8
    whole = x.dtype.kind in "iu" or (x.dtype.kind == "f" and bool((x % 1 == 0).all()))
    return whole and x.min() >= 0 and BRIGHT <= x.max() <= 255
