"""What is an operator's own, beside the tests of all layers: domains, dtypes, identities."""

import itertools

import numpy as np
import pytest

from nnscratch.layers.operators.arithmetic import Add, Div, Mul
from nnscratch.layers.operators.elementwise import Cos, Exp, Log, Power, Sqrt
from nnscratch.layers.operators.indexing import Index
from nnscratch.layers.operators.joining import Concatenate, Split, Stack
from nnscratch.layers.operators.matmul import MatMul
from nnscratch.layers.operators.matrix_functions import Determinant, Inverse, Trace
from nnscratch.layers.operators.piecewise import Clip, Where
from nnscratch.layers.operators.reductions import LogSumExp, Max, Mean, Sum
from nnscratch.layers.operators.shapes import Flip, Reshape, Tile, Transpose
from tests import numeric
from tests.layer_cases import operators
from tests.layer_cases.operators import signed

OF_TWO = [case for case in operators.CASES if len(case.shapes) == 2]


def dy_for(y, seed=1):
    return np.random.default_rng(seed).standard_normal(y.shape).astype(y.dtype)


def gradients(layer, inputs, dy=None):
    """y, and dx always as a tuple; dy is random unless given."""
    y = layer.forward(*inputs)
    dx, grads = layer.backward(dy_for(y) if dy is None else dy)
    assert grads == {}
    return y, dx if isinstance(dx, tuple) else (dx,)


def dtypes(*arrays):
    return "".join(sorted({a.dtype.char for a in arrays}))


def numerical(f, inputs, dy, h=1e-5):
    """The central differences of <dy, f(inputs)> by every element of every input."""
    return [numeric.gradient(lambda: np.sum(dy * f(*inputs)), x, h) for x in inputs]


@pytest.mark.parametrize("case", OF_TWO, ids=lambda case: f"{case.build()}-{case.shapes}")
@pytest.mark.parametrize("first, second", list(itertools.permutations("efdq", 2)))
def test_two_floating_dtypes_meet_as_in_numpy_and_integers_follow(case, first, second):
    u, v = (np.ceil(x) + 3 for x in case.inputs(np.random.default_rng(0)))
    y, (du, dv) = gradients(case.build(), (u.astype(first), v.astype(second)))
    floats = [t for t in (first, second) if t != "q"]
    assert y.dtype == np.result_type(*floats)
    assert du.dtype == (floats[0] if first == "q" else first)
    assert dv.dtype == (floats[0] if second == "q" else second)


@pytest.mark.parametrize("number", [2, 2.5, True])
def test_python_numbers_do_not_decide_the_dtype(number):
    for dtype, expected in {"e": "e", "f": "f", "q": "f"}.items():
        for inputs in itertools.permutations([np.ones(3, dtype), number]):
            y, dx = gradients(Mul(), inputs)
            assert dtypes(y, *dx) == expected
    assert Add().forward(number, 1.0).dtype == np.float64
    assert Add().forward(np.ones(3, np.float32), np.float64(1)).dtype == np.float64


def test_the_jacobians_of_a_product_are_kronecker_products():
    A, B = signed(np.random.default_rng(0), (2, 3)), signed(np.random.default_rng(1), (3, 4))
    (m, n), p = A.shape, B.shape[1]
    units = np.eye(m * p).reshape(m * p, m, p)  # one dy for each element of Y, row-major
    rows = [gradients(MatMul(), (A, B), dy)[1] for dy in units]
    by_A, by_B = (np.stack([dx[i].ravel() for dx in rows]) for i in (0, 1))
    assert by_A.shape == (m * p, m * n)
    np.testing.assert_array_equal(by_A, np.kron(np.eye(m), B.T))
    np.testing.assert_array_equal(by_B, np.kron(A, np.eye(p)))


def test_the_gradient_of_a_product_is_the_column_and_not_its_sum():
    A, B = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    dy = np.zeros((2, 4))
    dy[1, 2] = 1
    _, (dA, dB) = gradients(MatMul(), (A, B), dy)
    np.testing.assert_array_equal(dA, [np.zeros(3), B[:, 2]])
    np.testing.assert_array_equal(dB[:, 2], A[1])
    assert not np.isclose(dA[1], B[:, 2].sum()).any()


def test_the_derivative_of_cos_is_minus_sin():
    _, (dx,) = gradients(Cos(), [np.array([0.5, -2.0])], np.array([1.0, 10.0]))
    np.testing.assert_allclose(dx, [-np.sin(0.5), -10 * np.sin(-2.0)])


