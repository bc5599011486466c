"""Labels -> row numbers: which samples to learn from and which to hold out.

Between `datasets.py`, which gives the labels, and `minibatches.py`, which walks over the rows that
are left for training.
"""

import operator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnscratch.kinds import as_array, checks_kinds


@checks_kinds
def stratified_split(
    labels: ArrayLike, count: int, rng: int | np.random.Generator | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw rows to hold out, from each class in proportion to its size.

    Parameters
    ----------
    labels : array_like, shape (samples,)
        The class of each sample, any integers.
    count : int
        How many samples to hold out, 0 to `samples`. For a share p of them pass
        ``round(p * len(labels))``.
    rng : int, numpy.random.Generator or None
        A seed, a generator, or None for a different draw every time.

    Returns
    -------
    rest, held_out : numpy.ndarray of int64
        Row numbers, each sorted ascending; together every row exactly once.
        ``len(held_out) == count``.

    Raises
    ------
    ValueError
        `labels` is not one axis of integers, or `count` is not a whole number in its range.

    Notes
    -----
    A class of n samples out of N is due ``count * n / N``. Each class gets the whole part of that;
    the samples still missing go, one each, to the classes with the largest fractional parts, and
    between equal ones to the smaller label (the method of the largest remainder). Whole-number
    arithmetic throughout, so ties are exact.

    Examples
    --------
    >>> labels = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    >>> rest, held_out = stratified_split(labels, 5, rng=0)
    >>> [labels[row] for row in held_out]
    [0, 0, 1, 1, 1]
    >>> len(rest)
    5
    """
    labels = as_array(labels)
    if labels.ndim != 1 or (labels.size and labels.dtype.kind not in "iub"):
        raise ValueError(
            "stratified_split expected labels of shape (samples,) and an integer dtype, "
            f"received shape {labels.shape}, {labels.dtype}; "
            "turn one-hot rows into labels with argmax(axis=1)"
        )
    try:
        count = operator.index(count)
    except TypeError:
        raise ValueError(
            f"stratified_split expected count as a whole number of samples, received {count!r}; "
            "for a share p of them pass round(p * len(labels))"
        ) from None
    if not 0 <= count <= len(labels):
        raise ValueError(
            f"stratified_split expected count between 0 and the {len(labels)} samples there are, "
            f"received {count}; hold out fewer"
        )
    rng = np.random.default_rng(rng)
    classes, members = np.unique_inverse(labels)
    sizes = np.bincount(members, minlength=len(classes))
    quotas, remainders = np.divmod(count * sizes, max(len(labels), 1))
    # A stable sort keeps equal remainders in the order of their labels.
    by_remainder = np.argsort(-remainders, kind="stable")
    quotas[by_remainder[: count - quotas.sum()]] += 1
    held = np.zeros(len(labels), dtype=bool)
    for member, quota in enumerate(quotas):
        held[rng.permutation(np.flatnonzero(members == member))[:quota]] = True
    return np.flatnonzero(~held).astype(np.int64), np.flatnonzero(held).astype(np.int64)
