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
    """How many times as long a small product takes on the threads there are as on one.

    Where other programs use the cores, the threads of a product wait for one another. Measured in
    a few milliseconds; 1 where nothing can be done about it.
    """
    if threads() == 1:
        return 1.0
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return 1.0
    several = _seconds_of_products()
    with threadpool_limits(1):
        return several / _seconds_of_products()


def _seconds_of_products() -> float:
    """Of a minibatch through the first layer of a small net, some times over."""
    x, w = np.ones((32, 784), np.float32), np.ones((784, 256), np.float32)
    x @ w
    start = time.perf_counter()
    for _ in range(8):
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
