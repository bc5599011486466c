"""To the letter of the sum."""

import numpy as np


def correlate(X, K, b, stride=1):
    out, channels, k = K.shape
    y = np.zeros(((len(X) - k) // stride + 1, out))
    for t, o in np.ndindex(y.shape):
        y[t, o] = b[o]
        for j in range(k):
            for c in range(channels):
                y[t, o] += X[t * stride + j, c] * K[o, c, j]
    return y
