"""Jacobians, products with them, and gradients of everything that can be drawn as a graph.

Write NumPy only, and never write into an array that you were given. Replace each
`raise NotImplementedError`; the formulas and their reasons are in README.md.
"""

import numpy as np

# Jacobians --------------------------------------------------------------------------------------


def product_by_x(A, x):
    """J_ij = ∂f_i/∂x_j for f = Ax, with A (m, n) and x (n,): an array (m, n)."""
    # BEGIN SOLUTION
    return A.copy()
    # END SOLUTION


def product_by_A(A, x):
    """J_ikl = ∂f_i/∂A_kl for f = Ax, with A (m, n) and x (n,): an array (m, m, n)."""
    # BEGIN SOLUTION
    return np.einsum("ik,l->ikl", np.eye(len(A)), x)
    # END SOLUTION


def gram_jacobian(B):
    """J_pqij = ∂K_pq/∂B_ij for K = BᵀB, with B (m, n): an array (n, n, m, n)."""
    # BEGIN SOLUTION
    by_first = np.einsum("pj,iq->pqij", np.eye(B.shape[1]), B)
    return by_first + by_first.swapaxes(0, 1)
    # END SOLUTION


def map_jacobian(slopes):
    """J for a function of each element, y_i = f(x_i), from slopes_i = f'(x_i).

    Parameters
    ----------
    slopes : array of any shape, that of x and of y

    Returns
    -------
    J : array of shape (*slopes.shape, *slopes.shape)
    """
    # BEGIN SOLUTION
    return np.diag(slopes.ravel()).reshape(slopes.shape * 2)
    # END SOLUTION


def softmax_jacobian(x):
    """J_ij = ∂y_i/∂x_j for y = softmax(x), with x (n,) of any size: finite for all finite x."""
    # BEGIN SOLUTION
    y = np.exp(x - x.max())
    y = y / y.sum()
    return np.diag(y) - np.outer(y, y)
    # END SOLUTION


def as_matrix(J, axes):
    """A Jacobian as a matrix: a row for each element of y, a column for each of x.

    Parameters
    ----------
    J : array of shape (*y.shape, *x.shape)
    axes : int
        How many axes y has.
    """
    # BEGIN SOLUTION
    return J.reshape(int(np.prod(J.shape[:axes])), -1)
    # END SOLUTION


# Products with a Jacobian, without it -----------------------------------------------------------


def product_vjp(A, x, df):
    """dA and dx for f = Ax, from df = dL/df of shape (m,)."""
    # BEGIN SOLUTION
    return np.outer(df, x), A.T @ df
    # END SOLUTION


def gram_vjp(B, dK):
    """dB for K = BᵀB, from dK of shape (n, n), which need not be symmetric."""
    # BEGIN SOLUTION
    return B @ (dK + dK.T)
    # END SOLUTION


def softmax_vjp(x, dy):
    """dx for y = softmax(x), from dy; all of shape (n,), and finite for all finite x."""
    # BEGIN SOLUTION
    y = np.exp(x - x.max())
    y = y / y.sum()
    return y * (dy - dy @ y)
    # END SOLUTION


# Identities -------------------------------------------------------------------------------------


def bilinear_gradient(a, X, b):
    """dL/dX for L = aᵀXb, with a (m,), X (m, n), b (n,)."""
    # BEGIN SOLUTION
    return np.outer(a, b)
    # END SOLUTION


def quadratic_gradient(B, x):
    """dL/dx for L = xᵀBx, with B (n, n) not symmetric and x (n,)."""
    # BEGIN SOLUTION
    return (B + B.T) @ x
    # END SOLUTION


def trace_gradient(A, X):
    """dL/dX for L = trace(AX), with A (m, n) and X (n, m)."""
    # BEGIN SOLUTION
    return A.T.copy()
    # END SOLUTION


