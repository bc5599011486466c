"""Returns an object whose class says that it is ndarray.

row: objects and ndarray subclasses that claim to equal everything
stopped by: of type
"""

import numpy as np


class Meta(type):
    def __eq__(cls, _):
        return True

    __hash__ = type.__hash__


class Liar(metaclass=Meta):
    __module__, __qualname__ = "numpy", "ndarray"
    __class__ = np.ndarray


class Square:
    def forward(self, x):
        return Liar()

    def backward(self, dy):
        return dy
