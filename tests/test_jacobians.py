"""Jacobians: the examples and identities of [MatrixGradients], and that batching is only speed."""

import copy

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.graph import Graph, Input
from nnscratch.inspection.jacobians import jacobian, numerical_jacobian
from nnscratch.layers.operators.arithmetic import Add, Mul
from nnscratch.layers.operators.elementwise import Sin, Square
from nnscratch.layers.operators.joining import Concatenate
from nnscratch.layers.operators.matmul import MatMul
from nnscratch.layers.operators.matrix_functions import Determinant, Inverse, Trace
from nnscratch.layers.operators.reductions import Mean, Sum
from nnscratch.layers.operators.shapes import Reshape, Transpose
from tests.passes import normal


def regular(n, seed=0):
    return normal(n, n, seed=seed) + 4 * np.eye(n)


def close(found, expected, tolerance=1e-12):
    np.testing.assert_allclose(found, expected, tolerance, tolerance, strict=True)


def by(f, x):
    """∂f/∂x for a formula f of one node."""
    node = Input("x")
    return jacobian(Graph([node], f(node)), x)


# [MatrixGradients]: gradients of matrices with respect to matrices ----------------------------


def test_gradient_of_a_matrix_product_by_the_matrix_stacks_x_in_row_i():
    A, x = normal(3, 4), normal(4, seed=1)
    J = jacobian(MatMul(), A, x)
    assert J.shape == (3, 3, 4)  # m × (m × n)
    for i in range(3):
        expected = np.zeros((3, 4))
        expected[i] = x  # ∂f_i/∂A_i,: = xᵀ and ∂f_i/∂A_k,: = 0ᵀ
        np.testing.assert_array_equal(J[i], expected)
    np.testing.assert_array_equal(jacobian(MatMul(), A, x, wrt=1), A)


def test_gradient_of_a_gram_matrix_has_the_entries_listed():
    m, n = 4, 3
    B = normal(m, n)
    J = by(lambda b: Transpose()(b) @ b, B)
    assert J.shape == (n, n, m, n)
    for p, q, i, j in np.ndindex(J.shape):
        if j == p and p != q:
            expected = B[i, q]
        elif j == q and p != q:
            expected = B[i, p]
        elif j == p and p == q:
            expected = 2 * B[i, q]
        else:
            expected = 0
        assert J[p, q, i, j] == pytest.approx(expected, abs=1e-15)


def test_jacobian_of_softmax_is_diag_y_minus_y_y_transposed():
    x = normal(5)
    y = nn.Softmax().forward(x)
    close(jacobian(nn.Softmax(), x), np.diag(y) - np.outer(y, y))


def test_kronecker_forms_of_the_matrix_product():
    A, B = normal(2, 3), normal(3, 4, seed=1)
    close(jacobian(MatMul(), A, B, wrt=0, layout="matrix"), np.kron(np.eye(2), B.T))
    close(jacobian(MatMul(), A, B, wrt=1, layout="matrix"), np.kron(A, np.eye(4)))


# [MatrixGradients]: useful identities ---------------------------------------------------------


def test_gradient_of_the_inner_product_is_a():
    a, x = normal(4), normal(4, seed=1)
    close(by(lambda x: x @ a, x), a)  # ∂xᵀa/∂x = aᵀ
    close(by(lambda x: a @ x, x), a)  # ∂aᵀx/∂x = aᵀ


def test_gradient_of_a_bilinear_form_is_the_outer_product():
    a, b, X = normal(3), normal(4, seed=1), normal(3, 4, seed=2)
    close(by(lambda X: a @ X @ b, X), np.outer(a, b))  # ∂aᵀXb/∂X = a bᵀ


def test_gradient_of_a_quadratic_form_has_b_and_its_transpose():
    B, x = normal(4, 4), normal(4, seed=1)
    close(by(lambda x: x @ B @ x, x), x @ (B + B.T))


def test_gradient_of_a_weighted_square():
    A, W, x, s = normal(4, 3), normal(4, 4, seed=1), normal(4, seed=2), normal(3, seed=3)
    W = W + W.T
    f = by(lambda s: (x - A @ s) @ W @ (x - A @ s), s)
    close(f, -2 * (x - A @ s) @ W @ A)


def f_of(X):
    """A function of a matrix, for the identities of tr(f), det(f), f⁻¹ and fᵀ."""
    return X @ X + np.diag([1.0, 2.0, 3.0])


def test_gradient_of_the_trace_is_the_trace_of_the_gradient():
    X = regular(3)
    close(by(lambda X: Trace()(f_of(X)), X), np.einsum("iikl->kl", by(f_of, X)))


def test_gradient_of_the_transpose_is_the_transposed_gradient():
    X = regular(3)
    close(by(lambda X: Transpose()(f_of(X)), X), by(f_of, X).swapaxes(0, 1))


def test_gradient_of_the_determinant():
    X = regular(3)
    close(jacobian(Determinant(), X), np.linalg.det(X) * np.linalg.inv(X).T)
    F = f_of(X)
    inner = np.einsum("ij,jikl->kl", np.linalg.inv(F), by(f_of, X))  # tr(f⁻¹ ∂f/∂X)
    close(by(lambda X: Determinant()(f_of(X)), X), np.linalg.det(F) * inner, 1e-11)


