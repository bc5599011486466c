"""How many threads each contestant may use: told to its process before its framework starts."""

import os
from contextlib import contextmanager

THREADS = 2
VARIABLES = (
    "OPENBLAS_NUM_THREADS",  # NumPy
    "OMP_NUM_THREADS",  # torch, scikit-learn
    "MKL_NUM_THREADS",  # torch
    "NPROC",  # jax
)


def allowed():
    """How many threads this process was allowed when it was started."""
    return int(os.environ.get("OMP_NUM_THREADS", THREADS))


@contextmanager
def limited_threads(count=THREADS):
    """For the processes that are started inside."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, str(count)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
