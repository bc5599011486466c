"""What the diagnosis is given of a draw: got, expected, and the arrays around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.gradient_check.draws import Draw, is_float
from nnscratch.gradient_check.mistakes.context import Context
from nnscratch.gradient_check.mistakes.naming import Case, agrees
from nnscratch.gradient_check.mistakes.what_if import alternatives

if TYPE_CHECKING:
    from nnscratch.gradient_check.examination import Examination

__all__ = ["evidence", "telling"]

NOISY = 5e-2  # the share of the largest element that is noise, from which a draw tells no name


def evidence(examined: Examination, i: int, name: str) -> tuple[Any, np.ndarray, Context]:
    """(got, expected, context) of one gradient of the i-th draw."""
    draw = examined.draws[i]
    got, expected = draw.got.get(name), examined.expected(i, name)
    others = {
        other: examined.expected(i, other)
        for other in draw.got
        if other != name
        and (other in draw.params or other.startswith("dx"))
        and is_float(draw.array(other))
        and np.size(np.asarray(got)) == np.size(draw.array(other))
    }
    single = len(draw.ys) == 1

    def by_x() -> np.ndarray | None:
        return examined.values(i, "dx").jacobian if "dx" in draw.got else None

    context = Context(
        array="dx" if draw.subject.is_loss else name,
        inputs=draw.inputs,
        dy=draw.dy if single else None,
        y=np.asarray(draw.y, np.float64) if single else None,
        params=draw.params,
        others=others,
        returned={n: g for n, g in draw.got.items() if n != name},
        alternatives=alternatives(draw, name, examined.values(i, name), examined.rng, by_x),
        tolerance=_tolerance(examined, i, name),
    )
    return got, expected, context


def _tolerance(examined: Examination, i: int, name: str) -> float:
    """The share of the largest element that the numeric values may be off by."""
    found = examined.values(i, name)
    known = ~np.isnan(examined.expected(i, name))
    largest = float(np.max(np.abs(found.value[0]), initial=0, where=known))
    if not largest:
        return 1e-5
    whole = found.half[0] if examined.coarse else found.noise[0]
    width = float(np.max(whole, initial=0, where=known & np.isfinite(whole)))
    return float(np.clip(1.5 * width / largest, 1e-5, NOISY))


def telling(cases: list[Case], draws: list[Draw]) -> tuple[list[Case], str]:
    """The draws that may speak against a name, and where alone the gradient is wrong.

    Not those whose numbers are all but noise; and where a number for dy is handled in another
    branch than NumPy's, those of the branch that is wrong.
    """
    clear = [i for i, case in enumerate(cases) if case[2].tolerance < NOISY]
    wrong = [i for i in clear if not agrees(*cases[i])]
    numpy_only = [i for i in clear if draws[i].scalar and not draws[i].plain]
    if wrong and wrong == numpy_only:
        return [cases[i] for i in wrong], "only where dy is NumPy's number, not Python's"
    return ([cases[i] for i in clear] if wrong else cases), ""
