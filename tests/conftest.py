"""One thread for the products, which are small in tests and wait otherwise; and Ctrl-C."""

import os
import signal

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# A shell's background jobs ignore Ctrl-C, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore = ["failing_ranks.py", "ranks_against_one.py"]  # programs for mpiexec
