"""Bytes in memory, float32 when looked at: how large sets of images are kept.

Between the files, whose pixels are bytes, and `minibatches.py`, which asks for the images of one
batch at a time: only those become numbers of four bytes each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from nnscratch import compiled
from nnscratch.kinds import as_array

READ_ONLY = "Images are read-only; make an array of them first: x = np.array(x)"


class Images(NDArrayOperatorsMixin):
    """Images kept as bytes that read as a float32 array in [0, 1].

    Parameters
    ----------
    pixels : uint8 array (samples, channels, height, width)
        0 is black; kept, not copied.

    Attributes
    ----------
    pixels : uint8 array
        The bytes themselves.
    shape, ndim, size, dtype
        As of the float32 array.

    Notes
    -----
    An index gives a new float32 array of what it selects, pixels divided by 255. Everything else
    that an array has (arithmetic, ``.mean()``, ``np.asarray``, a layer's forward pass) works too,
    on a float32 array of all the images that is made for the moment. `minibatches`, `Trainer.fit`
    and `evaluate` index batch by batch.

    A type of its own, since bytes alone do not say whether they are pixels to be divided by 255
    or, say, the integers that an `Embedding` takes.

    Raises
    ------
    ValueError
        The pixels are no uint8 array of at least one axis.
    TypeError
        On assignment: change ``np.array(images)`` or ``images.pixels`` instead.

    Examples
    --------
    >>> images = Images(np.array([[[[0, 51]]], [[[255, 102]]]], dtype=np.uint8))
    >>> images
    Images of shape (2, 1, 1, 2), read as float32
    >>> images[1]
    array([[[1. , 0.4]]], dtype=float32)
    >>> float(images.max())
    1.0
    """

    dtype = np.dtype(np.float32)

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim == 0:
            what = getattr(pixels, "dtype", type(pixels).__name__)
            raise ValueError(
                f"Images expected pixels as a uint8 array, received {what}; "
                "an array of floats needs no Images around it"
            )
        self.pixels = pixels

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pixels.shape

    @property
    def ndim(self) -> int:
        return self.pixels.ndim

    @property
    def size(self) -> int:
        return self.pixels.size

    @property
    def nbytes(self) -> int:
        """Bytes of memory that they take."""
        return self.pixels.nbytes

    def subset(self, rows: Any) -> Images:
        """Some of the images, still as bytes."""
        return Images(self.pixels[rows])

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, np.ndarray) and index.dtype.kind == "i" and index.ndim == 1:
            taken = np.empty((len(index), *self.shape[1:]), np.float32)
            if compiled.take_rows(self.pixels, index, taken):
                return taken
            return _scaled(np.take(self.pixels, index, axis=0))  # the faster one
        return _scaled(self.pixels[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(READ_ONLY)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Images are kept as bytes: an array of them is always a new one")
        return _scaled(self.pixels).astype(dtype or self.dtype, copy=False)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(isinstance(each, Images) for each in options.get("out", ())):
            raise TypeError(READ_ONLY)  # x += 1
        arrays = (np.asarray(each) if isinstance(each, Images) else each for each in inputs)
        return getattr(ufunc, method)(*arrays, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # copy, pickle and NumPy ask what protocols there are
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def __repr__(self) -> str:
        return f"Images of shape {self.shape}, read as float32"


def channels_first(x: NDArray[Any]) -> NDArray[Any]:
    """Images (samples, channels, height, width) of those without channels, or with them last."""
    if x.ndim == 3:
        return x[:, np.newaxis]
    last = x.ndim == 4 and x.shape[1] not in (1, 3, 4) and x.shape[3] in (1, 3, 4)
    return x.transpose(0, 3, 1, 2) if last else x


def samples_of(x: Any) -> Any:
    """x as something to take samples from: `Images` as they are, anything else as an array."""
    return x if isinstance(x, Images) else as_array(x)


def subset(x: Any, rows: NDArray[np.integer]) -> Any:
    """The samples at these rows, of the kind that x is."""
    return x.subset(rows) if isinstance(x, Images) else x[rows]


def _scaled(pixels: Any) -> Any:
    scaled = np.asarray(pixels).astype(np.float32)
    scaled /= np.float32(255)
    return scaled[()]  # a single pixel as a number, as of any array
