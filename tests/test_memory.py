"""Freed memory stays with the process, so that the next step does not fault it in again."""

import platform
import resource

import numpy as np
import pytest

from nnscratch.training.memory import keep_freed_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_arrays_made_again_and_again_cost_no_page_faults():
    assert keep_freed_memory()

    def step():
        return [np.ones(1 << 20, np.uint8) for _ in range(20)]  # 20 MB, 5120 pages

    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        step()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 2000
