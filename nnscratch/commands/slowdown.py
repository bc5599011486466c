"""Whether the threads of small products wait for one another, as on a busy machine."""

from __future__ import annotations

import time

import numpy as np

from nnscratch.machine import threads

FEWEST, MOST, SECONDS = 8, 24, 0.8  # rounds in which threads are compared, and how long


def slowdown() -> float:
    """How many times as long small products take on the threads there are as on one.

    Where other programs use the cores, the threads of a product wait for one another: most
    products then take as long as ever and some a hundred times as long, so that it is the sum
    which counts. Both ways are measured in turn, some 60 ms on a quiet machine, and the worst
    round of each is left out, which may be a hiccup. 1 where nothing can be done about it.
    """
    if threads() == 1:
        return 1.0
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return 1.0
    several: list[float] = []
    one: list[float] = []
    start = time.perf_counter()
    while len(one) < FEWEST or (len(one) < MOST and time.perf_counter() - start < SECONDS):
        several.append(_seconds_of_products())
        with threadpool_limits(1):
            one.append(_seconds_of_products())
    return ratio_of_sums(several, one)


def ratio_of_sums(several: list[float], one: list[float]) -> float:
    """Of all rounds but the worst of each.

    >>> ratio_of_sums([1, 1, 1, 90], [2, 2, 2, 2])
    0.5
    >>> ratio_of_sums([1, 30, 1, 90], [2, 2, 2, 2])
    5.333333333333333
    """
    first, second = (sum(sorted(seconds)[:-1]) for seconds in (several, one))
    return first / second


def _seconds_of_products() -> float:
    """Of a minibatch through the first layer of a small net, some times over."""
    x, w = np.ones((32, 784), np.float32), np.ones((784, 256), np.float32)
    x @ w
    start = time.perf_counter()
    for _ in range(4):
        x @ w
    return time.perf_counter() - start
