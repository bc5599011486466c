"""What the history records of the samples of an epoch: loss, accuracy, one's own metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnscratch.training.evaluation import joined


def figures(
    part: str,
    means: tuple[float, float | None],
    metrics: Mapping[str, Callable[[Any, Any], float]],
    kept: list[tuple[Any, Any]],
) -> dict[str, float]:
    """The columns of one part of the data.

    Parameters
    ----------
    part : str
        "train" or "valid", with which the names of the columns begin.
    means : (loss, accuracy)
        The accuracy is None for a regression.
    metrics : mapping of str to function
    kept : list of (prediction, target)
        Of each minibatch, as far as the metrics need them.
    """
    loss, accuracy = means
    values = {f"{part}_loss": loss}
    if accuracy is not None:
        values[f"{part}_accuracy"] = accuracy
    return values | figures_of_metrics(part, metrics, kept)


def figures_of_metrics(
    part: str,
    metrics: Mapping[str, Callable[[Any, Any], float]],
    kept: list[tuple[Any, Any]],
) -> dict[str, float]:
    """Each metric of all predictions of an epoch."""
    if not metrics or not kept:
        return {}
    prediction, target = (joined(list(of)) for of in zip(*kept, strict=True))
    found = {}
    for name, function in metrics.items():
        try:
            value = function(prediction, target)
        except Exception as error:
            error.add_note(f"in the metric {name!r}")
            raise
        if np.ndim(value) or isinstance(value, (str, complex)) or value is None:
            raise ValueError(
                f"the metric {name!r} expected to return a number, it returned {value!r}"
            )
        found[f"{part}_{name}"] = float(value)
    return found
