"""Jacobians, products with them, and gradients of everything that can be drawn as a graph.

Write NumPy only, and never write into an array that you were given. Replace each
`raise NotImplementedError`; the formulas and their reasons are in README.md.
"""

import numpy as np

# Jacobians --------------------------------------------------------------------------------------


def product_by_x(A, x):
    """J_ij = ∂f_i/∂x_j for f = Ax, with A (m, n) and x (n,): an array (m, n)."""
    raise NotImplementedError


def product_by_A(A, x):
    """J_ikl = ∂f_i/∂A_kl for f = Ax, with A (m, n) and x (n,): an array (m, m, n)."""
    raise NotImplementedError


def gram_jacobian(B):
    """J_pqij = ∂K_pq/∂B_ij for K = BᵀB, with B (m, n): an array (n, n, m, n)."""
    raise NotImplementedError


def map_jacobian(slopes):
    """J for a function of each element, y_i = f(x_i), from slopes_i = f'(x_i).

    Parameters
    ----------
    slopes : array of any shape, that of x and of y

    Returns
    -------
    J : array of shape (*slopes.shape, *slopes.shape)
    """
    raise NotImplementedError


def softmax_jacobian(x):
    """J_ij = ∂y_i/∂x_j for y = softmax(x), with x (n,) of any size: finite for all finite x."""
    raise NotImplementedError


def as_matrix(J, axes):
    """A Jacobian as a matrix: a row for each element of y, a column for each of x.

    Parameters
    ----------
    J : array of shape (*y.shape, *x.shape)
    axes : int
        How many axes y has.
    """
    raise NotImplementedError


# Products with a Jacobian, without it -----------------------------------------------------------


def product_vjp(A, x, df):
    """dA and dx for f = Ax, from df = dL/df of shape (m,)."""
    raise NotImplementedError


def gram_vjp(B, dK):
    """dB for K = BᵀB, from dK of shape (n, n), which need not be symmetric."""
    raise NotImplementedError


def softmax_vjp(x, dy):
    """dx for y = softmax(x), from dy; all of shape (n,), and finite for all finite x."""
    raise NotImplementedError


# Identities -------------------------------------------------------------------------------------


def bilinear_gradient(a, X, b):
    """dL/dX for L = aᵀXb, with a (m,), X (m, n), b (n,)."""
    raise NotImplementedError


def quadratic_gradient(B, x):
    """dL/dx for L = xᵀBx, with B (n, n) not symmetric and x (n,)."""
    raise NotImplementedError


def trace_gradient(A, X):
    """dL/dX for L = trace(AX), with A (m, n) and X (n, m)."""
    raise NotImplementedError


def determinant_gradient(X):
    """dL/dX for L = det X, with X (n, n) invertible."""
    raise NotImplementedError


def inverse_gradient(a, X, b):
    """dL/dX for L = aᵀX⁻¹b, with X (n, n) invertible."""
    raise NotImplementedError


def weighted_square_gradient(x, A, s, W):
    """dL/ds for L = (x - As)ᵀ W (x - As), with W (n, n) symmetric, A (n, m), s (m,)."""
    raise NotImplementedError


# A graph ----------------------------------------------------------------------------------------


class Node:
    """A value, and how it came about; nothing to do here.

    Attributes
    ----------
    value : array of float64
    parents : list of Node
        What it was computed from; none for an input. One node may stand there twice.
    vjps : list of functions
        For each parent the function that makes dL/d(parent) of dL/d(value): the share that comes
        through this node, in the parent's shape.
    grad : array or None
        dL/d(value), once `backpropagate` was here.
    """

    def __init__(self, value, parents=(), vjps=()):
        self.value = np.asarray(value, dtype=np.float64)
        self.parents, self.vjps = list(parents), list(vjps)
        self.grad = None


def add(u, v):
    """The node of u + v; u and v are nodes with values of one shape."""
    raise NotImplementedError


def mul(u, v):
    """The node of u ∘ v, element by element; u and v are nodes with values of one shape."""
    raise NotImplementedError


def matmul(A, B):
    """The node of A B; A and B are nodes with matrices."""
    raise NotImplementedError


def square(u):
    """The node of u², element by element."""
    raise NotImplementedError


def exp(u):
    """The node of eᵘ, element by element."""
    raise NotImplementedError


def sqrt(u):
    """The node of √u, element by element, for positive u."""
    raise NotImplementedError


def cos(u):
    """The node of cos u, element by element."""
    raise NotImplementedError


def total(u):
    """The node of the sum of all elements of u, of shape ()."""
    raise NotImplementedError


def topological_order(output):
    """All nodes that `output` depends on, each once, parents before children; `output` is last.

    Parameters
    ----------
    output : Node
        Its graph may be thousands of nodes deep, and have many more paths than nodes.

    Returns
    -------
    nodes : list of Node
    """
    raise NotImplementedError


def backpropagate(output):
    """Leave dL/d(node) in `grad` of every node that `output` depends on, where L = Σ output.

    Parameters
    ----------
    output : Node
        Its own gradient is 1 in all places. What `grad` held before does not matter.
    """
    raise NotImplementedError


def worked_example(x):
    """f = √(x² + exp x²) + cos(x² + exp x²), computed from the node x by the functions above.

    Returns
    -------
    a, b, c, d, e, f : Node
        a = x², b = exp a, c = a + b, d = √c, e = cos c, f = d + e.
    """
    raise NotImplementedError
