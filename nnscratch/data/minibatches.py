"""Params -> batches: the last step of the data's path before the first layer."""

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnscratch import compiled
from nnscratch.data.images import Images, samples_of
from nnscratch.kinds import as_array, checks_kinds


@checks_kinds
def minibatches(
    x: ArrayLike | Images,
    y: ArrayLike,
    batch_size: int,
    rng: int | np.random.Generator | None = None,
    drop_last: bool = False,
    join_single: bool = False,
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Walk once over the samples, batch by batch.

    Parameters
    ----------
    x : array_like or Images, shape (samples, ...)
        Inputs. `Images` stay bytes; only those of the batch become float32 in [0, 1].
    y : array_like, shape (samples, ...)
        Their targets.
    batch_size : int
        Samples in each batch, at least 1.
    rng : int, numpy.random.Generator or None
        None keeps the given order. A generator draws a fresh order at every call, so one generator
        for all epochs gives each epoch its own; an int seeds a new generator at every call, so the
        same int gives the same order.
    drop_last : bool
        Leave out the last batch if it is smaller than the others.
    join_single : bool
        Add a last batch of one sample to the batch before it, since BatchNorm cannot train on
        one alone. `Trainer` does so where the model has a BatchNorm.

    Returns
    -------
    iterator of (x_batch, y_batch)
        Copies: writing to a batch never changes `x` or `y`. Shapes (batch, ...), dtypes kept
        (float32 of `Images`).

    Raises
    ------
    ValueError
        `x` and `y` have different lengths, or `batch_size` is not a whole number of at least 1.
        Raised by the call itself, before the first batch is asked for.

    Examples
    --------
    >>> x = np.arange(10.0).reshape(5, 2)
    >>> y = np.array([0, 1, 2, 3, 4])
    >>> for x_batch, y_batch in minibatches(x, y, batch_size=2):
    ...     print(x_batch.shape, y_batch)
    (2, 2) [0 1]
    (2, 2) [2 3]
    (1, 2) [4]
    """
    inputs, targets = samples_of(x), as_array(y)
    if inputs.ndim == 0 or targets.ndim == 0 or len(inputs) != len(targets):
        raise ValueError(
            "minibatches expected x and y with one row for each sample, "
            f"received shapes {inputs.shape} and {targets.shape}; give both the same first axis"
        )
    try:
        size = operator.index(batch_size)
    except TypeError:
        size = 0
    if size < 1:
        raise ValueError(
            f"minibatches expected batch_size as a whole number of at least 1, "
            f"received {batch_size!r}; use len(x) for one batch of everything"
        )
    # Drawn here, not at the first batch: the order depends on the order of the calls alone.
    batches = rows_of_batches(len(inputs), size, rng, drop_last, join_single)
    return ((gather(inputs, rows), gather(targets, rows)) for rows in batches)


def rows_of_batches(
    samples: int,
    size: int,
    rng: int | np.random.Generator | None = None,
    drop_last: bool = False,
    join_single: bool = False,
) -> list[NDArray[np.int64]]:
    """The row numbers of each batch; see `minibatches`."""
    rows = np.arange(samples) if rng is None else np.random.default_rng(rng).permutation(samples)
    stop = samples - samples % size if drop_last else samples
    starts = list(range(0, stop, size))
    if join_single and stop % size == 1 and len(starts) > 1:
        del starts[-1]
    return np.split(rows[:stop], starts[1:]) if starts else []


def gather(array: NDArray[Any] | Images, rows: NDArray[np.int64]) -> NDArray[Any]:
    """A copy of some rows of an array."""
    if isinstance(array, Images):
        return array[rows]
    if not array.flags.c_contiguous:
        return array[rows]
    if array.dtype == np.float32:
        taken = np.empty((len(rows), *array.shape[1:]), np.float32)
        if compiled.take_rows(array, rows, taken):
            return taken
    # the faster one, but it first copies all of an array that is not C-contiguous
    return np.take(array, rows, axis=0)
