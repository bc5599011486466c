"""Where the first NaN or infinity arose, on the way forward and on the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnscratch.inspection.observe import Use

__all__ = ["first_nonfinite", "first_nonfinite_gradient"]


def first_nonfinite(passes: Sequence[Use]) -> Use | None:
    """The first use of a layer whose output holds NaN or infinity; None if all are finite.

    Of a container and a layer inside it, it is the layer inside; the container only if it made
    the infinity itself, as the sum of a Residual may.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = nn.Sequential(nn.Square(), nn.Residual(nn.Log()), nn.Tanh())
    >>> with nn.observe(model) as passes, np.errstate(divide="ignore"):
    ...     y = model.forward([1.0, 0.0])
    >>> first_nonfinite(passes).where
    '1.0'
    """
    ruined = [use for use in passes if not all_finite(use.output)]
    around = {id(use.caller) for use in ruined}
    return next((use for use in ruined if id(use) not in around), None)


def first_nonfinite_gradient(passes: Sequence[Use]) -> Use | None:
    """The first use on the way back whose dx or gradients hold NaN or infinity, or None.

    Examples
    --------
    √x has no slope at 0:

    >>> import nnscratch as nn
    >>> model = nn.Sequential(nn.Square(), nn.Sqrt(), nn.Tanh())
    >>> with nn.observe(model) as passes, np.errstate(divide="ignore", invalid="ignore"):
    ...     y = model.forward([1.0, 0.0])
    ...     dx, _ = model.backward([1.0, 1.0])
    >>> first_nonfinite_gradient(passes).where
    '1'
    """
    for use in reversed(passes):  # a container comes before its layers in `passes`, so here last
        if not all_finite((use.dx, *(use.grads or {}).values())):
            return use
    return None


def all_finite(values: Any) -> bool:
    """Whether an array, or each in a tuple, has finite numbers only; None has no numbers."""
    if isinstance(values, tuple):
        return all(map(all_finite, values))
    return values is None or bool(np.isfinite(values).all())
