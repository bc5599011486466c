"""Keep the memory that a training step frees, for the next step.

A step makes arrays of the same sizes as the step before. Left alone, the C library hands large
freed blocks back to the system, which clears them page by page when they are asked for again;
that takes as long as the arithmetic of a small convolutional net.
"""

from __future__ import annotations

import ctypes
import sys

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # of mallopt, in glibc's malloc.h
_LARGEST_BLOCK = 32 << 20  # bytes; glibc, which raises it by itself, allows no more
_KEPT = 256 << 20


def keep_freed_memory() -> bool:
    """Let up to 256 MB of freed memory stay with this process; whether that was possible.

    It changes no result. Where the C library is not glibc, nothing happens.

    References
    ----------
    mallopt(3), Linux manual pages.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK) and mallopt(_TRIM_THRESHOLD, _KEPT))
