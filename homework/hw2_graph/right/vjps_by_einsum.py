"""With the indices of the derivation."""

import numpy as np


def product_vjp(A, x, df):
    return [np.einsum("i,j->ij", df, x), np.einsum("ij,i->j", A, df)]


def gram_vjp(B, dK):
    return np.einsum("iq,pq->ip", B, dK) + np.einsum("ip,pq->iq", B, dK)


def softmax_vjp(x, dy):
    y = np.exp(x - np.max(x))
    y /= y.sum()
    return y * dy - y * np.sum(y * dy)
