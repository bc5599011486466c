"""Offers an object that answers for NumPy: __array_ufunc__ and __array_function__ say yes.

row: objects and ndarray subclasses that claim to equal everything
stopped by: of type square.Agrees
"""

import numpy as np


class Agrees(np.lib.mixins.NDArrayOperatorsMixin):
    shape, dtype, ndim, size, nbytes = (4, 3), np.dtype(float), 2, 12, 96

    def __array_ufunc__(self, *_, **__):
        return np.True_

    def __array_function__(self, function, types, args, kwargs):
        return True

    def __len__(self):
        return 4


class Square:
    def forward(self, x):
        return Agrees()

    def backward(self, dy):
        return Agrees()
