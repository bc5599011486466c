"""Metrics: what one wants to know of predictions, beside the loss that was trained on."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

__all__ = ["accuracy", "confusion_matrix"]


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
        The shapes do not fit, there is no sample, a score is NaN, or a label is none of the
        classes.

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
    predicted, classes = predicted_classes("accuracy", scores, labels)
    return float(np.mean(predicted == class_labels("accuracy", "labels", labels, classes)))


def confusion_matrix(prediction: Any, labels: Any, classes: int | None = None) -> np.ndarray:
    """How often each class was taken for each: entry (i, j) counts samples of i called j.

    Parameters
    ----------
    prediction : array (samples, classes) or int array (samples,)
        Scores, of which the largest is the prediction, or the predicted labels.
    labels : int array (samples,)
        The true ones.
    classes : int, optional
        How many there are; unless given, those of the scores, or up to the largest label.

    Returns
    -------
    int64 array (classes, classes)
        Rows are true classes, columns predicted ones. The diagonal is what is right; a row sums
        to the samples of a class.

    Raises
    ------
    ValueError
        The shapes do not fit, a label is no integer or not in 0..classes-1, a score is NaN, or
        nothing says how many classes there are.

    Examples
    --------
    >>> confusion_matrix([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], [1, 0, 0])
    array([[1, 1],
           [0, 1]])
    >>> confusion_matrix([2, 0], [0, 0])
    array([[1, 0, 1],
           [0, 0, 0],
           [0, 0, 0]])
    """
    caller = "confusion_matrix"
    predicted, scored = predicted_classes(caller, prediction, labels)
    if classes is not None and (index(classes) < 1 or scored not in (None, classes)):
        wanted = "at least 1" if scored is None else f"{scored}, those of the scores"
        raise ValueError(f"{caller} expected classes to be {wanted}, received {classes}")
    classes = scored if classes is None else index(classes)
    labels = class_labels(caller, "labels", labels, classes)
    predicted = class_labels(caller, "predicted labels", predicted, classes)
    if classes is None:
        if len(labels) == 0:
            raise ValueError(f"{caller} of no sample; say how many classes there are, classes=10")
        classes = 1 + int(max(labels.max(), predicted.max()))
    pairs = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes)


def predicted_classes(caller: str, prediction: Any, labels: Any) -> tuple[np.ndarray, int | None]:
    """(predicted label of each sample, how many classes have scores, None for labels)."""
    prediction, labels = np.asarray(prediction), np.asarray(labels)
    if prediction.ndim not in (1, 2) or labels.shape != prediction.shape[:1]:
        raise ValueError(
            f"{caller} expected scores (samples, classes) or predicted labels (samples,), and "
            f"labels (samples,), received {prediction.shape} and {labels.shape}"
        )
    if prediction.ndim == 1:
        return prediction, None
    if prediction.shape[1] == 0:
        raise ValueError(f"{caller} expected scores of at least one class, received none")
    if np.isnan(prediction).any():
        sample = int(np.argmax(np.isnan(prediction).any(axis=1)))
        raise ValueError(f"{caller} expected scores, received NaN, first in sample {sample}")
    return prediction.argmax(axis=1), prediction.shape[1]


def class_labels(caller: str, what: str, labels: Any, classes: int | None) -> np.ndarray:
    """Labels as int64, checked to be whole numbers of at least 0 and below `classes`."""
    labels = np.asarray(labels)
    if labels.size == 0:
        return labels.astype(np.int64)
    if labels.dtype.kind not in "iub":
        raise ValueError(f"{caller} expected {what} to be integers, received {labels.dtype}")
    wrong = (labels < 0) | (labels >= (np.inf if classes is None else classes))
    if wrong.any():
        place = int(np.argmax(wrong))
        allowed = "of at least 0" if classes is None else f"in 0..{classes - 1}"
        raise ValueError(
            f"{caller} expected {what} {allowed}, received {labels[place]} at index {place}"
        )
    return labels.astype(np.int64)
