"""With the indices of the derivation."""

import numpy as np


def product_backward(W, x, dz):
    return np.einsum("i,j->ij", dz, x), np.einsum("ij,i->j", W, dz)


def chain_backward(J, dz):
    return np.einsum("ij,i->j", J, dz)


def hadamard_backward(x, y, dz):
    return [np.einsum("i,i->i", dz, y), np.einsum("i,i->i", dz, x)]


def branches_backward(Js, dzs):
    return np.sum([chain_backward(J, dz) for J, dz in zip(Js, dzs, strict=True)], axis=0)
