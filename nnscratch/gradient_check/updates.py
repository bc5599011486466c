"""Layers that train by Adam inside backward: what is left of the gradient in a first step.

m̂ / √v̂ of one gradient g is g / |g|: of a first step all elements have the size of the rate, and
only the sign of the gradient is left. Where a moment keeps its start at 0, because it is not
divided by 1 - betaᵗ, the size is another: 1 - beta1 times it, or 1 / √(1 - beta2), or both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nnscratch.gradient_check.draws import Draw
from nnscratch.gradient_check.examination import Examination
from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.names import plain
from nnscratch.gradient_check.places import walk
from nnscratch.gradient_check.subject import Subject

__all__ = ["adaptive_step"]

BETAS = {"beta1": 0.9, "b1": 0.9, "beta2": 0.999, "b2": 0.999}  # names, and usual values
SIGNS_ONLY = "of Adam's first step only the signs of the gradient are left; they are right"


def adaptive_step(subject: Subject, draw: Draw, name: str) -> tuple[str, str, str] | None:
    """(verdict, code, message) for a parameter whose first step has one size; None for others."""
    rate = subject.rate_of_update()
    step = draw.params[name] - draw.subject.params[name]
    expected = Examination([replace(draw, got={name: step})], np.random.default_rng(0)).expected(
        0, name
    )
    told = np.abs(expected) > 1e-6 * np.nanmax(np.abs(expected), initial=0)
    if not rate or not told.any() or not step[told].all():
        return None
    ratio = step[told] / rate * np.sign(expected[told])
    size = float(np.median(ratio))
    if not np.allclose(ratio, size, rtol=1e-3):
        return None
    if np.isclose(size, 1, rtol=1e-3):
        return "undecidable", "not_compared", SIGNS_ONLY
    first, second = (_beta(subject.object, k) for k in "12")
    sizes = {
        "m is not corrected": 1 - first,
        "v is not corrected": 1 / np.sqrt(1 - second),
        "m and v are not corrected": (1 - first) / np.sqrt(1 - second),
    }
    for what, other in sizes.items():
        if np.isclose(size, other, rtol=2e-3):
            words = f"the step is {size:.4g} times the rate: {what}"
            return (
                "fail",
                "bias_correction_missing",
                explain("bias_correction_missing", name, words),
            )
    return None


def _beta(source: Any, which: str) -> float:
    """How long a moment remembers: as the object keeps it, or as usual."""
    for steps, value in walk(source):
        last = plain(steps[-1]) if isinstance(steps[-1], str) else ""
        if last in BETAS and last.endswith(which) and isinstance(value, float) and 0 < value < 1:
            return value
    return BETAS[f"beta{which}"]
