"""Differences of forward, one pair for every element."""

import numpy as np


class Sigmoid:
    def forward(self, x):
        self.x = x
        return (1 + np.tanh(x / 2)) / 2

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        for place in np.ndindex(self.x.shape):
            losses = []
            for h in (1e-5, -1e-5):
                moved = self.x.copy()
                moved[place] += h
                losses.append(np.sum(dy * (1 + np.tanh(moved / 2)) / 2))
            dx[place] = (losses[0] - losses[1]) / 2e-5
        return dx
