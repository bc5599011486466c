"""Returns an ndarray subclass with its own idea of closeness.

row: objects and ndarray subclasses that claim to equal everything
stopped by: of type
"""

import numpy as np


class Close(np.ndarray):
    def __array_function__(self, *_):
        return True

    def __array_ufunc__(self, *_, **__):
        return np.zeros(1)

    def __eq__(self, _):
        return np.ones(self.shape, bool)


class Square:
    def forward(self, x):
        return np.zeros_like(x).view(Close)

    def backward(self, dy):
        return dy.view(Close)
