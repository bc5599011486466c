"""A view of all windows, and a matrix product."""

import numpy as np


def correlate(x, w):
    return np.lib.stride_tricks.sliding_window_view(x, len(w)) @ w