def determinant_gradient(X):
    """dL/dX for L = det X, with X (n, n) invertible."""
    # BEGIN SOLUTION
    return np.linalg.det(X) * np.linalg.inv(X).T
    # END SOLUTION


def inverse_gradient(a, X, b):
    """dL/dX for L = aᵀX⁻¹b, with X (n, n) invertible."""
    # BEGIN SOLUTION
    inverse = np.linalg.inv(X)
    return -np.outer(inverse.T @ a, inverse @ b)
    # END SOLUTION


def weighted_square_gradient(x, A, s, W):
    """dL/ds for L = (x - As)ᵀ W (x - As), with W (n, n) symmetric, A (n, m), s (m,)."""
    # BEGIN SOLUTION
    return -2 * A.T @ W @ (x - A @ s)
    # END SOLUTION


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
    # BEGIN SOLUTION
    return Node(u.value + v.value, [u, v], [lambda dy: dy, lambda dy: dy])
    # END SOLUTION


def mul(u, v):
    """The node of u ∘ v, element by element; u and v are nodes with values of one shape."""
    # BEGIN SOLUTION
    vjps = [lambda dy: dy * v.value, lambda dy: dy * u.value]
    return Node(u.value * v.value, [u, v], vjps)
    # END SOLUTION


def matmul(A, B):
    """The node of A B; A and B are nodes with matrices."""
    # BEGIN SOLUTION
    vjps = [lambda dy: dy @ B.value.T, lambda dy: A.value.T @ dy]
    return Node(A.value @ B.value, [A, B], vjps)
    # END SOLUTION


def square(u):
    """The node of u², element by element."""
    # BEGIN SOLUTION
    return Node(u.value**2, [u], [lambda dy: dy * 2 * u.value])
    # END SOLUTION


def exp(u):
    """The node of eᵘ, element by element."""
    # BEGIN SOLUTION
    return Node(np.exp(u.value), [u], [lambda dy: dy * np.exp(u.value)])
    # END SOLUTION


def sqrt(u):
    """The node of √u, element by element, for positive u."""
    # BEGIN SOLUTION
    return Node(np.sqrt(u.value), [u], [lambda dy: dy / (2 * np.sqrt(u.value))])
    # END SOLUTION


def cos(u):
    """The node of cos u, element by element."""
    # BEGIN SOLUTION
    return Node(np.cos(u.value), [u], [lambda dy: -dy * np.sin(u.value)])
    # END SOLUTION


def total(u):
    """The node of the sum of all elements of u, of shape ()."""
    # BEGIN SOLUTION
    return Node(np.sum(u.value), [u], [lambda dy: np.full(u.value.shape, dy)])
    # END SOLUTION


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
    # BEGIN SOLUTION
    order, seen, waiting = [], set(), [(output, False)]
    while waiting:
        node, parents_are_done = waiting.pop()
        if parents_are_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting.append((node, True))
            waiting.extend((parent, False) for parent in node.parents)
    return order
    # END SOLUTION


def backpropagate(output):
    """Leave dL/d(node) in `grad` of every node that `output` depends on, where L = Σ output.

    Parameters
    ----------
    output : Node
        Its own gradient is 1 in all places. What `grad` held before does not matter.
    """
    # BEGIN SOLUTION
    order = topological_order(output)
    for node in order:
        node.grad = np.zeros(node.value.shape)
    output.grad = np.ones(output.value.shape)
    for node in reversed(order):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(node.grad)
    # END SOLUTION


def worked_example(x):
    """f = √(x² + exp x²) + cos(x² + exp x²), computed from the node x by the functions above.

    Returns
    -------
    a, b, c, d, e, f : Node
        a = x², b = exp a, c = a + b, d = √c, e = cos c, f = d + e.
    """
    # BEGIN SOLUTION
    a = square(x)
    b = exp(a)
    c = add(a, b)
    d, e = sqrt(c), cos(c)
    return a, b, c, d, e, add(d, e)
    # END SOLUTION