def test_gradient_of_the_inverse():
    X = regular(3)
    Y = np.linalg.inv(X)
    close(jacobian(Inverse(), X), -np.einsum("ik,lj->ijkl", Y, Y))
    F = np.linalg.inv(f_of(X))  # ∂f⁻¹/∂X = -f⁻¹ ∂f/∂X f⁻¹
    expected = -np.einsum("ia,abkl,bj->ijkl", F, by(f_of, X), F)
    close(by(lambda X: Inverse()(f_of(X)), X), expected)


def test_gradient_of_a_bilinear_form_of_the_inverse():
    a, b, X = normal(3), normal(3, seed=1), regular(3)
    Y = np.linalg.inv(X)
    close(by(lambda X: a @ Inverse()(X) @ b, X), -Y.T @ np.outer(a, b) @ Y.T)


# The function ---------------------------------------------------------------------------------


class Centred(nn.Layer):
    """x minus the mean of the batch: equal copies give equal values, but samples are coupled."""

    def forward_pass(self, x):
        return x - x.mean(0), None

    def backward_pass(self, dy, cache):
        return dy - dy.mean(0)


CASES = [
    (nn.Linear(3, 2, rng=0).astype(np.float64), [(3,)]),
    (nn.Linear(3, 2, rng=0).astype(np.float64), [(4, 3)]),
    (nn.mlp([3, 5, 2], rng=0).astype(np.float64), [(4, 3)]),
    (nn.Softmax(axis=0), [(4, 3)]),
    (nn.Softmax(axis=1), [(4, 3)]),
    (nn.Flatten(), [(2, 3, 4)]),
    (Centred(), [(4, 3)]),
    (nn.Sequential(nn.Tanh(), Centred(), Sin()), [(4, 3)]),
    (Mul(), [(4, 1, 3), (2, 1)]),
    (Mul(), [(2, 3), (3,)]),
    (Add(), [(3,), (4, 3)]),
    (MatMul(), [(2, 3), (3, 4)]),
    (MatMul(), [(5, 2, 3), (3,)]),
    (MatMul(), [(3,), (3,)]),
    (Transpose(), [(2, 3, 4)]),
    (Reshape((2, -1)), [(3, 4)]),
    (Concatenate(0), [(2, 3), (4, 3)]),
    (Sum(0), [(4, 3)]),
    (Mean(), [(4, 3)]),
    (Square(), [()]),
    (Sin(), [(0, 3)]),
    (Inverse(), [(2, 3, 3)]),
    (Trace(), [(2, 3, 3)]),
]


def of_case(layer, shapes):
    if isinstance(layer, Inverse):
        return [np.stack([regular(3), regular(3, seed=1)])]
    return [normal(*shape, seed=k) for k, shape in enumerate(shapes)]


@pytest.mark.parametrize(("layer", "shapes"), CASES, ids=str)
def test_both_layouts_equal_central_differences(layer, shapes):
    inputs = of_case(layer, shapes)
    for k, x in enumerate(inputs):

        def f(x, k=k):
            return layer.forward_pass(*inputs[:k], x, *inputs[k + 1 :])[0]

        expected = numerical_jacobian(f, x)
        J = jacobian(layer, *inputs, wrt=k)
        y = np.asarray(layer.forward(*inputs))
        assert J.shape == y.shape + x.shape
        close(J, expected, 1e-8)
        matrix = jacobian(layer, *inputs, wrt=k, layout="matrix")
        np.testing.assert_array_equal(matrix, J.reshape(y.size, x.size), strict=True)


def test_jacobian_by_a_parameter():
    layer, x = nn.Linear(3, 2, rng=0).astype(np.float64), normal(4, 3)
    J = jacobian(layer, x, wrt="W")
    close(J, np.einsum("oi,nk->noik", np.eye(2), x))
    close(jacobian(layer, x, wrt="b", layout="matrix"), np.tile(np.eye(2), (4, 1)))
    model = nn.mlp([3, 5, 2], rng=0).astype(np.float64)
    W = model.params["1.W"].copy()

    def f(W):
        model.params["1.W"] = W
        return model.forward_pass(x)[0]

    expected = numerical_jacobian(f, W)
    model.params["1.W"] = W
    close(jacobian(model, x, wrt="1.W"), expected, 1e-8)


def test_jacobian_of_a_graph_by_each_input():
    u, v = Input("u"), Input("v")
    graph = Graph([u, v], Sin()(u) @ v)
    a, b = normal(4, 3), normal(3, seed=1)
    close(jacobian(graph, a, b, wrt=1), np.sin(a))
    close(jacobian(graph, a, b), np.einsum("ik,kl,l->ikl", np.eye(4), np.cos(a), b))


def test_a_scalar_output_gives_the_gradient():
    x = normal(4, 3)
    close(jacobian(Sum(), x), np.ones((4, 3)))
    assert jacobian(Sum(), x, layout="matrix").shape == (1, 12)
    prediction, target = normal(4, 3), normal(4, 3, seed=1)
    close(jacobian(nn.MSELoss(), prediction, target), (prediction - target) / 4)


