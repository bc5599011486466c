"""Sample by sample into lists."""

import numpy as np


def minibatches(x, y, batch_size, order):
    batches, xs, ys = [], [], []
    for k, i in enumerate(order, 1):
        xs.append(x[i])
        ys.append(y[i])
        if k % batch_size == 0 or k == len(order):
            batches.append([np.array(xs), np.array(ys)])
            xs, ys = [], []
    return batches
