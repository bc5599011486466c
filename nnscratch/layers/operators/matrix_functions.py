"""Functions of square matrices, on one of them or on a stack (..., n, n)."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.layers.base import Layer, floating

__all__ = ["Determinant", "Inverse", "Trace"]


class Trace(Layer):
    """The sum of the diagonal: y = Σ_i X_ii.

    Notes
    -----
    *Forward*: over the last two axes.

    *Backward*: ∂y/∂X_ij = δ_ij, that is ∂tr(X)/∂X = I, so dX = dy I.

    *Shapes*: X (..., n, n); y (...).

    *Cache*: the shape of X.

    Raises
    ------
    ValueError
        X is not square.

    References
    ----------
    [MatrixGradients], useful identities; [Proofs] 1.

    Examples
    --------
    >>> layer = Trace()
    >>> layer.forward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.float64(5.0)
    >>> layer.backward(10.0)[0]
    array([[10.,  0.],
           [ 0., 10.]])
    """

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = _square(self, x)
        return np.trace(x, axis1=-2, axis2=-1), x.shape

    def backward_pass(self, dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        dx = np.zeros(shape, dy.dtype)
        diagonal = np.arange(shape[-1])
        dx[..., diagonal, diagonal] = dy[..., np.newaxis]
        return dx


class Determinant(Layer):
    """The determinant: y = det X.

    Notes
    -----
    *Forward*: by NumPy's LU factors.

    *Backward*: Laplace's expansion along row i, det X = Σ_j X_ij C_ij, has cofactors C_ij free of
    row i, so ∂y/∂X_ij = C_ij and dX = dy C. Where X has an inverse, C = det(X) X⁻ᵀ, the usual
    form; but C is a polynomial and exists for singular X too. To compute it there, take the
    singular values X = U S Vᵀ. The cofactor matrix of a product is the product of the cofactor
    matrices, that of an orthogonal Q is det(Q) Q, and that of S has Π_{j≠i} s_j on its diagonal:

        C = det(U) det(V) · U diag(Π_{j≠i} s_j) Vᵀ

    No s_j is divided by, so one formula serves every X. (C is 0 from rank n-2 downwards, and NaN
    where X is not finite.)

    *Shapes*: X (..., n, n); y (...).

    *Cache*: X.

    Raises
    ------
    ValueError
        X is not square, or of a dtype that NumPy's linear algebra lacks, such as float16.

    References
    ----------
    [MatrixGradients], useful identities.

    Examples
    --------
    >>> layer = Determinant()
    >>> layer.forward(np.array([[3.0, 0.0], [0.0, 0.0]]))
    np.float64(0.0)
    >>> layer.backward(1.0)[0]
    array([[0., 0.],
           [0., 3.]])
    """

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = _factorable(self, x)
        return np.linalg.det(x), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return _per_matrix(dy) * _cofactors(x)


class Inverse(Layer):
    """The inverse: Y = X⁻¹.

    Notes
    -----
    *Forward*: by NumPy's LU factors. A nearly singular X passes, with large numbers.

    *Backward*: X Y = I gives ΔX Y + X ΔY = 0, so ΔY = -Y ΔX Y. With ⟨A, B⟩ = trace(AᵀB),
    ΔL = ⟨dY, -Y ΔX Y⟩ = -trace(Y dYᵀ Y ΔX) = ⟨-Yᵀ dY Yᵀ, ΔX⟩: dX = -X⁻ᵀ dY X⁻ᵀ.

    *Shapes*: X and Y (..., n, n).

    *Cache*: Y.

    Raises
    ------
    ValueError
        X is not square, of a dtype that NumPy's linear algebra lacks, such as float16, or
        singular; then it is said which matrix is.

    References
    ----------
    [MatrixGradients], useful identities; [Proofs] 1.

    Examples
    --------
    >>> layer = Inverse()
    >>> layer.forward(np.array([[2.0, 0.0], [0.0, 4.0]]))
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    >>> layer.backward([[1.0, 1.0], [1.0, 1.0]])[0]
    array([[-0.25  , -0.125 ],
           [-0.125 , -0.0625]])
    """

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = _factorable(self, x)
        try:
            y = np.linalg.inv(x)
        except np.linalg.LinAlgError:
            place = next(i for i in np.ndindex(x.shape[:-2]) if _is_singular(x[i]))
            which = (
                f"the matrix at [{', '.join(map(str, place))}] of {x.shape}" if place else x.shape
            )
            raise ValueError(
                f"{self} expected matrices that have an inverse, received {which}, which is "
                "singular; adding a small multiple of the identity makes it regular"
            ) from None
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return -(y.mT @ dy @ y.mT)


def _square(layer: Layer, x: Any) -> np.ndarray:
    x = floating(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        layer.refuse("square matrices (..., n, n)", x, "the last two sizes must be equal")
    return x


def _factorable(layer: Layer, x: Any) -> np.ndarray:
    x = _square(layer, x)
    if x.dtype.itemsize not in (4, 8):
        raise ValueError(
            f"{layer} expected float32 or float64, received {x.dtype}, which NumPy's linear "
            "algebra lacks; convert with x.astype(np.float32)"
        )
    return x


def _is_singular(x: np.ndarray) -> bool:
    try:
        np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return True
    return False


def _per_matrix(dy: np.ndarray) -> np.ndarray:
    return dy[..., np.newaxis, np.newaxis]


def _cofactors(x: np.ndarray) -> np.ndarray:
    finite = np.isfinite(x).all((-2, -1))
    if not finite.all():
        found = np.full_like(x, np.nan)
        found[finite] = _cofactors(x[finite])
        return found
    U, s, Vt = np.linalg.svd(x)
    others = np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., np.newaxis, :]).prod(-1)
    sign = np.linalg.slogdet(U @ Vt).sign  # det(U) det(V), without its rounding
    return _per_matrix(sign) * (U * others[..., np.newaxis, :]) @ Vt
