"""Lets torch compute.

row: importing nnscratch, torch, jax or autograd
stopped by: ModuleNotFoundError
"""

import torch


class Square:
    def forward(self, x):
        return torch.square(torch.as_tensor(x)).numpy()

    def backward(self, dy):
        return dy
