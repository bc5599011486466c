"""On what a run is computed: the same seed gives the same bits only on the same.

Products are summed in an order that depends on the library of the products, on the kernels that it
has for the processor, and on the number of threads among which it shares them; exponentials and the
like on the processor's vectors. docs/runs.md has what was measured.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch import compiled

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
UNKNOWN = "unknown"  # without threadpoolctl, which looks into the library


def machine() -> dict[str, Any]:
    """Versions, threads, processor, and the kernels of products and loops, for a run's files."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            blas["name"]: blas["version"],
        },
        "threads": threads(),
        "processor": f"{_processor()}, {vectors()}",
        "products": products(),
        "kernels": compiled.kernels(),
    }


def order_of_sums(processes: int | str) -> dict[str, str]:
    """That on which the bits of a run depend beside its settings; each in a word."""
    return {
        "numpy": np.__version__,
        "vectors": vectors(),
        "products": products(),
        "threads": str(threads()),
        "processes": str(processes),
    }


def differences(then: dict[str, str], now: dict[str, str]) -> list[str]:
    """What is another one now, as sentences tell it.

    >>> differences({"threads": "2", "numpy": "2.4"}, {"threads": "1", "numpy": "2.4"})
    ['threads 2 then, 1 now']
    """
    return [
        f"{name} {then[name]} then, {now[name]} now"
        for name in now
        if name in then and then[name] != now[name] and UNKNOWN not in (then[name], now[name])
    ]


def threads() -> int:
    """Among how many threads a product is shared, as far as can be known."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        given = [os.environ[name] for name in THREADS if os.environ.get(name, "").isdecimal()]
        return int(given[0]) if given else cores()
    return max((pool["num_threads"] for pool in threadpool_info()), default=1)


def products() -> str:
    """The library of the matrix products and its kernels, such as "openblas SkylakeX"."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return UNKNOWN
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return next(
        (f"{p['internal_api']} {p.get('architecture', '')}".strip() for p in pools), UNKNOWN
    )


def vectors() -> str:
    """The widest vectors that NumPy uses on this processor."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    return str([*found.get("baseline", ()), *found.get("found", ())][-1:]).strip("[]'") or UNKNOWN


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """Its name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
