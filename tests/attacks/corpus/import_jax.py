"""Lets jax compute.

row: importing nnscratch, torch, jax or autograd
stopped by: ModuleNotFoundError
"""

import jax


class Square:
    def forward(self, x):
        return jax.numpy.square(x)

    def backward(self, dy):
        return dy
