"""On what a run is computed: the same seed gives the same bits only on the same.

Products are summed in an order that depends on the processor's vectors, on the library of the
products, and on the number of threads among which it shares them.
"""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch import compiled

FEWEST, MOST, SECONDS = 8, 24, 0.8  # rounds in which threads are compared, and how long
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def machine() -> dict[str, Any]:
    """Versions, threads, processor and kernels, for config.json."""
    import nnscratch

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "versions": {
            "nnscratch": nnscratch.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            blas["name"]: blas["version"],
        },
        "threads": threads(),
        "processor": _processor(),
        "kernels": compiled.kernels(),
    }


def threads() -> int:
    """Among how many threads a product is shared, as far as can be known."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        given = [os.environ[name] for name in THREADS if os.environ.get(name, "").isdecimal()]
        return int(given[0]) if given else cores()
    return max((pool["num_threads"] for pool in threadpool_info()), default=1)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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


def _processor() -> str:
    """Its name, where the system tells it, and the widest vectors that NumPy uses on it."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return f"{name}, {found[-1]}" if found else name
