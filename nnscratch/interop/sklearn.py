"""A model and its Trainer as scikit-learn's estimators, for pipelines and searches.

    search = GridSearchCV(make_pipeline(StandardScaler(), Classifier()), {...}, n_jobs=2)

Everything inside is computed in float64, as is usual there.
"""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np

from nnscratch import optimizers
from nnscratch.builder import build
from nnscratch.interop.estimator_arguments import check_outputs, named, patience_of, whole, widths
from nnscratch.layers import Layer, LogSoftmax, Softmax, activations
from nnscratch.losses import Loss, MSELoss, SoftmaxCrossEntropy
from nnscratch.models import mlp
from nnscratch.training import Trainer, predict

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "these estimators need scikit-learn; pip install 'nnscratch[sklearn]'"
    ) from error

__all__ = ["Classifier", "Regressor"]

PATIENCE = 10  # epochs, where early_stopping is True
HELD_OUT = 0.1  # of the samples, to decide when to stop
FEWEST = 6  # of which that share is a sample, rounded


class _Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both estimators share: parameters, the model, and how it is trained."""

    def __init__(
        self,
        hidden: Any = (100,),
        activation: Any = "relu",
        optimizer: Any = "adam",
        learning_rate: float = 1e-3,
        epochs: int = 200,
        batch_size: int = 128,
        early_stopping: bool | int = False,
        model: Layer | str | None = None,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.model = model
        self.random_state = random_state

    def _start(self, X: np.ndarray, outputs: int) -> None:
        """A new model with its optimizer."""
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        self._rng = np.random.default_rng(seed)
        if self.model is None:
            activation = named(self.activation, activations, Layer, "activation")
            model: Layer = mlp(
                [X.shape[1], *widths(self.hidden), outputs], activation, rng=self._rng
            )
        elif isinstance(self.model, str):
            model = build(self.model, rng=self._rng)
        elif isinstance(self.model, Layer):
            model = copy.deepcopy(self.model)
        else:
            raise ValueError(f"model is a layer, the text of one, or None, received {self.model!r}")
        self.model_ = model.astype(np.float64)
        check_outputs(self.model_, X[:1], outputs, isinstance(self, Classifier))
        kind = named(self.optimizer, optimizers, optimizers.Optimizer, "optimizer")
        self._optimizer = kind(self.model_, learning_rate=self.learning_rate)
        self.loss_curve_: list[float] = []

    def _train(self, X: np.ndarray, y: np.ndarray, weight: Any, epochs: int, stop: bool) -> None:
        """Some epochs more."""
        patience = patience_of(self.early_stopping, PATIENCE)
        if patience and stop and len(X) < FEWEST:
            raise ValueError(
                f"early_stopping holds out a tenth of the samples, and there are {len(X)}; give "
                f"{FEWEST} or more, or early_stopping=False"
            )
        trainer = Trainer(
            self.model_,
            self._loss(),
            self._optimizer,
            early_stopping=patience if stop and patience else None,
            progress=False,
        )
        self.history_ = trainer.fit(
            X,
            y,
            validation=HELD_OUT if stop and patience else None,
            epochs=epochs,
            batch_size=whole(self.batch_size, "batch_size"),
            rng=self._rng,
            sample_weight=weight,
        )
        self.loss_curve_ += self.history_["train_loss"]
        self.n_iter_ = len(self.loss_curve_)

    def _loss(self) -> Loss:
        raise NotImplementedError

    def _weight(self, weight: Any, X: np.ndarray) -> np.ndarray | None:
        """One weight per sample."""
        if weight is None:
            return None
        options = {"dtype": np.float64, "ensure_non_negative": True}
        return np.asarray(_check_sample_weight(weight, X, **options))

    def _scores(self, X: Any) -> np.ndarray:
        """The outputs of the model."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        y: np.ndarray = predict(self.model_, X)
        return y


