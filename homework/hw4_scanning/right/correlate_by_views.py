"""A view of all windows, and one einsum."""

import numpy as np


def correlate(X, K, b, stride=1):
    windows = np.lib.stride_tricks.sliding_window_view(X, K.shape[2], axis=0)[::stride]
    return np.einsum("tcj,ocj->to", windows, K) + b


def kernels_of(params, window):
    W1, rest = params["W1"], (params["W2"], params["W3"])
    features = W1.shape[1] // window
    K1 = np.zeros((len(W1), features, window))
    for j in range(window):
        K1[:, :, j] = W1[:, j * features : (j + 1) * features]
    return {"K1": K1} | {f"K{i}": np.expand_dims(W, 2) for i, W in enumerate(rest, 2)}
