"""Lets autograd compute.

row: importing nnscratch, torch, jax or autograd
stopped by: ModuleNotFoundError
"""

import autograd


class Square:
    def forward(self, x):
        return autograd.numpy.square(x)

    def backward(self, dy):
        return dy
