"""Mistakes in the gradients of softmax, of normalization and of losses.

As in `formulas`: a wrong form counts only where `expected` is the right form.
"""

from __future__ import annotations

import itertools

import numpy as np

from nnscratch.gradient_check.mistakes.context import Candidates, Context


def softmax(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """dx = y ∘ (dy - Σ dy ∘ y) and dx = dy - p Σ dy, with the sum lost or along other axes."""
    y, dy = context.y, context.dy
    if y is None or dy is None or y.ndim == 0 or not y.shape == dy.shape == expected.shape:
        return
    if got.shape != expected.shape:
        return
    axes: list[int | None] = [*range(y.ndim), None]
    with np.errstate(all="ignore"):
        p = np.exp(y)
    for axis in range(y.ndim):
        if context.close(y * (dy - np.sum(dy * y, axis, keepdims=True)), expected):
            if context.close(got, dy * y * (1 - y)):
                yield "diagonal_jacobian", ""
            if context.close(got, dy * y) or context.close(got, y * (dy - 1)):
                yield "sum_missing", ""
            if context.close(got, y * (dy + np.sum(dy * y, axis, keepdims=True))):
                yield "sum_added", ""
            x = context.own
            if x is not None and context.close(got, x * (dy - np.sum(dy * x, axis, keepdims=True))):
                yield "wrong_place", "x in place of y"
            for other in axes:
                if other != axis and context.close(
                    got, y * (dy - np.sum(dy * y, other, keepdims=True))
                ):
                    yield "wrong_axis", f"axis {other} in place of {axis}"
        if context.close(dy - p * np.sum(dy, axis, keepdims=True), expected):
            if context.close(got, dy - p * dy):
                yield "diagonal_jacobian", ""
            if context.close(got, dy - p):
                yield "sum_missing", ""
            if context.close(got, dy + p * np.sum(dy, axis, keepdims=True)):
                yield "sum_added", ""
            if context.close(got, dy - y * np.sum(dy, axis, keepdims=True)):
                yield "wrong_place", "y in place of e^y"
            for other in axes:
                if other != axis and context.close(got, dy - p * np.sum(dy, other, keepdims=True)):
                    yield "wrong_axis", f"axis {other} in place of {axis}"


def normalization(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """BatchNorm and its kin: the gradient without its ways through the mean and the variance."""
    x, y, dy = context.own, context.y, context.dy
    if x is None or y is None or dy is None or context.index is None or x.ndim < 2:
        return
    if not x.shape == y.shape == dy.shape == got.shape == expected.shape:
        return
    for gamma, beta in _scales(context, x):
        for axes in _norm_axes(x.ndim):
            mean = x.mean(axes, keepdims=True)
            with np.errstate(all="ignore"):
                normal = (y - beta) / gamma
                # the scale includes epsilon, which is not known: it is read off the values
                deviation = np.sqrt(
                    np.sum((x - mean) ** 2, axes, keepdims=True)
                    / np.sum(normal**2, axes, keepdims=True)
                )
                g = dy * gamma
                through_mean = g.mean(axes, keepdims=True)
                through_variance = normal * np.mean(g * normal, axes, keepdims=True)
                if not context.close((x - mean) / deviation, normal):
                    continue
                if not context.close((g - through_mean - through_variance) / deviation, expected):
                    continue
                forms = {
                    "mean_path_missing": (g - through_variance) / deviation,
                    "variance_path_missing": (g - through_mean) / deviation,
                    "mean_and_variance_paths_missing": g / deviation,
                    "scale_missing": (g - through_mean - through_variance) / deviation / gamma,
                    "scale_too_late": gamma * (dy - dy.mean(axes, keepdims=True)) / deviation
                    - gamma * normal * np.mean(dy * normal, axes, keepdims=True) / deviation,
                    "deviation_missing": g - through_mean - through_variance,
                }
            for code, value in forms.items():
                if context.close(got, value):
                    yield code, ""


def _scales(context: Context, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(gamma, beta) in a shape that broadcasts against x."""
    names = {name.rpartition(".")[2].lower(): a for name, a in context.params.items()}
    gamma, beta = names.get("gamma"), names.get("beta")
    if gamma is None or beta is None:
        return [(np.ones(()), np.zeros(()))]
    found = []
    if gamma.shape == x.shape[x.ndim - gamma.ndim :]:
        found.append((gamma, beta))
    if gamma.size == x.shape[1]:
        channels = (1, -1) + (1,) * (x.ndim - 2)
        found.append((gamma.reshape(channels), beta.reshape(channels)))
    return found


def _norm_axes(ndim: int) -> list[tuple[int, ...]]:
    axes = range(ndim)
    return [c for n in range(1, ndim + 1) for c in itertools.combinations(axes, n)]


def losses(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """dx = c (p - t): the target, the softmax or the sigmoid left out, or p at all."""
    if len(context.inputs) < 2 or context.index != 0 or context.dy is None or context.dy.ndim:
        return
    x, target = context.inputs[0], context.inputs[1]
    if not isinstance(x, np.ndarray) or x.ndim == 0 or got.shape != expected.shape:
        return
    target = np.asarray(target)
    if target.shape == x.shape[:-1] and target.dtype.kind in "iu":
        target = np.eye(x.shape[-1])[target]
    if target.shape != x.shape:
        return
    with np.errstate(all="ignore"):
        exps = np.exp(x - x.max(-1, keepdims=True))
        maps = {"softmax": exps / exps.sum(-1, keepdims=True), "sigmoid": 1 / (1 + np.exp(-x))}
        for name, p in {**maps, "": x}.items():
            right = p - target
            size = float(np.sum(right * right))
            c = float(np.sum(right * expected)) / size if size else 0.0
            if not c or not context.close(c * right, expected):
                continue
            if context.close(got, c * p):
                yield "target_missing", ""
            if name and (
                context.close(got, c * (x - target)) or context.close(got, c * (np.log(p) - target))
            ):
                yield "activation_missing", name
            if context.close(got, -c * target):
                yield "prediction_missing", ""
            if context.close(got, c * (p + target)):
                yield "target_added", ""
