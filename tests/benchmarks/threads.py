"""How many threads each contestant may use; set before its framework starts."""

import os

THREADS = 2


def limit_threads():
    """For every process that is started from here on.

    NumPy, scikit-learn and torch look at the first three, jax at the last.
    """
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"):
        os.environ[name] = str(THREADS)
