"""Operators: functions without parameters of one or several inputs that broadcast."""

import copy

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

import nnscratch as nn
from tests.layer_cases.case import LayerCase


def signed(rng, shape):
    return np.asarray(rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape))


def positive(rng, shape):
    return rng.uniform(0.5, 2, shape)


def regular(rng, shape):  # diagonally dominant
    return rng.uniform(-1, 1, shape) + (shape[-1] + 1) * np.eye(shape[-1])


def alone(shapes):
    return shapes.map(lambda shape: [shape])


def joined(sizes):  # three inputs that differ in axis 1
    a, b, *parts = sizes
    return [(a, n, b) for n in parts]


SIZE = st.integers(0, 4)
ANY = alone(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
CUBE = alone(st.tuples(SIZE, SIZE, SIZE))
FULL = alone(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=4))
HALVES = alone(st.tuples(SIZE, st.just(2)))
SQUARE = alone(st.builds(lambda a, n: (a, n, n), SIZE, SIZE))
LONG = alone(array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=4))
EQUAL = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4).map(lambda shape: [shape] * 3)
PARTS = st.tuples(SIZE, SIZE, SIZE, SIZE, SIZE).map(joined)
PAIR = mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=4, max_dims=3).map(
    lambda drawn: drawn.input_shapes
)
PRODUCT = mutually_broadcastable_shapes(
    signature=np.matmul.signature, min_side=0, max_side=4, max_dims=2
).map(lambda drawn: drawn.input_shapes)


def two_lists(t, x):
    return x[t.tensor([0, 1, 0]), t.tensor([[1], [-1]])]


def condition(rng, shape):
    return rng.random(shape) < 0.5


HALVES_OF_SIX = alone(st.tuples(SIZE, st.just(6), SIZE))
FIVE_LAST = alone(st.tuples(SIZE, st.just(5)))


def operator(layer, function, shapes, drawn, sample=signed):
    """A case without parameters: `function` of torch and tensors, shapes, and others to draw."""
    return LayerCase(
        lambda: copy.deepcopy(layer),
        shapes,
        lambda torch, params, *inputs: function(torch, *inputs),
        batch_axis=False,
        sample=sample,
        drawn=drawn,
    )


