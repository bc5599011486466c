"""The matrix product as a layer of two inputs."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.layers.operators.arithmetic import kind, sum_to_shape, two_inputs

__all__ = ["MatMul"]


class MatMul(Layer):
    """The matrix product Y = A B, of vectors, matrices or stacks of matrices.

    Notes
    -----
    *Forward*: Y_ij = Σ_k A_ik B_kj. A vector on the left is a row, on the right a column, and
    Y then lacks that axis. Axes before the last two number the matrices of a stack and broadcast.

    *Backward*: ΔL = ⟨dY, ΔA B⟩ = trace(dYᵀ ΔA B) = trace(B dYᵀ ΔA) = ⟨dY Bᵀ, ΔA⟩, and likewise
    ΔL = ⟨dY, A ΔB⟩ = ⟨Aᵀ dY, ΔB⟩. So dA = dY Bᵀ and dB = Aᵀ dY, each summed over the batch
    axes along which its operand was repeated.

    *Jacobians*: with vec(A) = a_11, a_12, ..., the row-major order of NumPy, they are Kronecker
    products:

        ∂vec(AB)/∂vec(A) = I_m ⊗ Bᵀ        since ∂Y_ij/∂A_kl = δ_ik B_lj
        ∂vec(AB)/∂vec(B) = A ⊗ I_p         since ∂Y_ij/∂B_kl = A_ik δ_lj

    For B = x, a vector, the first is I_m ⊗ xᵀ: xᵀ in row i and 0ᵀ elsewhere, as [MatrixGradients]
    finds for f = Ax. [Operators] 5 says instead that the gradient of Y_ij is "the sum of the
    elements" of column j of B and of row i of A. Nothing is summed: ∂Y_ij/∂A_ik = B_kj, the
    elements themselves; what is summed is dY_ij B_kj over all j, and that is dY Bᵀ. Nor are Bᵀ and
    Aᵀ, which it prints last, the derivatives of AB, but factors in the backward pass.

    *Shapes*: A (..., m, n) or (n,), B (..., n, p) or (n,); Y (..., m, p), without m or p where
    A or B is a vector.

    *Cache*: A and B.

    Raises
    ------
    ValueError
        There are not two inputs, one is a scalar, or the shapes do not fit.

    References
    ----------
    [Operators] 5; [MatrixGradients] f = Ax; [Recitation] rule 1(b), which returns the gradients
    transposed; [Proofs] 1 for ⟨A, B⟩ = trace(AᵀB), and 4.

    Examples
    --------
    >>> layer = MatMul()
    >>> A, B = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0], [4.0, 6.0]])
    >>> layer.forward(A, B)
    array([[11., 17.]])
    >>> dA, dB = layer.backward([[1.0, 0.0]])[0]  # the column of B, not its sum
    >>> dA
    array([[3., 4.]])
    >>> dB
    array([[1., 0.],
           [2., 0.]])
    """

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        A, B = two_inputs(self, inputs)
        if A.ndim == 0 or B.ndim == 0:
            self._refuse(A, B, "Mul() multiplies by a scalar")
        if A.shape[-1] != B.shape[-2:][0]:
            self._refuse(A, B, "n must be the same: is one of them transposed?")
        try:
            np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
        except ValueError:
            self._refuse(A, B, "the axes before the last two must broadcast")
        return A @ B, (A, B)

    def backward_pass(self, dy: np.ndarray, cache: tuple[np.ndarray, np.ndarray]) -> Any:
        A, B = cache
        rows = A if A.ndim > 1 else A[np.newaxis, :]
        columns = B if B.ndim > 1 else B[:, np.newaxis]
        missing = [-2] * (A.ndim == 1) + [-1] * (B.ndim == 1)
        dY = np.expand_dims(dy, tuple(missing))
        dA = sum_to_shape(dY @ columns.mT, *kind(rows)).reshape(A.shape)
        dB = sum_to_shape(rows.mT @ dY, *kind(columns)).reshape(B.shape)
        return dA, dB

    def _refuse(self, A: np.ndarray, B: np.ndarray, remedy: str) -> NoReturn:
        raise ValueError(
            f"{self} expected (..., m, n) or (n,) and (..., n, p) or (n,), "
            f"received {A.shape} and {B.shape}; {remedy}"
        )
