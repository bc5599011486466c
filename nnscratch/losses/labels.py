"""What the losses of one class out of several share: labels, weights of classes, what is right."""

from __future__ import annotations

from operator import index
from typing import Any, NamedTuple

import numpy as np

from nnscratch.losses.base import Loss
from nnscratch.losses.checks import check_values, real

__all__: list[str] = []


class Right(NamedTuple):
    """The right class of each label among the scores, one row per label."""

    place: tuple[np.ndarray, np.ndarray]  # the index of the right scores; 0 where ignored
    counted: np.ndarray | None  # whether a label is not ignored; None where all count
    weight: np.ndarray | None  # that of each label's class, 0 where ignored; None for 1 each


class ClassLoss(Loss):
    """A loss of one score per class, along the last axis, and labels along the others.

    Each label counts as a sample: with scores (N, ..., C) there are labels (N, ...) and as many
    losses. Weights of classes and an ignored index are None where a loss has none.
    """

    class_weights: np.ndarray | None = None
    ignore_index: int | None = None
    takes_ignored = False  # whether a label that is no class can be ignored

    def set_classes(self, class_weights: Any, ignore_index: Any) -> None:
        """Check and keep the settings about classes."""
        if isinstance(class_weights, str):
            remedy = f"write {type(self).__name__}(reduction={class_weights!r})"
            self.refuse("one weight for each class", repr(class_weights), remedy)
        if class_weights is not None:
            class_weights = np.array(real(self, "class weights", class_weights), np.float64)
            if class_weights.ndim != 1:
                self.refuse(
                    "class weights (classes,)", class_weights.shape, "pass one weight per class"
                )
            check_values(
                self, "class weights", class_weights, 0, remedy="a weight of 0 drops a class"
            )
        self.class_weights = class_weights
        self.ignore_index = None if ignore_index is None else index(ignore_index)
        if type(self).sample_counts is ClassLoss.sample_counts:
            self.counts_evenly = class_weights is None and ignore_index is None

    def scores(self, prediction: np.ndarray) -> np.ndarray:
        """The scores as rows of classes, one for each label."""
        if prediction.ndim == 0 or prediction.shape[-1] == 0:
            self.refuse("scores (batch, classes)", prediction.shape, "give each class one score")
        classes = prediction.shape[-1]
        if self.class_weights is not None and len(self.class_weights) != classes:
            self.refuse(
                f"scores of {len(self.class_weights)} classes, as there are class weights",
                f"{classes}",
                "pass one weight for each class",
            )
        return prediction.reshape(-1, classes)

    def right(self, prediction: np.ndarray, labels: Any) -> Right:
        """Checked labels as the place of each one's class among the rows of scores."""
        labels = self._labels(prediction, labels)
        kept, counted = self._classes_of(labels, prediction.shape[-1])
        weight = None if counted is None else counted.astype(prediction.dtype)
        if self.class_weights is not None:
            of_class = self.class_weights.astype(prediction.dtype)[kept]
            weight = of_class if weight is None else of_class * weight
        return Right((np.arange(len(kept)), kept), counted, weight)

    def sample_counts(self, prediction: Any, target: Any) -> np.ndarray:
        labels = np.asarray(target)
        if labels.ndim == np.ndim(prediction):  # probabilities
            return np.ones(labels.shape[:-1])
        weights = self.class_weights
        if weights is None and self.ignore_index is None:
            return np.ones(labels.shape)
        if weights is None:
            return np.asarray(labels != self.ignore_index, np.float64)
        kept, counted = self._classes_of(labels, len(weights))
        counts = weights[kept] if counted is None else weights[kept] * counted
        return counts.reshape(labels.shape)

    def correct(self, prediction: Any, target: Any) -> np.ndarray:
        prediction, target = np.asarray(prediction), np.asarray(target)
        labels = target if target.ndim < prediction.ndim else target.argmax(-1)
        right = np.asarray(prediction.argmax(-1) == labels)
        wrong = np.isnan(prediction)
        if wrong.any():
            right &= ~wrong.any(-1)
        if self.ignore_index is None or target.ndim == prediction.ndim:
            return right
        return right[labels != self.ignore_index]

    def _labels(self, prediction: np.ndarray, labels: Any) -> np.ndarray:
        if type(labels) is not np.ndarray or labels.dtype.kind not in "fiub":
            labels = real(self, "labels", labels)
        wanted = prediction.shape[:-1]
        if labels.shape != wanted:
            if labels.shape == (*wanted, 1):
                remedy = "pass labels[..., 0]"
            elif labels.shape == prediction.shape:
                remedy = "pass target.argmax(-1) where rows are one-hot"
            elif labels.shape == (*prediction.shape[:1], *prediction.shape[2:]):
                remedy = "put the classes last, np.moveaxis(scores, 1, -1)"
            else:
                remedy = "pass one label per sample"
            self.refuse(f"labels of shape {wanted}", labels.shape, remedy)
        return labels

    def _classes_of(self, labels: np.ndarray, classes: int) -> tuple[np.ndarray, Any]:
        """(the labels in a row, 0 where ignored; whether each counts, None if none is ignored)."""
        if labels.dtype.kind not in "iu":
            self.refuse(
                "integer labels", f"labels of {labels.dtype}", "use labels.astype(np.int64)"
            )
        counted = None if self.ignore_index is None else labels.ravel() != self.ignore_index
        kept = labels.ravel() if counted is None else np.where(counted, labels.ravel(), 0)
        if kept.size and not (kept.min() >= 0 and kept.max() < classes):
            self._refuse_label(labels, (kept < 0) | (kept >= classes), classes)
        return kept.astype(np.intp, copy=False), counted

    def _refuse_label(self, labels: np.ndarray, wrong: np.ndarray, classes: int) -> None:
        place = np.unravel_index(np.argmax(wrong), labels.shape)
        where = ", ".join(map(str, place))
        remedy = "check the labels, or give the last layer more outputs"
        if labels[place] < 0 and self.takes_ignored:
            remedy = f"check the labels, or leave them out by ignore_index={labels[place]}"
        self.refuse(
            f"labels in 0..{classes - 1} for {classes} classes",
            f"{labels[place]} at index {where}" if where else f"{labels[place]}",
            remedy,
        )