class Classifier(ClassifierMixin, _Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """One class of several, by a network whose outputs are the classes' logits.

    Parameters
    ----------
    hidden : sequence of int
        Units of each hidden layer.
    activation, optimizer : str or class
        Such as "relu" and "adam", the classes' names in lower case.
    learning_rate : float
    epochs, batch_size : int
    early_stopping : bool or int
        Whether to hold out a tenth of the samples, and to end with the weights that were best
        for it; the patience in epochs, 10 for True.
    model : Layer or str, optional
        Another model, or the text of one, from rows of features to one output per class; it is
        copied. `hidden` and `activation` then say nothing.
    random_state : int, numpy.random.RandomState or None
        Draws weights and the order of the samples.

    Attributes
    ----------
    classes_ : array
        The labels, in the order of the outputs.
    model_ : Layer
    history_ : History
        Of the last call of `fit` or `partial_fit`.
    loss_curve_ : list of float
        The mean loss of each epoch.
    n_iter_ : int
        Epochs.
    n_features_in_, feature_names_in_
        As scikit-learn has them.

    Examples
    --------
    >>> import nnscratch as nn
    >>> points = nn.load_dataset("moons")
    >>> classifier = Classifier(hidden=(20,), learning_rate=0.02, epochs=50, random_state=0)
    >>> names = np.array(["lower", "upper"])[points.y_train]
    >>> classifier.fit(points.x_train, names).score(points.x_train, names) > 0.95
    True
    >>> classifier.predict_proba(points.x_test).shape == (len(points.x_test), 2)
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new model; returns the estimator."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        weight = self._weight(sample_weight, X)
        self._start(X, len(self.classes_))
        self._train(X, labels, weight, whole(self.epochs, "epochs"), stop=True)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train the model for one epoch more; the first call names all classes."""
        first = not hasattr(self, "_optimizer")
        X, y = validate_data(self, X, y, dtype=np.float64, reset=first)
        check_classification_targets(y)
        weight = self._weight(sample_weight, X)
        if first:
            self.classes_ = np.unique(y if classes is None else classes)
            self._start(X, len(self.classes_))
        labels = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        if (unknown := self.classes_[labels] != y).any():
            raise ValueError(
                f"{y[unknown].tolist()[0]!r} is none of the classes {self.classes_.tolist()}; "
                "name all of them by classes= in the first call of partial_fit"
            )
        self._train(X, labels, weight, 1, stop=False)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row."""
        scores = self._scores(X)
        return np.asarray(self.classes_[scores.argmax(1)])

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, in the order of `classes_`."""
        return np.asarray(Softmax().forward_pass(self._scores(X))[0])

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of `predict_proba`."""
        return np.asarray(LogSoftmax().forward_pass(self._scores(X))[0])

    def _loss(self) -> Loss:
        return SoftmaxCrossEntropy()


class Regressor(RegressorMixin, _Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """Numbers, one or several, by a network that is trained on the squared error.

    The targets are standardized before, so that a learning rate suits targets of any size; the
    predictions are in their own unit again. With `partial_fit`, mean and deviation are those of
    the first call.

    Parameters
    ----------
    hidden, activation, optimizer, learning_rate, epochs, batch_size, early_stopping, model
        As for `Classifier`; the model has one output per target.
    random_state : int, numpy.random.RandomState or None

    Attributes
    ----------
    model_, history_, loss_curve_, n_iter_, n_features_in_, feature_names_in_
        As for `Classifier`; the loss is that of the standardized targets.
    mean_, scale_ : array
        Of the targets.

    Examples
    --------
    >>> x = np.linspace(-3, 3, 100)[:, np.newaxis]
    >>> regressor = Regressor(activation="tanh", learning_rate=0.01, random_state=0)
    >>> regressor.fit(x, 1000 * np.sin(x[:, 0])).score(x, 1000 * np.sin(x[:, 0])) > 0.99
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new model; returns the estimator."""
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        weight = self._weight(sample_weight, X)
        self._set_scale(y, weight)
        self._start(X, self.mean_.size)
        self._train(X, self._standardized(y), weight, whole(self.epochs, "epochs"), stop=True)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the model for one epoch more."""
        first = not hasattr(self, "_optimizer")
        options = {"multi_output": True, "y_numeric": True, "reset": first}
        X, y = validate_data(self, X, y, dtype=np.float64, **options)
        weight = self._weight(sample_weight, X)
        if first:
            self._set_scale(y, weight)
            self._start(X, self.mean_.size)
        self._train(X, self._standardized(y), weight, 1, stop=False)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The targets of each row, in the shape in which they were given."""
        y = self._scores(X) * self.scale_ + self.mean_
        return y if self.mean_.ndim else y[:, 0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _set_scale(self, y: np.ndarray, weight: np.ndarray | None) -> None:
        self.mean_ = np.asarray(np.average(y, 0, weight))
        deviation = np.asarray(np.sqrt(np.average((y - self.mean_) ** 2, 0, weight)))
        self.scale_ = np.where(deviation > 0, deviation, 1.0)

    def _standardized(self, y: np.ndarray) -> np.ndarray:
        """The targets as columns of mean 0 and variance 1."""
        return ((np.asarray(y, np.float64) - self.mean_) / self.scale_).reshape(len(y), -1)

    def _loss(self) -> Loss:
        return MSELoss()
