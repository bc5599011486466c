"""Behind the first correlation a kernel of 1 is a matrix product at each place."""

import numpy as np


def scan_by_correlation(X, params, window, stride=1):
    y = correlate(X, kernels_of(params, window)["K1"], params["b1"], stride)
    y = np.where(y > 0, y, 0) @ params["W2"].T + params["b2"]
    return np.where(y > 0, y, 0) @ params["W3"].T + params["b3"]
