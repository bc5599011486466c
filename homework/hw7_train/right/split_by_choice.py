"""Drawn without replacement; the others are found by a mask."""

import numpy as np


def split(count, share, rng):
    aside = np.random.default_rng(rng).choice(count, round(share * count), replace=False)
    mask = np.ones(count, bool)
    mask[aside] = False
    return np.flatnonzero(mask), aside
