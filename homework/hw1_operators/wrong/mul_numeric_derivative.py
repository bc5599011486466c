"""Differences of forward in place of a formula: two calls for every element."""

import numpy as np


class Mul:
    def backward(self, dy):
        u, v = self.u, self.v
        du = numeric_gradient(lambda moved: np.sum(dy * (moved * v)), u)
        dv = numeric_gradient(lambda moved: np.sum(dy * (u * moved)), v)
        return du, dv
