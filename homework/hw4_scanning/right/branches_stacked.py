"""All branches as one function with a tall Jacobian."""

import numpy as np


def branches_backward(Js, dzs):
    return np.concatenate(dzs) @ np.concatenate(Js, axis=0)


def sum_backward(dz):
    return dz.copy(), dz.copy()
