"""Mistakes that show in the two gradients themselves: in form, by a factor, by order, by call.

Every function takes (got, expected, context) and yields (code, what exactly) for each mistake
that would have given `got`. They look at arrays alone, so that a grader can use them without
a layer.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from nnscratch.gradient_check.mistakes.context import Candidates, Context, summed_to


def wrong_form(got: Any, expected: np.ndarray, context: Context) -> Candidates:
    """No array of numbers at all."""
    if got is None:
        yield "none", ""
    elif not isinstance(got, (np.ndarray, np.generic, int, float)):
        yield "type", f"a {type(got).__name__}"
    elif np.asarray(got).dtype.kind not in "fiub":
        yield "type", f"an array of {np.asarray(got).dtype}"
    elif np.asarray(got).dtype.kind != "f" and not isinstance(got, (int, float)):
        yield "dtype", f"{np.asarray(got).dtype}"


def wrong_shape(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """Another shape than that of the array; the values tell which operation is missing."""
    if got.shape == expected.shape:
        return
    shape = expected.shape
    if not got.size and expected.size:
        yield "cropped_to_nothing", ""
        return
    if got.ndim == 2 and got.shape == shape[::-1] and context.close(got.T, expected):
        yield "transposed", ""
    dropped = tuple(n for n in shape if n != 1)
    if got.size == expected.size and tuple(n for n in got.shape if n != 1) == dropped:
        if context.close(got.reshape(shape), expected):
            yield "keepdims", ""
    elif got.size == expected.size and context.close(got.reshape(shape), expected):
        yield "not_reshaped", ""
    back = summed_to(got, shape)
    if back is not None and got.size > expected.size and context.close(back, expected):
        over_batch = context.index is None and got.ndim == expected.ndim + 1
        yield ("sum_over_batch" if over_batch else "broadcast_not_summed"), ""
    if expected.size > got.size:
        yield from _reduced_too_far(got, expected, context)
    if got.ndim == expected.ndim and context.index is not None:
        rest = [have - want for have, want in zip(got.shape, shape, strict=True)]
        if min(rest) >= 0 and not any(n % 2 for n in rest):
            inner = tuple(slice(n // 2, n // 2 + want) for n, want in zip(rest, shape, strict=True))
            if context.close(got[inner], expected):
                yield "padding_not_cropped", ""


def _reduced_too_far(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """Summed or averaged over axes that the array has."""
    dy = context.dy
    if dy is not None and got.size == dy.size and context.close(got.reshape(dy.shape), dy):
        yield "missing_derivative", ""  # dy itself, whose sums may be those of a softmax
        return
    axes = range(expected.ndim)
    for count in range(1, expected.ndim + 1):
        for over in itertools.combinations(axes, count):
            for keepdims in (False, True):
                total = expected.sum(over, keepdims=keepdims)
                if context.close(got, total):
                    yield "summed_too_far", f"axis {', '.join(map(str, over))}"
                    return


def constant_factor(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """got = c · expected for a c that has a name."""
    if got.shape != expected.shape or not np.isfinite(got).all():
        return
    if not got.any():
        yield "zero", ""
        return
    known = ~np.isnan(expected)
    square = float(np.sum(expected[known] ** 2))
    if not square:
        return
    c = float(np.sum(got[known] * expected[known])) / square
    if not context.close(got, c * expected):
        return
    for name, value in (("sign", -1.0), ("factor_2", 2.0), ("factor_half", 0.5)):
        if _is(c, value, context):
            yield name, ""
    yield from _counts(c, context)
    yield from _places(c, context)
    yield "factor", f"{c:.5g}"


def _is(c: float, value: float, context: Context) -> bool:
    """Whether a factor is that number, as far as the arrays tell."""
    return bool(np.isclose(c, value, rtol=min(max(context.tolerance, 1e-5), 1e-2)))


def _counts(c: float, context: Context) -> Candidates:
    """c as a number of samples or of elements, or one over that."""
    x, y = context.own, context.y
    counts: dict[str, float] = {"N": context.batch or 0}
    if context.index is not None and x is not None:
        counts |= {f"the size of axis {i}": n for i, n in enumerate(x.shape) if i}
        counts["the number of elements"] = x.size
        if y is not None and y.size and x.size % y.size == 0:
            counts["the number of elements that are averaged"] = x.size // y.size
        if context.dy is not None and context.dy.size == 1:  # of squares, whose 2 is lost too
            counts["half the number of elements"] = x.size / 2
            counts["half of N"] = (context.batch or 0) / 2
        counts = {k: n for k, n in counts.items() if n != counts["N"] or k == "N"}
    for name, n in counts.items():
        if n == 0 or (n == 1 and (c < 0 or name != "N")):
            continue
        if _is(abs(c), n, context):
            yield ("factor_n" if c > 0 else "factor_minus_n"), name
        if n > 2 and _is(c, n * n, context):  # multiplied where it is divided
            yield "factor_n", f"the square of {name}"
        if _is(abs(c), 1 / n, context):
            yield ("factor_1_n" if c > 0 else "factor_minus_1_n"), name


def _places(c: float, context: Context) -> Candidates:
    """c as one over the places of an image, for a parameter that all of them share."""
    y = context.y
    if context.index is not None or y is None or y.ndim < 3 or not y.size:
        return
    places = {y.size // (y.shape[0] * n) for n in (y.shape[1], y.shape[-1])}
    for n in places - {1}:
        if _is(c, 1 / n, context):
            yield "averaged_over_space", "the number of places"
        if _is(c, 1 / (n * len(y)), context):
            yield "averaged_over_space", "the number of samples and places"


def other_order(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """The right numbers at other places."""
    if got.shape != expected.shape or expected.ndim == 0:
        return
    if expected.ndim >= 2:
        if got.shape[-1] == got.shape[-2] and context.close(got, expected.mT):
            yield "transposed", ""
        elif context.close(got, expected.T.reshape(expected.shape)) or context.close(
            got, expected.mT.reshape(expected.shape)
        ):
            yield "reshape_for_transpose", ""
        else:
            for order in itertools.permutations(range(expected.ndim)):
                moved = expected.transpose(order)
                if expected.ndim > 2 and context.close(got, moved):
                    yield "transposed", f"axes {order}"
                    break
    spatial = range(2, expected.ndim) if expected.ndim > 2 else range(expected.ndim)
    axes = [i for i in spatial if expected.shape[i] > 1]
    for count in range(1, len(axes) + 1):
        for over in itertools.combinations(axes, count):
            if context.close(got, np.flip(expected, over)):
                yield "flipped_kernel", f"axis {', '.join(map(str, over))}"
    for axis in axes:
        n = expected.shape[axis]
        for step in (-1, 1):
            rolled = np.roll(expected, step, axis)
            inner = np.take(got, range(max(step, 0), n + min(step, 0)), axis)
            shifted = np.take(rolled, range(max(step, 0), n + min(step, 0)), axis)
            if n > 2 and context.close(inner, shifted):
                yield "shifted_kernel", f"by {step} along axis {axis}"


def exchanged_gates(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """Two of three or four blocks of a parameter of a recurrent layer."""
    if context.index is not None or got.shape != expected.shape or not expected.ndim:
        return
    for count, axis in itertools.product((3, 4), {0, expected.ndim - 1}):
        if expected.shape[axis] % count or expected.shape[axis] // count < 2:
            continue
        for i, j in itertools.combinations(range(count), 2):
            blocks = np.split(expected, count, axis)
            blocks[i], blocks[j] = blocks[j], blocks[i]
            if context.close(got, np.concatenate(blocks, axis)):
                yield "gates_exchanged", f"{i} and {j} of {count}"


def other_call(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """The gradient of the call before, or the sum with it."""
    if context.previous is None:
        return
    if context.close(got, context.previous):
        yield "stale_cache", ""
    if got.shape == expected.shape == context.previous.shape and context.close(
        got, expected + context.previous
    ):
        yield "accumulated", ""


# What the alternatives of a code are, in their order
_WORDS = {"one_sample": ("first", "last"), "wrong_place": ("at y instead of x",)}
_WORDS["output_ignored"] = tuple(map(str, range(9)))


def other_array(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """The right gradient of another array, or of one part, or for another point."""
    for name, other in context.others.items():
        back = context.returned.get(name)
        exchanged = not isinstance(back, np.ndarray) or _same_numbers(back, expected, context)
        if name != context.array and _same_numbers(got, other, context) and exchanged:
            yield "swapped", name if name.startswith("dx") else f"d{name}"
    for code, arrays in context.alternatives.items():
        for i, array in enumerate(arrays):
            if context.close(got, array):
                words = _WORDS.get(code, (str(i),))
                yield code, words[i % len(words)]


def _same_numbers(a: np.ndarray, b: np.ndarray, context: Context) -> bool:
    """Whether two arrays agree, but for axes of size 1."""
    a, inner = np.asarray(a), tuple(n for n in b.shape if n != 1)
    fits = a.dtype.kind in "fiu" and tuple(n for n in a.shape if n != 1) == inner
    return fits and context.close(a.reshape(b.shape), b)


def not_a_number(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """NaN or infinity where the gradient is finite."""
    if got.shape == expected.shape and np.any(~np.isfinite(got) & np.isfinite(expected)):
        yield "non_finite", ""
