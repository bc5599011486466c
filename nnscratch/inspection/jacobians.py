"""Jacobians: all partial derivatives of a layer, from the backward pass that avoids them.

A backward pass computes dx = Jᵀ dy. With dy a unit vector e_k that is row k of J, so J takes one
backward pass per element of y; here many of them are one call, on an input repeated as often.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnscratch.kinds import as_array, checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.losses import Loss
from nnscratch.losses.node import as_layer

__all__ = ["jacobian", "numerical_jacobian"]

_LARGEST = 2**22  # numbers in the repeated input or output of one call


@checks_kinds
def jacobian(
    layer: Layer | Loss, *inputs: Any, wrt: int | str = 0, layout: str = "tensor"
) -> np.ndarray:
    """All partial derivatives of a layer's output by one input or parameter.

    Parameters
    ----------
    layer : Layer or Loss
        Left as it is, running statistics and generators included: a copy does the work.
    *inputs : arrays
        What `layer.forward` takes. A loss has gradients by its prediction, a target of floating
        numbers and weights.
    wrt : int or str
        The number of an input or the name of a parameter.
    layout : "tensor" or "matrix"

    Returns
    -------
    J : array
        "tensor": of shape y.shape + x.shape, J_ijkl = ∂y_ij/∂x_kl; just x.shape for a scalar y.
        "matrix": the same numbers of shape (y.size, x.size), both in row-major order.
        In the dtype that `layer.backward` returns; for more digits pass float64 inputs and
        convert the layer with `layer.astype(np.float64)`.

    Notes
    -----
    *Rows*: dL = Σ_k dy_k ∂y_k, so dy = e_k gives dx = ∂y_k/∂x.

    *Batches*: where a layer treats samples apart from one another, K copies of the input as one
    batch give K rows in one backward pass, of a block matrix of the e_k. Whether it does cannot
    be read off its values (BatchNorm gives equal copies equal values), so the result is checked:
    a random v has vᵀJ = backward(v), the pass on the given input alone, and for a wrong J that
    holds with probability 0. Where the copies do not fit the layer, or the check fails by more
    than rounding, and always for a parameter, whose gradients are summed over the batch, the
    rows are computed one by one.

    Raises
    ------
    ValueError
        There is no such input, parameter or layout; the input holds integers, or the layer has
        no gradient by it.

    References
    ----------
    [MatrixGradients], gradients of matrices with respect to matrices.

    Examples
    --------
    f = Ax: row x stands in row i of ∂f_i/∂A, zeros elsewhere.

    >>> from nnscratch.layers.operators.matmul import MatMul
    >>> A, x = np.zeros((2, 3)), np.array([1.0, 2.0, 3.0])
    >>> jacobian(MatMul(), A, x)
    array([[[1., 2., 3.],
            [0., 0., 0.]],
    <BLANKLINE>
           [[0., 0., 0.],
            [1., 2., 3.]]])
    >>> jacobian(MatMul(), A, x, layout="matrix")
    array([[1., 2., 3., 0., 0., 0.],
           [0., 0., 0., 1., 2., 3.]])
    """
    if layout not in ("tensor", "matrix"):
        raise ValueError(f"jacobian expected layout 'tensor' or 'matrix', received {layout!r}")
    if isinstance(layer, Loss):
        layer, inputs = as_layer(layer, inputs)
    layer = copy.deepcopy(layer)
    shape = _shape_of(layer, inputs, wrt)
    value, cache = layer.forward_pass(*inputs)
    y = np.asarray(value)
    J = None if isinstance(wrt, str) else _batched(layer, inputs, wrt, y, cache)
    if J is None:
        units = np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)
        rows = [_gradient(layer, unit, cache, wrt) for unit in units]
        J = np.stack(rows) if rows else np.zeros((0, *shape), y.dtype)
    return J.reshape((y.size, math.prod(shape)) if layout == "matrix" else y.shape + shape)


@checks_kinds
def numerical_jacobian(f: Callable[[np.ndarray], Any], x: Any) -> np.ndarray:
    """All partial derivatives of a function, by central differences.

    Parameters
    ----------
    f : function of one array
        Its value is an array or a number.
    x : array
        A float64 copy is given to f; what f computes in float32 has few digits left.

    Returns
    -------
    J : array of float64
        Of shape y.shape + x.shape, as `jacobian`'s tensor.

    Notes
    -----
    ∂f/∂x_k ≈ (f(x + h e_k) - f(x - h e_k)) / 2h, wrong by h² f'''/6 and by rounding of the
    order ε |f| / h: h = ε^(1/3) max(1, |x_k|) keeps both near ε^(2/3), 4e-11.

    Raises
    ------
    ValueError
        x holds no floating numbers.

    Examples
    --------
    >>> numerical_jacobian(lambda x: x * x, np.array([1.0, 2.0])).round(8)
    array([[2., 0.],
           [0., 4.]])
    """
    x = as_array(x)
    _check_floating(x, "numerical_jacobian expected x")
    x = x.astype(np.float64)
    columns = []
    for i in np.ndindex(x.shape):
        h = np.finfo(np.float64).eps ** (1 / 3) * max(1.0, abs(x[i]))
        above, below = x.copy(), x.copy()
        above[i] += h
        below[i] -= h
        step = above[i] - below[i]  # after rounding
        columns.append((np.asarray(f(above), np.float64) - f(below)) / step)
    if not columns:
        return np.zeros(np.shape(f(x)) + x.shape)
    return np.stack(columns, -1).reshape(columns[0].shape + x.shape)


def _shape_of(layer: Layer, inputs: tuple[Any, ...], wrt: int | str) -> tuple[int, ...]:
    """The shape of what is differentiated by; refuses what the layer does not have."""
    if isinstance(wrt, str):
        params = layer.params
        if wrt not in params:
            raise ValueError(
                f"{layer} has no parameter {wrt!r}, it has {', '.join(params) or 'none'}; "
                "pass one of them, or the number of an input"
            )
        return params[wrt].shape
    if wrt not in range(len(inputs)):
        raise ValueError(
            f"{layer} received {len(inputs)} inputs, there is none with the number {wrt}; "
            f"pass 0 to {len(inputs) - 1}, or a parameter's name"
        )
    x = as_array(inputs[wrt])
    _check_floating(x, f"jacobian of {layer} expected input {wrt}")
    return x.shape


def _check_floating(x: np.ndarray, expected: str) -> None:
    if x.dtype.kind != "f":
        raise ValueError(
            f"{expected} to be of floating numbers, received {x.dtype}, which cannot change by a "
            "little; convert with x.astype(np.float32)"
        )


def _gradient(layer: Any, dy: np.ndarray, cache: Any, wrt: int | str) -> np.ndarray:
    """The gradient by one input or parameter, for one dy."""
    if isinstance(wrt, str):
        return layer.backprop(dy, cache, need_dx=False)[1][wrt]
    dx = layer.backward_pass(dy, cache)
    parts = dx if isinstance(dx, tuple) else (dx,)
    dx = parts[wrt] if wrt < len(parts) else None
    if dx is None:
        raise ValueError(f"{layer} passes no gradient to input {wrt}; pass another `wrt`")
    return np.asarray(dx)


def _batched(
    layer: Layer, inputs: tuple[Any, ...], wrt: int, y: np.ndarray, cache: Any
) -> np.ndarray | None:
    """J by backward passes on many unit vectors at once, or None where that is not right."""
    arrays = [as_array(x) for x in inputs]
    if y.size < 2:
        return None
    rng = np.random.default_rng(0)
    for stacked in (True, False):
        # copies along a new first axis, or one after the other along the batch axis
        try:
            with np.errstate(all="ignore"):
                J = _of_copies(copy.deepcopy(layer), arrays, wrt, y.shape, stacked)
        except Exception:  # whatever it is that does not fit, row by row it is right
            continue
        v = rng.standard_normal(y.shape).astype(y.dtype)
        expected = _gradient(layer, v, cache, wrt)
        received = np.tensordot(v.ravel(), J, 1)
        scale = np.tensordot(abs(v.ravel()), abs(J), 1)
        if np.all(abs(received - expected) <= 16 * np.finfo(J.dtype).eps * scale):
            return J
    return None


def _of_copies(
    layer: Layer, arrays: list[np.ndarray], wrt: int, shape: tuple[int, ...], stacked: bool
) -> np.ndarray:
    """J of a layer that treats copies of its inputs apart; ValueError where their shapes differ."""
    size, x = math.prod(shape), arrays[wrt]
    at_once = max(1, _LARGEST // max(size, *(a.size for a in arrays), 1))
    blocks = []
    for start in range(0, size, at_once):
        count = min(at_once, size - start)
        copies = [np.broadcast_to(a, (count, *a.shape)) for a in arrays]
        expected: tuple[int, ...] = (count, *shape)
        if not stacked:
            copies = [c.reshape(-1, *a.shape[1:]) for c, a in zip(copies, arrays, strict=True)]
            expected = (count * shape[0], *shape[1:])
        value, cache = layer.forward_pass(*copies)
        y = np.asarray(value)
        if y.shape != expected:
            raise ValueError(f"copies of the input give {y.shape} instead of {expected}")
        units = np.eye(count, size, start, dtype=y.dtype).reshape(y.shape)
        blocks.append(_gradient(layer, units, cache, wrt).reshape(count, *x.shape))
    return np.concatenate(blocks)
