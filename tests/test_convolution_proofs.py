"""[Proofs] 6.2, fact by fact: linearity, the dot products, and where finite dimension breaks them.

A signal of R^∞ is a dict of its elements that are not zero, so that nothing is ever cut off.
All numbers are ints: what is equal is equal to the last bit.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

import nnscratch as nn


class Signal(dict):
    """x in R^∞ with finite support: {i: x_i}, and 0 everywhere else."""

    def __missing__(self, i):
        return 0

    def __add__(self, other):
        return Signal({i: self[i] + other[i] for i in self.keys() | other.keys()})

    def __eq__(self, other):
        return all(self[i] == other[i] for i in self.keys() | other.keys())

    __hash__ = None


def correlation(x, w):
    """y_i = Σ_j x_{i+j} w_j for each i for which some x_{i+j} w_j is there."""
    places = {p - j for p in x for j in w}
    return Signal({i: sum(x[i + j] * w[j] for j in w) for i in places})


def convolution(x, w):
    """y_i = Σ_j x_{i-j} w_j for each i for which some x_{i-j} w_j is there."""
    places = {p + j for p in x for j in w}
    return Signal({i: sum(x[i - j] * w[j] for j in w) for i in places})


def dot(a, b):
    return sum(a[i] * b[i] for i in a.keys() | b.keys())


signals = st.dictionaries(st.integers(-6, 6), st.integers(-9, 9), max_size=6).map(Signal)
three_signals = given(signals, signals, signals)


def test_the_definitions_on_signals_that_can_be_seen_through():
    x, w = Signal({0: 1, 1: 2, 2: 3}), Signal({0: 10, 1: 100})
    assert correlation(x, w) == Signal({-1: 100, 0: 210, 1: 320, 2: 30})
    assert convolution(x, w) == Signal({0: 10, 1: 120, 2: 230, 3: 300})


# Linearity -------------------------------------------------------------------------------------


@three_signals
def test_correlation_is_linear_in_the_signal(A, B, C):
    assert correlation(A + B, C) == correlation(A, C) + correlation(B, C)


@three_signals
def test_correlation_is_linear_in_the_kernel(A, B, C):
    assert correlation(A, B + C) == correlation(A, B) + correlation(A, C)


@three_signals
def test_convolution_is_linear_in_the_signal(A, B, C):
    assert convolution(A + B, C) == convolution(A, C) + convolution(B, C)


@three_signals
def test_convolution_is_linear_in_the_kernel(A, B, C):
    assert convolution(A, B + C) == convolution(A, B) + convolution(A, C)


# Dot products ----------------------------------------------------------------------------------


@three_signals
def test_property_1_the_adjoint_by_the_kernel_of_a_correlation_is_a_correlation(A, B, C):
    assert dot(A, correlation(B, C)) == dot(C, correlation(B, A))


@three_signals
def test_property_2_the_adjoint_by_the_kernel_of_a_convolution_is_a_correlation(A, B, C):
    assert dot(A, convolution(B, C)) == dot(C, correlation(A, B))


@three_signals
def test_property_3_the_adjoint_of_a_correlation_is_a_convolution(A, B, C):
    assert dot(A, correlation(B, C)) == dot(B, convolution(A, C))


@three_signals
def test_property_4_the_adjoint_of_a_convolution_is_a_correlation(A, B, C):
    assert dot(A, convolution(B, C)) == dot(B, correlation(A, C))


def test_property_2_is_neither_what_is_printed_nor_property_1_with_convolutions():
    A, B, C = Signal({0: 1}), Signal({1: 1}), Signal({-1: 1})  # 1 at A_0, B_1 and C_{-1}
    assert dot(A, convolution(B, C)) == 1  # A_0 B_{0-j} C_j with j = -1
    assert dot(A, convolution(B, A)) == 0  # as printed: it does not even depend on C
    assert dot(C, convolution(B, A)) == 0  # "just interchanging correlation and convolution"
    assert dot(C, correlation(A, B)) == 1


@three_signals
def test_property_2_follows_from_property_4_since_convolution_commutes(A, B, C):
    assert convolution(B, C) == convolution(C, B)
    assert dot(A, convolution(B, C)) == dot(A, convolution(C, B)) == dot(C, correlation(A, B))


# Finite dimension ------------------------------------------------------------------------------
#
# In ⟨A, B ⊙ C⟩ = Σ_i Σ_j A_i B_{i+j} C_j proof 3 puts p = i + j and lets p run over all numbers.
# With n elements in B and k in C, a valid correlation has the n - k + 1 places i = 0 ... n - k,
# and p = i + j takes the n values 0 ... n - 1. A convolution that is cut off knows fewer of them.

n, k = 7, 3
m = n - k + 1


def vector(size):
    return st.lists(st.integers(-9, 9), min_size=size, max_size=size).map(np.array)


def test_valid_against_valid_breaks_where_i_plus_j_leaves_the_range():
    A, B, C = np.arange(1, m + 1), np.arange(2, n + 2), np.arange(3, k + 3)
    inside = slice(k - 1, m)  # the places p of a valid convolution of A
    wanted = A @ np.correlate(B, C, "valid")
    found = B[inside] @ np.convolve(A, C, "valid")
    assert found != wanted
    lost = sum(
        A[i] * B[i + j] * C[j] for i in range(m) for j in range(k) if i + j not in range(n)[inside]
    )
    assert found + lost == wanted


def test_a_convolution_at_the_places_of_its_input_loses_the_end():
    A, B, C = np.arange(1, m + 1), np.arange(2, n + 2), np.arange(3, k + 3)
    cut_off = np.convolve(A, C, "full")[:m]
    lost = sum(A[i] * B[i + j] * C[j] for i in range(m) for j in range(k) if i + j >= m)
    assert lost != 0
    assert B[:m] @ cut_off + lost == A @ np.correlate(B, C, "valid")


@given(vector(m), vector(n), vector(k))
def test_valid_correlation_against_full_convolution_repairs_property_3(A, B, C):
    assert A @ np.correlate(B, C, "valid") == B @ np.convolve(A, C, "full")


@given(vector(n + k - 1), vector(n), vector(k))
def test_full_correlation_against_valid_convolution_repairs_it_too(A, B, C):
    assert A @ np.correlate(B, C, "full") == B @ np.convolve(A, C, "valid")


@given(vector(m), vector(n), vector(k))
def test_property_1_holds_with_valid_on_both_sides(A, B, C):
    assert A @ np.correlate(B, C, "valid") == C @ np.correlate(B, A, "valid")


@given(vector(n + k - 1), vector(n), vector(k))
def test_properties_2_and_4_hold_with_full_convolution_and_valid_correlation(A, B, C):
    wanted = A @ np.convolve(B, C, "full")
    assert wanted == C @ np.correlate(A, B, "valid")
    assert wanted == B @ np.correlate(A, C, "valid")


@given(vector(n), vector(n), vector(3))
def test_same_against_same_holds_for_an_odd_kernel(A, B, C):
    # both cut off at the same places, before which an odd kernel reaches as far as behind them
    assert A @ np.correlate(B, C, "same") == B @ np.convolve(A, C, "same")


def test_same_against_same_breaks_for_an_even_kernel():
    A, B, C = np.arange(1, n + 1), np.arange(2, n + 2), np.array([1, 10])
    assert A @ np.correlate(B, C, "same") != B @ np.convolve(A, C, "same")
    # the zero before B wants a zero behind A
    np.testing.assert_array_equal(
        np.correlate(B, C, "same"), np.correlate([0, *B], C, "valid"), strict=True
    )
    assert A @ np.correlate(B, C, "same") == B @ np.convolve([*A, 0], C, "valid")


# The layers ------------------------------------------------------------------------------------


def passes(layer, w, x, dy):
    """(y, dx, dw) of a layer with one channel and the kernel w, as vectors."""
    layer.astype("f8").params["W"] = w[np.newaxis, np.newaxis]
    y = layer.forward(x[np.newaxis, np.newaxis])
    dx, grads = layer.backward(dy[np.newaxis, np.newaxis])
    return y[0, 0], dx[0, 0], grads["W"][0, 0]


def equal(found, *expected):
    """Exactly: floating-point sums of small ints are not rounded."""
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@given(vector(n), vector(k), vector(m))
def test_correlation1d_is_properties_3_and_1(x, w, dy):
    equal(
        passes(nn.Correlation1d(1, 1, k, bias=False), w, x, dy),
        np.correlate(x, w, "valid"),
        np.convolve(dy, w, "full"),
        np.correlate(x, dy, "valid"),
    )


@given(vector(n), vector(k), vector(n + k - 1))
def test_convolution1d_with_full_padding_is_properties_4_and_2(x, w, dy):
    equal(
        passes(nn.Convolution1d(1, 1, k, padding="full", bias=False), w, x, dy),
        np.convolve(x, w, "full"),
        np.correlate(dy, w, "valid"),
        np.correlate(dy, x, "valid"),
    )


@given(vector(n), vector(k), vector(n + k - 1))
def test_conv_transpose1d_is_the_full_convolution(x, w, dy):
    equal(
        passes(nn.ConvTranspose1d(1, 1, k, bias=False), w, x, dy),
        np.convolve(x, w, "full"),
        np.correlate(dy, w, "valid"),
        np.correlate(dy, x, "valid"),
    )


@pytest.mark.parametrize("size", [2, 4])
def test_dx_of_an_even_same_correlation_is_the_convolution_with_the_zeros_exchanged(size):
    rng = np.random.default_rng(0)
    x, w, dy = rng.integers(-9, 9, n), rng.integers(1, 9, size), rng.integers(-9, 9, n)
    layer = nn.Correlation1d(1, 1, size, padding="same")
    (axis,) = layer.windows
    _, dx, _ = passes(layer, w, x, dy)
    exchanged = nn.Convolution1d(1, 1, size, padding=(axis.after, axis.before))
    np.testing.assert_array_equal(passes(exchanged, w, dy, x)[0], dx)
    same = nn.Convolution1d(1, 1, size, padding="same")
    assert not np.array_equal(passes(same, w, dy, x)[0], dx)


def test_the_backward_of_a_2d_correlation_is_the_full_convolution_and_the_valid_correlation():
    rng = np.random.default_rng(0)
    x, w, dy = (rng.integers(-9, 9, shape) for shape in ((6, 7), (3, 2), (4, 6)))
    equal(
        passes(nn.Correlation2d(1, 1, (3, 2), bias=False), w, x, dy),
        signal.correlate(x, w, "valid", "direct"),
        signal.convolve(dy, w, "full", "direct"),
        signal.correlate(x, dy, "valid", "direct"),
    )
