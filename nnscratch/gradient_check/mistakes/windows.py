"""Mistakes of windows: what convolution and pooling give if one is wrong.

Which elements of x an output depends on is read off the Jacobian: so the size of the window, the
stride and the padding of any layer are known, whatever its attributes are called.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnscratch.gradient_check.draws import Draw

__all__ = ["Windows", "by_windows", "windows_of"]

PLACES = 200  # outputs per channel that are looked at


@dataclass(frozen=True)
class Windows:
    """The part of each place of the output in dx, and how the places are arranged.

    Attributes
    ----------
    parts : array (places, *x.shape)
        What the window of one place adds to dx, over all samples and channels.
    grid : tuple of int
        The places along each axis of space.
    stride : tuple of int
    """

    parts: np.ndarray
    grid: tuple[int, ...]
    stride: tuple[int, ...]


def windows_of(draw: Draw, jacobian: np.ndarray) -> Windows | None:
    """The windows of a layer on (N, C, *space); None where it has none."""
    x, y = draw.inputs[0], draw.y
    if not isinstance(x, np.ndarray) or x.ndim not in (3, 4) or y.ndim != x.ndim:
        return None
    grid = y.shape[2:]
    count = int(np.prod(grid))
    if len(x) != len(y) or not 1 < count <= PLACES or np.isnan(jacobian).any():
        return None
    weighted = (draw.dy.ravel()[:, np.newaxis] * jacobian).reshape(*y.shape, x.size)
    weighted = weighted.reshape(y.shape[0] * y.shape[1], count, x.size).sum(0)
    parts = weighted.reshape(count, *x.shape)
    stride = tuple(_stride(parts, grid, axis) for axis in range(len(grid)))
    return Windows(parts, grid, stride) if min(stride) > 0 else None


def _stride(parts: np.ndarray, grid: tuple[int, ...], axis: int) -> int:
    """How far the windows of two neighbours lie apart; 0 where that is not one number."""
    space = tuple(i for i in range(1, parts.ndim) if i != axis + 3)
    seen = np.abs(parts).max(axis=space) > 1e-9 * np.abs(parts).max()
    lines = seen.reshape(*grid, -1)
    line = lines.any(axis=tuple(i for i in range(len(grid)) if i != axis))
    if not line.any(axis=1).all() or len(line) < 2:
        return 1 if len(line) < 2 else 0
    last = line.shape[1] - 1 - line[:, ::-1].argmax(axis=1)
    steps = np.diff(last)
    inner = steps[last[1:] < line.shape[1] - 1]
    first = np.diff(line.argmax(axis=1))
    steps = inner if len(inner) else np.maximum(steps, first)
    return int(steps.max()) if len(steps) and (steps == steps.max()).any() else 0


def by_windows(draw: Draw, name: str, jacobian: np.ndarray) -> dict[str, list[np.ndarray]]:
    """For each code what dx would be by it."""
    if name != "dx":
        return {}
    found = windows_of(draw, jacobian)
    if found is None:
        return {}
    codes = {
        "windows_not_added": [_last_written(found.parts), _last_written(found.parts[::-1])],
        "window_off_by_one": _cut(draw, found),
        "windows_left_out": _short(found),
    }
    if max(found.stride) > 1:
        codes["stride_forgotten"] = [_without_stride(found)]
    return codes


def _last_written(parts: np.ndarray) -> np.ndarray:
    """= where += belongs: of overlapping windows the last one stays."""
    written = np.abs(parts) > 1e-9 * np.max(np.abs(parts), initial=0)
    last = len(parts) - 1 - np.argmax(written[::-1], axis=0)
    return np.asarray(np.take_along_axis(parts, last[np.newaxis], 0)[0])


def _without_stride(found: Windows) -> np.ndarray:
    """Every window at its number instead of stride times its number."""
    total = np.zeros(found.parts.shape[1:])
    for number, place in enumerate(np.ndindex(found.grid)):
        part = found.parts[number]
        for axis, (i, stride) in enumerate(zip(place, found.stride, strict=True)):
            part = _shifted(part, -i * (stride - 1), axis + 2)
        total += part
    return total


def _short(found: Windows) -> list[np.ndarray]:
    """Without the last windows along an axis, or along all, or with the first row of them alone."""
    axes = [(axis,) for axis in range(len(found.grid))] + [tuple(range(len(found.grid)))]
    parts = found.parts.reshape(*found.grid, *found.parts.shape[1:])
    results = []
    for over in dict.fromkeys(axes):
        keeps = [slice(0, -1) if axis in over else slice(None) for axis in range(len(found.grid))]
        kept = parts[tuple(keeps)]
        results.append(kept.sum(tuple(range(len(found.grid)))))
    results.append(parts[:1].sum(tuple(range(len(found.grid)))))
    return results


def _shifted(array: np.ndarray, by: int, axis: int) -> np.ndarray:
    """Moved along an axis, with zeros for what comes in."""
    n = array.shape[axis]
    moved = np.zeros_like(array)
    if abs(by) >= n:
        return moved
    source = [slice(None)] * array.ndim
    target = list(source)
    source[axis] = slice(max(-by, 0), n - max(by, 0))
    target[axis] = slice(max(by, 0), n - max(-by, 0))
    moved[tuple(target)] = array[tuple(source)]
    return moved


def _cut(draw: Draw, found: Windows) -> list[np.ndarray]:
    """Every window without its last row or column, or begun one too late."""
    results = []
    axes = [(axis,) for axis in range(len(found.grid))] + [tuple(range(len(found.grid)))]
    for over in dict.fromkeys(axes):
        for end in (-1, 0):
            total = np.zeros(found.parts.shape[1:])
            for part in found.parts:
                kept = part.copy()
                for axis in over:
                    others = tuple(i for i in range(part.ndim) if i != axis + 2)
                    seen = np.abs(part).max(axis=others)
                    where = np.nonzero(seen > 1e-9 * max(float(seen.max()), 1e-300))[0]
                    if len(where):
                        kept[(slice(None),) * (axis + 2) + (where[end],)] = 0
                total += kept
            results.append(total)
        moved = found.parts.sum(0)
        for by in (-1, 1):
            shifted = moved
            for axis in over:
                shifted = _shifted(shifted, by, axis + 2)
            results.append(shifted)
    return results