def test_whole_powers_have_their_derivative_at_zero_without_a_warning():
    x, dy = np.array([0.0, -2.0]), np.array([3.0, 5.0])
    for exponent, expected in {0: [0, 0], 1: [3, 5], 2: [0, -20], 3: [0, 60]}.items():
        np.testing.assert_array_equal(gradients(Power(exponent), [x], dy)[1][0], expected)


def test_a_numpy_exponent_does_not_widen_float32():
    assert Power(np.float64(3)).forward(np.ones(2, np.float32)).dtype == np.float32


def test_the_quotient_does_not_square_its_divisor():
    _, (_, dv) = gradients(Div(), [np.array([1e-200]), np.array([1e-200])], np.ones(1))
    np.testing.assert_allclose(dv, -1e200)


@pytest.mark.parametrize(
    "layer, inputs, y, dx",
    [
        (Log(), [[0.0, -1.0]], [-np.inf, np.nan], [[np.inf, -1]]),
        (Sqrt(), [[0.0, -1.0]], [0, np.nan], [[np.inf, np.nan]]),
        (Div(), [[1.0, 0.0], [0.0, 0.0]], [np.inf, np.nan], [[np.inf] * 2, [-np.inf, np.nan]]),
        (Power(-1), [[0.0, 2.0]], [np.inf, 0.5], [[-np.inf, -0.25]]),
        (Power(0.5), [[0.0, -1.0]], [0, np.nan], [[np.inf, np.nan]]),
        (Exp(), [[0.0, 1e4]], [1, np.inf], [[1, np.inf]]),
    ],
    ids=str,
)
def test_outside_the_domain_numpy_warns_and_its_values_pass(layer, inputs, y, dx):
    with pytest.warns(RuntimeWarning):
        found = layer.forward(*map(np.array, inputs))
    np.testing.assert_array_equal(found, y)
    with np.errstate(all="ignore"):
        slopes, _ = layer.backward(np.ones_like(found))
    for a, b in zip(slopes if isinstance(slopes, tuple) else [slopes], dx, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("layer", [Sqrt(), Power(0.5)], ids=str)
def test_an_infinite_slope_warns_in_backward(layer):
    layer.forward([0.0, 1.0])
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.testing.assert_array_equal(layer.backward([2.0, 2.0])[0], [np.inf, 1])


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_the_gradient_of_a_singular_determinant_is_its_cofactors(rank):
    rng = np.random.default_rng(rank)
    x = rng.standard_normal((2, 4, rank)) @ rng.standard_normal((2, rank, 4))
    dy = np.array([1.0, -3.0])
    _, (dx,) = gradients(Determinant(), [x], dy)
    (expected,) = numerical(Determinant().forward, [x], dy, 1e-3)  # det is linear in each element
    np.testing.assert_allclose(dx, expected, 1e-9, 1e-9)
    assert (np.abs(dx).max() > 0.1) == (rank >= 3)


def test_a_long_mean_in_float16_still_has_a_gradient():
    _, (dx,) = gradients(Mean(), [np.ones(100_000, np.float16)], np.float16(1))
    np.testing.assert_allclose(dx, 1e-5, rtol=0.01)


@pytest.mark.parametrize("layer", [Sum(), Mean()], ids=str)
def test_the_gradient_of_a_reduction_is_no_view_of_one_number(layer):
    _, (dx,) = gradients(layer, [np.ones(4)], 8.0)
    dx[0] = -1
    assert len(set(dx[1:])) == 1 and dx[1] > 0


def test_concatenating_one_array_gives_one_gradient():
    layer = Concatenate(0)
    layer.forward(np.ones(2))
    np.testing.assert_array_equal(layer.backward([1.0, 2.0])[0], [1, 2])


X = np.ones((2, 3))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Add().forward(X), r"Add\(\) expected 2 inputs, received 1; call forward\(u, v\)"),
        (lambda: MatMul().forward(X, X, X), r"MatMul\(\) expected 2 inputs, received 3"),
        (lambda: Div().forward(X, X.T), r"Div\(\) .*, received \(2, 3\) and \(3, 2\); .* axis"),
        (lambda: MatMul().forward(X, X), r"MatMul\(\) .*received \(2, 3\) and \(2, 3\); .*transp"),
        (lambda: MatMul().forward(2, X), r"MatMul\(\) .*received \(\) and \(2, 3\); Mul\(\)"),
        (lambda: MatMul().forward(np.ones((2, 3, 4)), np.ones((5, 4, 6))), "must broadcast"),
        (lambda: Sum(2).forward(X), r"Sum\(axis=2\) expected .* axis 2, received \(2, 3\)"),
        (lambda: Mean((0, -2)).forward(X), r"Mean\(axis=\(0, -2\)\) .*received \(2, 3\); .*once"),
        (lambda: Transpose((0,)).forward(X), r"Transpose\(\(0,\)\) expected an array of 1 axes"),
        (lambda: Transpose((1, 1)).forward(X), r"Transpose\(\(1, 1\)\) .*each named once"),
        (lambda: Reshape((4, -1)).forward(X), r"expected a multiple of 4 .*received \(2, 3\)"),
        (lambda: Reshape((3, 3)).forward(X), r"expected 9 elements, received .*Flatten\(\)"),
        (lambda: Reshape((-1, -1)), "Reshape expected .* -1 at most once"),
        (lambda: Power(np.nan), "Power expected a finite exponent, received nan"),
        (lambda: Concatenate(0).forward(), r"Concatenate\(axis=0\) expected at least 1 input"),
        (lambda: Concatenate(0).forward([X, X]), "put a star before it"),
        (lambda: Concatenate(2).forward(X, X), r"an axis 2 .*received \(2, 3\) and \(2, 3\)"),
        (lambda: Concatenate(0).forward(X, X.T), r"received \(2, 3\) and \(3, 2\); reshape"),
        (lambda: Index(2).forward(X), r"Index\(2\) expected .*received \(2, 3\); index 2 is out"),
        (lambda: Index("a"), "Index expected integers, slices, .*received 'a'"),
        (lambda: Index(1.5), "received 1.5"),
        (lambda: Max(1).forward(np.ones((2, 0))), r"Max\(axis=1\) expected numbers .*\(2, 0\)"),
        (lambda: LogSumExp().forward([]), r"LogSumExp\(\) expected numbers to sum over"),
        (lambda: Flip(2).forward(X), r"Flip\(2\) expected .* axis 2"),
        (lambda: Clip(2, 1), "low at most as large as high, received 2 and 1"),
        (lambda: Clip(np.nan, 1), "received nan and 1"),
        (lambda: Where().forward(X, X), "expected 3 inputs, received 2"),
        (lambda: Where().forward(X > 0, X, X.T), r"received \(2, 3\) and \(2, 3\) and \(3, 2\)"),
        (lambda: Split(2, 1).forward(X), r"2 equal parts, received \(2, 3\); .*Split\(\[1\], 1\)"),
        (lambda: Split(2, 2).forward(X), "an axis 2"),
        (lambda: Split(0, 1), "number of parts or the places to cut at, received 0"),
        (lambda: Stack(0).forward(X, X.T), r"received \(2, 3\) and \(3, 2\); Concatenate\(axis\)"),
        (lambda: Tile(-1), "Tile expected an int of at least 0"),
        (lambda: Tile("a"), "Tile expected an int of at least 0"),
        (lambda: Trace().forward(X), r"Trace\(\) expected square matrices .*received \(2, 3\)"),
        (lambda: Determinant().forward(np.ones(3)), r"Determinant\(\) expected square"),
        (lambda: Determinant().forward(np.eye(2, dtype="e")), r"received float16.*astype"),
        (lambda: Inverse().forward(np.eye(2, dtype="e")), r"Inverse\(\) .*received float16"),
    ],
)
def test_misuse_names_the_layer_and_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_singular_matrix_has_no_inverse():
    matrices = np.stack([np.eye(3), np.ones((3, 3)), np.zeros((3, 3))])
    with pytest.raises(ValueError, match=r"the matrix at \[1\] of \(3, 3, 3\), which is singular"):
        Inverse().forward(matrices)
    with pytest.raises(ValueError, match=r"received \(3, 3\), which is singular"):
        Inverse().forward(matrices[1])


def test_the_gradient_of_a_determinant_is_nan_where_its_matrix_is():
    matrices = np.stack([np.eye(2), np.full((2, 2), np.nan), [[np.inf, 0], [0, 1]]])
    layer = Determinant()
    with np.errstate(invalid="ignore"):
        layer.forward(matrices)
    dx, _ = layer.backward(np.ones(3))
    np.testing.assert_allclose(dx[0], np.eye(2), atol=1e-15)
    assert np.isnan(dx[1:]).all()