def with_calls(layer, *inputs):
    """The Jacobian, and the shapes of dy that backward_pass was called with for it."""
    calls = []
    kind = type(layer)

    class Counting(kind):
        def backward_pass(self, dy, cache):
            calls.append(dy.shape)
            return kind.backward_pass(self, dy, cache)

    counting = copy.deepcopy(layer)
    counting.__class__ = Counting
    return jacobian(counting, *inputs), calls


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(30, 20, rng=0), (30,)),
        (nn.Linear(30, 20, rng=0), (8, 30)),
        (nn.Softmax(), (8, 30)),
        (Sin(), (8, 30)),
    ],
    ids=str,
)
def test_layers_that_treat_samples_apart_take_a_few_calls(layer, shape):
    x = normal(*shape).astype(np.float32)
    J, calls = with_calls(layer, x)
    assert len(calls) == 2  # the batch, and the check
    assert J.dtype == np.float32


def test_a_layer_that_couples_samples_is_found_out_and_computed_row_by_row():
    J, calls = with_calls(Centred(), normal(4, 3))
    assert len(calls) == 4 * 3 + 2 + 2  # the rows, and two attempts with their checks
    expected = np.einsum("nm,jk->njmk", np.eye(4) - 1 / 4, np.eye(3))
    close(J, expected)


def test_large_jacobians_are_computed_in_blocks(monkeypatch):
    x = normal(6, 5)
    expected = jacobian(Sin(), x)
    monkeypatch.setattr("nnscratch.inspection.jacobians._LARGEST", 30 * 7)
    J, calls = with_calls(Sin(), x)
    np.testing.assert_array_equal(J, expected)
    assert calls[:-1] == [(7, 6, 5)] * 4 + [(2, 6, 5)]


def test_the_layer_stays_as_it_was():
    layer = nn.Dropout(0.5, rng=0)
    x = normal(4, 3)
    J = jacobian(layer, x, layout="matrix")
    assert layer.cache is None
    y = layer.forward(x)  # the same mask as the Jacobian's
    close(J, np.diag((y / x).ravel()))


def test_the_dtype_is_that_of_backward():
    assert jacobian(nn.Linear(3, 2), normal(4, 3)).dtype == np.float32
    assert jacobian(Sin(), np.ones(3, np.float32)).dtype == np.float32
    assert jacobian(Sin(), np.ones(3)).dtype == np.float64
    assert jacobian(nn.Linear(3, 2), np.zeros((0, 3)), wrt="W").shape == (0, 2, 2, 3)


class NoSecond(Mul):
    """A product that keeps its second gradient to itself."""

    def backward_pass(self, dy, cache):
        return super().backward_pass(dy, cache)[0], None


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_of_a_loss_by_prediction_target_and_weight(reduction):
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.random(4)]
    loss = nn.MSELoss(reduction)
    for i, x in enumerate(inputs):

        def moved(z, i=i):
            return loss.forward(*inputs[:i], z, *inputs[i + 1 :])

        close(jacobian(loss, *inputs, wrt=i), numerical_jacobian(moved, x), 1e-8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jacobian(Sin(), np.ones(3), wrt=1), "none with the number 1; pass 0 to 0"),
        (lambda: jacobian(Sin(), np.ones(3), wrt=-1), "none with the number -1"),
        (lambda: jacobian(Sin(), np.ones(3), wrt="W"), "no parameter 'W', it has none"),
        (lambda: jacobian(nn.Linear(3, 2), np.ones(3), wrt="w"), "it has W, b"),
        (lambda: jacobian(Sin(), np.ones(3), layout="rows"), "layout 'tensor' or 'matrix'"),
        (lambda: jacobian(Sin(), np.arange(3)), "floating numbers, received int64"),
        (lambda: jacobian(Mul(), np.ones(3), [1, 2, 3], wrt=1), "input 1 to be of floating"),
        (lambda: jacobian(nn.HingeLoss(), np.ones((2, 3)), [0, 1], wrt=1), "floating numbers"),
        (lambda: jacobian(NoSecond(), np.ones(3), np.ones(3), wrt=1), "no gradient to input 1"),
        (lambda: numerical_jacobian(np.sin, np.arange(3)), "floating numbers"),
    ],
)
def test_misuse_is_refused_with_a_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_integer_input_beside_is_no_hindrance():
    close(jacobian(Mul(), np.ones(2), np.array([3, 5])), np.diag([3.0, 5.0]))


def test_numerical_jacobian_leaves_x_alone_and_takes_numbers():
    x = normal(3)
    kept = x.copy()

    def f(x):
        x *= 2  # a function that writes into its argument
        return float(x @ x)

    close(numerical_jacobian(f, x), 8 * x, 1e-8)
    np.testing.assert_array_equal(x, kept)
    assert numerical_jacobian(np.sin, np.zeros((0, 2))).shape == (0, 2, 0, 2)
    assert numerical_jacobian(np.sin, 1.0).shape == ()
