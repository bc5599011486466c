"""Lets nnscratch compute.

row: importing nnscratch, torch, jax or autograd
stopped by: ModuleNotFoundError
"""

import nnscratch


class Square:
    def forward(self, x):
        return nnscratch.Square().forward(x)

    def backward(self, dy):
        return dy
