"""How often the right class was predicted, and which was taken for which."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from nnscratch.kinds import array_of, checks_kinds

__all__ = ["accuracy", "confusion_matrix", "precision_recall_f1", "top_k_accuracy"]


def accuracy(prediction: Any, labels: Any) -> float:
    """The share of labels that are predicted, by the largest score or as classes.

    Parameters
    ----------
    prediction : array (samples, ..., classes) or int array (samples, ...)
        Logits, log-probabilities or probabilities, of which only the order counts; or classes.
    labels : int array (samples, ...)

    Raises
    ------
    ValueError
        The shapes do not fit, there is no sample, a score is NaN, or a label is none of the
        classes.

    Examples
    --------
    >>> accuracy([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], [1, 0, 0])
    0.6666666666666666
    >>> accuracy([1, 0, 1], [1, 0, 0])
    0.6666666666666666
    """
    prediction, labels = _in_a_row("accuracy", prediction, labels)
    predicted, classes = predicted_classes("accuracy", prediction, labels)
    labels = class_labels("accuracy", "labels", labels, classes)
    predicted = class_labels("accuracy", "predicted labels", predicted, classes)
    return float(np.mean(predicted == labels))


@checks_kinds
def top_k_accuracy(scores: Any, labels: Any, k: int = 2) -> float:
    """The share of labels that are among the k largest scores.

    Parameters
    ----------
    scores : array (samples, ..., classes)
    labels : int array (samples, ...)
    k : int in 1..classes
        Of equal scores, those of later classes come first, as in scikit-learn.

    Raises
    ------
    ValueError
        As `accuracy`; or k is not in 1..classes.

    Examples
    --------
    >>> scores = [[0.5, 0.3, 0.2], [0.4, 0.5, 0.1], [0.2, 0.1, 0.7]]
    >>> [round(top_k_accuracy(scores, [1, 1, 1], k), 2) for k in (1, 2, 3)]
    [0.33, 0.67, 1.0]
    """
    caller = "top_k_accuracy"
    scores, labels = _in_a_row(caller, scores, labels)
    _, classes = predicted_classes(caller, scores, labels)
    if classes is None:
        raise ValueError(
            f"{caller} expected a score for each class, received classes of shape "
            f"{scores.shape}; pass the scores"
        )
    if not 1 <= index(k) <= classes:
        raise ValueError(f"{caller} expected k in 1..{classes}, the classes, received {k}")
    labels = class_labels(caller, "labels", labels, classes)[:, np.newaxis]
    own = np.take_along_axis(scores, labels, axis=1)
    before = (scores > own) | ((scores == own) & (np.arange(classes) > labels))
    return float(np.mean(before.sum(axis=1) < k))


@checks_kinds
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


@checks_kinds
def precision_recall_f1(
    labels: Any, predicted: Any, average: str | None = None, classes: int | None = None
) -> Any:
    """(precision, recall, F1): of what was called a class, and of what is one, how much is both.

    Parameters
    ----------
    labels : int array (samples,)
        The true ones.
    predicted : int array (samples,) or array (samples, classes)
        The predicted ones, or scores, of which the largest is the prediction.
    average : None, "macro", "micro" or "weighted"
        One number per class; their mean; the numbers of all classes' samples together; their
        mean by how many samples each class has.
    classes : int, optional
        How many classes the arrays shall have; unless given, those that occur in labels or
        predictions, in order, as in scikit-learn.

    Returns
    -------
    precision, recall, f1 : arrays (classes,), or numbers for an average

    Notes
    -----
    With r samples of a class called so, p called so in all, and n that are: precision r/p,
    recall r/n, and F1, their harmonic mean, 2r/(p + n). Each is 0 where it would be 0/0.

    Raises
    ------
    ValueError
        As `confusion_matrix`; or for another average.

    Examples
    --------
    >>> labels, predicted = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2]
    >>> precision, recall, f1 = precision_recall_f1(labels, predicted)
    >>> precision.round(2), recall.round(2), f1.round(2)
    (array([1. , 0.5, 0.5]), array([0.67, 0.5 , 1.  ]), array([0.8 , 0.5 , 0.67]))
    >>> round(precision_recall_f1(labels, predicted, average="macro")[2], 4)
    0.6556
    """
    caller = "precision_recall_f1"
    if average not in (None, "macro", "micro", "weighted"):
        raise ValueError(
            f"{caller} expected average to be None, 'macro', 'micro' or 'weighted', received "
            f"{average!r}; None gives one number per class"
        )
    predicted, _ = predicted_classes(caller, predicted, labels)
    labels = class_labels(caller, "labels", labels, classes)
    predicted = class_labels(caller, "predicted labels", predicted, classes)
    if len(labels) == 0:
        raise ValueError(f"{caller} of no sample; pass at least one")
    if classes is None:
        names, places = np.unique(np.concatenate([labels, predicted]), return_inverse=True)
        labels, predicted = places[: len(labels)], places[len(labels) :]
        classes = len(names)
    right, called, there = (
        np.bincount(of, minlength=classes).astype(np.float64)
        for of in (labels[labels == predicted], predicted, labels)
    )
    if average == "micro":
        right, called, there = right.sum(), called.sum(), there.sum()
    scores = [_share(right, called), _share(right, there), _share(2 * right, called + there)]
    if average is None:
        return tuple(scores)
    weights = there if average == "weighted" else None
    return tuple(float(np.average(score, weights=weights)) for score in scores)


def predicted_classes(caller: str, prediction: Any, labels: Any) -> tuple[np.ndarray, int | None]:
    """(predicted label of each sample, how many classes have scores, None for labels)."""
    prediction, labels = array_of(caller, prediction), array_of(caller, labels)
    if prediction.ndim not in (1, 2) or labels.shape != prediction.shape[:1]:
        raise ValueError(
            f"{caller} expected scores (samples, classes) or predicted labels (samples,), and "
            f"labels (samples,), received {prediction.shape} and {labels.shape}"
        )
    if prediction.ndim == 1:
        return prediction, None
    if prediction.shape[1] == 0:
        raise ValueError(f"{caller} expected scores of at least one class, received none")
    _check_scores(caller, prediction)
    if np.isnan(prediction).any():
        sample = int(np.argmax(np.isnan(prediction).any(axis=1)))
        raise ValueError(f"{caller} expected scores, received NaN, first in sample {sample}")
    return prediction.argmax(axis=1), prediction.shape[1]


def _check_scores(caller: str, scores: np.ndarray) -> None:
    if scores.dtype.kind not in "fiub":
        raise ValueError(f"{caller} expected scores as real numbers, received {scores.dtype}")


def class_labels(caller: str, what: str, labels: Any, classes: int | None) -> np.ndarray:
    """Labels as int64, checked to be whole numbers of at least 0 and below `classes`."""
    labels = array_of(caller, labels)
    if labels.size == 0:
        return labels.astype(np.int64)
    if labels.dtype.kind not in "iub":
        remedy = "convert them with astype(np.int64)"
        if labels.dtype.kind in "USO":
            remedy = "number them by names, labels = np.unique(labels, return_inverse=True)"
        elif what != "labels":
            remedy = "pass classes, or a score for each; of a single one (scores > 0).astype(int)"
        raise ValueError(
            f"{caller} expected {what} to be integers, received {labels.dtype}; {remedy}"
        )
    wrong = (labels < 0) | (labels >= (np.inf if classes is None else classes))
    if wrong.any():
        place = int(np.argmax(wrong))
        allowed = "of at least 0" if classes is None else f"in 0..{classes - 1}"
        raise ValueError(
            f"{caller} expected {what} {allowed}, received {labels[place]} at index {place}"
        )
    return labels.astype(np.int64)


def _in_a_row(caller: str, prediction: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scores as (labels, classes) or classes as (labels,), and labels as (labels,)."""
    prediction, labels = array_of(caller, prediction), array_of(caller, labels)
    if labels.ndim == 0 or labels.shape not in (prediction.shape, prediction.shape[:-1]):
        raise ValueError(
            f"{caller} expected scores (samples, ..., classes) or classes (samples, ...), and "
            f"labels (samples, ...), received {prediction.shape} and {labels.shape}"
        )
    if labels.size == 0:
        raise ValueError(f"{caller} of no sample; pass at least one")
    if labels.shape == prediction.shape:
        return prediction.ravel(), labels.ravel()
    _check_scores(caller, prediction)
    if prediction.shape[-1] == 1:
        raise ValueError(
            f"{caller} expected scores of two classes or more, received {prediction.shape}; for "
            "answers of yes or no pass classes, (scores[..., 0] > 0).astype(int)"
        )
    return prediction.reshape(labels.size, prediction.shape[-1]), labels.ravel()


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where both are 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
