"""What a diagnosed run writes down while it trains: norms of every layer, and idle units.

The recorder reads; it never changes a weight, a statistic or a generator, so that a diagnosed
run ends bit for bit where the same run without a diagnosis ends.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnscratch.inspection.observe import observe
from nnscratch.layers import Layer, ReLU, Sigmoid, Tanh
from nnscratch.training.evaluation import modes_kept

FIRST = 20  # steps that are all recorded: a bad learning rate shows at once
EVERY = 10  # of the steps after them; recording one costs about a third of a step
PROBES = 512  # samples that show the activations at the end of an epoch
FLAT = 0.05  # a sigmoid is saturated where its slope is below this share of the steepest


@dataclass(frozen=True)
class Measurements:
    """The numbers of a run, as plain arrays.

    Attributes
    ----------
    layers : tuple of str
        The layers with weights, as "3.1 Linear(64, 10)", L of them in the data's order.
    steps : int array (R,)
        The steps that were recorded, counted from 0.
    gradient_norm, weight_norm, update_ratio : float arrays (R, L)
        Of a layer's weights without its biases: the norm of their gradient, as the optimizer
        received it; their own norm before the step; and the norm of the change by that one.
    activations : tuple of str
        The layers that can be idle, ReLU, Sigmoid and Tanh but for the model's last, A of them.
    idle : float array (E, A)
        At the end of each epoch: the share of a ReLU's units that gave 0 for all samples, or of
        the values of a Sigmoid or Tanh on its flat ends.
    """

    layers: tuple[str, ...]
    steps: np.ndarray
    gradient_norm: np.ndarray
    weight_norm: np.ndarray
    update_ratio: np.ndarray
    activations: tuple[str, ...]
    idle: np.ndarray


class Recorder:
    """Writes down what the steps of a run did to the weights.

    The loop calls `before_step(grads)` and `after_step()` around each step of the optimizer, and
    `end_epoch()` after each epoch.

    Parameters
    ----------
    model : Layer
    x : array
        The training inputs; some of them, evenly spaced, are looked at after each epoch.
    """

    def __init__(self, model: Layer, x: np.ndarray) -> None:
        self.model = model
        self.start = copy.deepcopy(model)  # as it was before the first step
        # A tenth of the data costs a few hundredths of an epoch, and a pass backwards is saved.
        probes = min(PROBES, max(100, len(x) // 10), len(x))
        self.probes = x[np.linspace(0, len(x) - 1, probes).astype(int)]
        self.layers, self._weights = weights_of_layers(model)
        self._before = [[np.empty_like(W) for W in weights] for weights in self.weights()]
        self.weights_at_start = [[W.copy() for W in weights] for weights in self.weights()]
        leaves = [(path, layer) for path, layer in model.walk() if not layer.layers]
        self._idle_able = {  # a layer that stands twice is looked at once, at its last use
            id(layer): (path, layer)
            for path, layer in leaves[:-1]
            if isinstance(layer, (ReLU, Sigmoid, Tanh))
        }
        kinds = [layer for _, layer in self._idle_able.values()]
        self.rectifies = np.array([isinstance(layer, ReLU) for layer in kinds], bool)
        self.taken = 0
        self._steps: list[int] = []
        self._gradient_norms: list[float] | None = None  # of a step whose turn it is
        self._norms: list[list[tuple[float, float, float]]] = []
        self._idle: list[list[float]] = []

    def before_step(self, grads: Mapping[str, np.ndarray]) -> None:
        """Note the gradients and the weights, if it is this step's turn."""
        if self.taken >= FIRST and self.taken % EVERY:
            self._gradient_norms = None
            return
        self._gradient_norms = [
            norm([grads[name] for name in names if name in grads]) for names in self._weights
        ]
        for old, new in zip(self._before, self.weights(), strict=True):
            for a, b in zip(old, new, strict=True):
                np.copyto(a, b)

    def after_step(self) -> None:
        """Note how far the weights moved."""
        number, self.taken = self.taken, self.taken + 1
        if self._gradient_norms is None:
            return
        row = []
        for g, old, new in zip(self._gradient_norms, self._before, self.weights(), strict=True):
            w = norm(old)
            for a, b in zip(old, new, strict=True):
                np.subtract(b, a, out=a)
            row.append((g, w, norm(old) / w if w else np.nan))  # no share of nothing
        self._steps.append(number)
        self._norms.append(row)

    def end_epoch(self) -> None:
        """Look at the activations."""
        if not self._idle_able:
            return
        with modes_kept(self.model), np.errstate(all="ignore"), observe(self.model) as passes:
            self.model.eval().forward_pass(self.probes)
        outputs = {id(use.layer): use.output for use in passes}  # of the last use of each
        shares = [idle_share(layer, outputs[key]) for key, (_, layer) in self._idle_able.items()]
        self._idle.append(shares)

    def weights(self) -> list[list[np.ndarray]]:
        """The weights of each of `layers` as they are now."""
        return [[self.model.params[name] for name in names] for names in self._weights]

    def measurements(self) -> Measurements:
        """What has been written down so far."""
        rows, layers = len(self._steps), len(self.layers)
        norms = np.array(self._norms, float).reshape(rows, layers, 3)
        names = tuple(f"{path} {layer}".strip() for path, layer in self._idle_able.values())
        idle = np.array(self._idle, float).reshape(len(self._idle), len(names))
        gradient_norm, weight_norm, update_ratio = np.moveaxis(norms, 2, 0).copy()
        steps = np.array(self._steps, int)
        return Measurements(
            self.layers, steps, gradient_norm, weight_norm, update_ratio, names, idle
        )


def weights_of_layers(model: Layer) -> tuple[tuple[str, ...], list[list[str]]]:
    """(the layers with weights, the names in `model.params` of each one's weights).

    Weights have at least two axes. Biases, and the scales of a normalization, start at values
    of their own, to which no share of a change can be compared.
    """
    owners: dict[int, tuple[str, Layer, str]] = {}  # the innermost layer, at its first place
    for path, layer in model.walk():
        for key, array in layer.params.items():
            around = f"{owners[id(array)][0]}.".lstrip(".") if id(array) in owners else ""
            if path.startswith(around):
                owners[id(array)] = path, layer, key
    found: dict[str, list[str]] = {}
    for name, array in model.params.items():
        path, layer, key = owners[id(array)]
        if array.ndim >= 2 and key not in ("gamma", "beta"):
            found.setdefault(f"{path} {layer}".strip(), []).append(name)
    return tuple(found), list(found.values())


def norm(arrays: list[np.ndarray]) -> float:
    """√ Σ a², of all arrays together."""
    vectors = (a.ravel(order="K") for a in arrays)  # no copy, in whichever order memory has them
    with np.errstate(over="ignore"):  # of weights that have grown beyond all bounds
        return math.sqrt(sum(float(np.dot(v, v)) for v in vectors))


def idle_share(layer: Layer, y: np.ndarray) -> float:
    """How much of a layer's output y is idle."""
    if y.size == 0 or y.ndim == 0:
        return 0.0
    if isinstance(layer, ReLU):
        if y.ndim == 1:
            return 0.0  # units and samples cannot be told apart
        others = (0, *range(2, y.ndim))  # units, or the channels of images, are along axis 1
        return 1 - float((y > 0).any(axis=others).mean())
    slope = 4 * y * (1 - y) if isinstance(layer, Sigmoid) else 1 - y * y
    return float((slope < FLAT).mean())
