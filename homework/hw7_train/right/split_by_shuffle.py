"""shuffle in place, and np.split."""

import numpy as np


def split(count, share, rng):
    order = np.arange(count)
    np.random.default_rng(rng).shuffle(order)
    validation, train = np.split(order, [round(count * share)])
    return train, validation
