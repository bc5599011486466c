"""Feature by feature."""

import numpy as np


def standardize(train, test):
    out, out_test = np.zeros(train.shape), np.zeros(test.shape)
    for k in range(train.shape[1]):
        mean = sum(train[:, k]) / len(train)
        deviation = np.sqrt(sum((train[:, k] - mean) ** 2) / len(train))
        if np.ptp(train[:, k]) == 0:
            mean, deviation = train[0, k], 1.0
        out[:, k], out_test[:, k] = (
            (train[:, k] - mean) / deviation,
            (test[:, k] - mean) / deviation,
        )
    return out, out_test