CASES = [
    operator(nn.Add(), lambda t, u, v: u + v, [(4, 1, 3), (2, 3)], PAIR),
    operator(nn.Sub(), lambda t, u, v: u - v, [(3,), (4, 2, 1)], PAIR),
    operator(nn.Mul(), lambda t, u, v: u * v, [(4, 1, 3), (2, 1)], PAIR),
    operator(nn.Div(), lambda t, u, v: u / v, [(2, 3), (4, 1, 3)], PAIR),
    operator(nn.Div(), lambda t, u, v: u / v, [(4, 2, 3), ()], PAIR),
    operator(nn.MatMul(), lambda t, a, b: a @ b, [(2, 3), (3, 4)], PRODUCT),
    operator(nn.MatMul(), lambda t, a, b: a @ b, [(3,), (5, 1, 3, 4)], PRODUCT),
    operator(nn.MatMul(), lambda t, a, b: a @ b, [(5, 1, 2, 3), (6, 3, 4)], PRODUCT),
    operator(nn.MatMul(), lambda t, a, b: a @ b, [(5, 2, 3), (3,)], PRODUCT),
    operator(nn.MatMul(), lambda t, a, b: a @ b, [(3,), (3,)], PRODUCT),
    operator(nn.Sin(), lambda t, x: t.sin(x), [(2, 3)], ANY),
    operator(nn.Cos(), lambda t, x: t.cos(x), [(2, 3)], ANY),
    operator(nn.Erf(), lambda t, x: t.erf(x), [(2, 3)], ANY),
    operator(nn.Exp(), lambda t, x: t.exp(x), [(2, 3)], ANY),
    operator(nn.Log(), lambda t, x: t.log(x), [(2, 3)], ANY, positive),
    operator(nn.Sqrt(), lambda t, x: t.sqrt(x), [(2, 3)], ANY, positive),
    operator(nn.Square(), lambda t, x: x * x, [(2, 3)], ANY),
    operator(nn.Power(0), lambda t, x: x**0, [(2, 3)], ANY),
    operator(nn.Power(1), lambda t, x: x**1, [(2, 3)], ANY),
    operator(nn.Power(3), lambda t, x: x**3, [(2, 3)], ANY),
    operator(nn.Power(-2), lambda t, x: x**-2, [(2, 3)], ANY),
    operator(nn.Power(0.3), lambda t, x: x**0.3, [(2, 3)], ANY, positive),
    operator(nn.Sum(), lambda t, x: x.sum(), [(2, 3)], ANY),
    operator(nn.Sum(1), lambda t, x: x.sum(1), [(2, 3, 4)], CUBE),
    operator(nn.Sum((0, -1)), lambda t, x: x.sum((0, -1)), [(2, 3, 4)], CUBE),
    operator(nn.Mean(), lambda t, x: x.mean(), [(2, 3)], FULL),
    operator(nn.Mean(-2), lambda t, x: x.mean(-2), [(2, 3, 4)], FULL),
    operator(nn.Mean((2, 0)), lambda t, x: x.mean((2, 0)), [(2, 3, 4)], FULL),
    operator(nn.Sum((1, 0), True), lambda t, x: x.sum((1, 0), True), [(2, 3, 4)], CUBE),
    operator(nn.Mean(1, keepdims=True), lambda t, x: x.mean(1, True), [(2, 3, 4)], FULL),
    operator(nn.Max(), lambda t, x: x.amax(), [(2, 3)], FULL),
    operator(nn.Max(-2), lambda t, x: x.amax(-2), [(2, 3, 4)], FULL),
    operator(nn.Min(), lambda t, x: x.amin(), [(2, 3)], FULL),
    operator(nn.Min((0, -1), keepdims=True), lambda t, x: x.amin((0, -1), True), [(2, 3, 4)], FULL),
    operator(
        nn.Max((0, 2), keepdims=True),
        lambda t, x: x.amax((0, 2), True),
        [(2, 3, 4)],
        FULL,
    ),
    operator(nn.LogSumExp(), lambda t, x: x.logsumexp(tuple(range(x.ndim))), [(2, 3)], FULL),
    operator(nn.LogSumExp(1), lambda t, x: x.logsumexp(1), [(2, 3, 4)], FULL),
    operator(
        nn.LogSumExp((2, 0), True),
        lambda t, x: x.logsumexp((2, 0), True),
        [(2, 3, 4)],
        FULL,
    ),
    operator(nn.Abs(), lambda t, x: x.abs(), [(2, 3)], ANY),
    operator(nn.Clip(-1.1, 1.3), lambda t, x: x.clamp(-1.1, 1.3), [(4, 3)], ANY),
    operator(nn.Clip(None, 0.7), lambda t, x: x.clamp(None, 0.7), [(4, 3)], ANY),
    operator(nn.Maximum(), lambda t, u, v: t.maximum(u, v), [(4, 1, 3), (2, 3)], PAIR),
    operator(nn.Minimum(), lambda t, u, v: t.minimum(u, v), [(3,), (4, 2, 1)], PAIR),
    operator(nn.Index(1), lambda t, x: x[1], [(2, 3)], LONG),
    operator(nn.Index(np.s_[:, -1]), lambda t, x: x[:, -1], [(2, 3, 4)], LONG),
    operator(nn.Index(np.s_[..., None, 1:]), lambda t, x: x[..., None, 1:], [(2, 3, 4)], LONG),
    operator(nn.Index([1, 0, 1]), lambda t, x: x[[1, 0, 1]], [(2, 3)], LONG),
    operator(nn.Index(([0, 1, 0], [[1], [-1]])), two_lists, [(2, 3, 4)], LONG),
    operator(nn.Tile(3), lambda t, x: x.tile(3), [(2, 4)], ANY),
    operator(nn.Tile((2, 3, 1, 2)), lambda t, x: x.tile(2, 3, 1, 2), [(2, 3, 4)], ANY),
    operator(nn.Flip(1), lambda t, x: x.flip(1), [(2, 3, 4)], CUBE),
    operator(nn.Flip((0, -1)), lambda t, x: x.flip(0, -1), [(2, 3, 4)], CUBE),
    operator(nn.Flip(None), lambda t, x: x.flip(tuple(range(x.ndim))), [(2, 3, 4)], CUBE),
    operator(nn.Stack(0), lambda t, *x: t.stack(x), [(2, 3)] * 3, EQUAL),
    operator(nn.Stack(-2), lambda t, *x: t.stack(x, -2), [(2, 3, 4)] * 2, EQUAL),
    operator(
        nn.Transpose(),
        lambda t, x: x.permute(tuple(range(x.ndim)[::-1])),
        [(2, 3, 4)],
        ANY,
    ),
    operator(nn.Transpose((1, -1, 0)), lambda t, x: x.permute(1, -1, 0), [(2, 3, 4)], CUBE),
    operator(nn.Reshape((2, -1)), lambda t, x: x.reshape(2, -1), [(3, 4)], HALVES),
    operator(nn.Reshape(-1), lambda t, x: x.reshape(-1), [(3, 4)], ANY),
    operator(nn.Concatenate(1), lambda t, *x: t.cat(x, 1), joined((5, 6, 2, 3, 4)), PARTS),
    operator(nn.Concatenate(-2), lambda t, *x: t.cat(x, -2), joined((5, 6, 2, 3, 4)), PARTS),
    operator(nn.Trace(), lambda t, x: x.diagonal(0, -2, -1).sum(-1), [(2, 3, 3)], SQUARE),
    operator(nn.Determinant(), lambda t, x: t.linalg.det(x), [(2, 3, 3)], SQUARE, regular),
    operator(nn.Inverse(), lambda t, x: t.linalg.inv(x), [(2, 3, 3)], SQUARE, regular),
    LayerCase(
        nn.Where,
        [(4, 1, 3), (2, 3), (4, 1, 1)],
        lambda t, p, c, u, v: t.where(c, u, v),
        batch_axis=False,
        sample=[condition, signed, signed],
    ),
    operator(nn.Split(3, 1), lambda t, x: x.split(2, 1), [(4, 6, 5)], HALVES_OF_SIX),
    operator(nn.Split([1, 3], -1), lambda t, x: x.split((1, 2, 2), -1), [(4, 5)], FIVE_LAST),
]
