"""Metrics: what one wants to know of predictions, beside the loss that was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np


def accuracy(scores: Any, labels: Any) -> float:
    """The share of samples whose largest score is at the label.

    Parameters
    ----------
    scores : array (samples, classes)
        Logits, log-probabilities or probabilities: only their order counts.
    labels : int array (samples,)

    Raises
    ------
    ValueError
        The shapes do not fit, or there is no sample.

    Examples
    --------
    >>> accuracy([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], [1, 0, 0])
    0.6666666666666666
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ValueError(
            f"accuracy expected scores (samples, classes) and labels (samples,), "
            f"received {scores.shape} and {labels.shape}"
        )
    if len(labels) == 0:
        raise ValueError("accuracy of no sample; pass at least one")
    return float(np.mean(scores.argmax(axis=1) == labels))
