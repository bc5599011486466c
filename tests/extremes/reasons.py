"""Why a layer gives something else than torch at extreme numbers: each reason in one place.

A rule is asked with the call `at`, the name of the array that differs, all arrays here, in torch
and in torch's float64, and where they differ; it answers whether it explains all of that.
"""

import numpy as np

NORMS = ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "TransformerBlock")
INFINITE = ("GRUCell", "Unroll", "LayerNorm")
EPSILON = 1e-5  # of the normalizations
ATTENDING = ("MultiHeadAttention", "Attention")


def nothing_is_left_of_nan(at, name, mine, other, exact, wrong):
    outputs = [key for key in mine if key.startswith("y")]
    same = all(np.array_equal(np.isnan(mine[k]), np.isnan(other[k])) for k in outputs)
    return name not in outputs and same and any(np.isnan(mine[k]).any() for k in outputs)


def infinity_times_zero(at, name, mine, other, exact, wrong):
    return (
        at.place == "dy" and not np.isfinite(at.value) and bool(np.isnan(mine[name][wrong]).all())
    )


def fewer_infinities(at, name, mine, other, exact, wrong):
    no_number = bool(np.isnan(other[name][wrong]).all())
    return at.case.name in INFINITE and at.place == "dy" and not np.isfinite(at.value) and no_number


def equal_numbers(at, name, mine, other, exact, wrong):
    if at.case.name not in NORMS or at.place != "all":
        return False
    from tests.extremes.layers import alike, there

    at_zero = there(at.case, *at.arguments(zeros=True), "float64")
    return bool(alike(mine[name], at_zero[name], at.dtype).all())


def rounded_means(at, name, mine, other, exact, wrong):
    rounding = abs(float(at.value)) * float(np.finfo(at.dtype).eps)
    return at.case.name in NORMS and at.place == "all" and rounding > EPSILON**0.5


def keys_bias(at, name, mine, other, exact, wrong):
    with np.errstate(invalid="ignore"):
        largest = max(np.abs(of[np.isfinite(of)]).max(initial=0) for of in exact.values())
    small = np.abs(exact[name][wrong]).max() <= 1e-3 * largest
    return name.endswith("b_k") and bool(small)


def scores_beyond(at, name, mine, other, exact, wrong):
    if at.case.name not in ATTENDING or at.place == "dy":
        return False
    return abs(float(at.value)) ** 2 > float(np.finfo(at.dtype).max)


def scores_by_rounding(at, name, mine, other, exact, wrong):
    from tests.extremes.layers import TOLERANCES

    rounding = abs(float(at.value)) ** 2 * float(np.finfo(at.dtype).eps)
    return at.case.name in ATTENDING and at.place == "all" and rounding > TOLERANCES[at.dtype]


def singular(at, name, mine, other, exact, wrong):
    return at.case.name in ("Determinant", "Inverse")


REASONS = {
    "y is NaN, and comparisons with NaN decide on a slope that is none": nothing_is_left_of_nan,
    "an infinite dy times a slope of 0 is NaN, as IEEE 754 has it; torch skips it": (
        infinity_times_zero
    ),
    "infinity where torch's formula meets infinity minus infinity": fewer_infinities,
    "equal numbers are normalized to exactly 0; torch's mean of them is another": equal_numbers,
    "the rounding of a mean of such numbers is more than √epsilon": rounded_means,
    "the keys' bias has no gradient but what rounding leaves": keys_bias,
    "scores beyond the dtype: NaN, not a mean of nothing": scores_beyond,
    "equal keys so large that the rounding of their scores decides": scores_by_rounding,
    "a singular or infinite matrix, by other factors than torch's": singular,
}


def reason(at, name, mine, other, exact, wrong):
    """The first that explains it; None if there is none."""
    asked = (at, name, mine, other, exact, wrong)
    return next((why for why, explains in REASONS.items() if explains(*asked)), None)
