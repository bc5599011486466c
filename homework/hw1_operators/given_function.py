"""A function of an array, for `numeric_gradient` to differentiate."""

import numpy as np


class Function:
    """Σ c ∘ sin x + ½ (Σ x)², where every element has to do with every other."""

    def __init__(self, c):
        self.c = c

    def __call__(self, x):
        return float(np.sum(self.c * np.sin(x)) + 0.5 * np.sum(x) ** 2)
