"""Lets scipy compute.

row: importing nnscratch, torch, jax or autograd
stopped by: ModuleNotFoundError
"""

import scipy


class Square:
    def forward(self, x):
        return scipy.special.xlogy(x, 1) + x**2

    def backward(self, dy):
        return dy
