"""Differences of forward in place of a backward pass: two calls for every element."""

import numpy as np


class Linear:
    def backward(self, dy):
        W, b = self.params["W"], self.params["b"]
        arrays = {"x": self.x, "W": W, "b": b}
        slopes = {}
        for name, array in arrays.items():
            slopes[name] = np.zeros_like(array)
            for place in np.ndindex(array.shape):
                losses = []
                for h in (1e-5, -1e-5):
                    moved = dict(arrays)
                    moved[name] = array.copy()
                    moved[name][place] += h
                    losses.append(np.sum(dy * (moved["x"] @ moved["W"].T + moved["b"])))
                slopes[name][place] = (losses[0] - losses[1]) / 2e-5
        self.grads = {"W": slopes["W"], "b": slopes["b"]}
        return slopes["x"]
