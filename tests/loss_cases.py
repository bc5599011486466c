"""Every loss, plain and with its settings, and a problem for each."""

import numpy as np
import pytest

import nnscratch as nn

CLASSES = 5


def problem(name, rng=0, shape=(7,)):
    """(prediction, target) away from kinks and from the ends of what is allowed."""
    rng = np.random.default_rng(rng)
    prediction = rng.normal(size=(*shape, CLASSES))
    if name == "NLLLoss":
        prediction = -np.abs(prediction) - 0.1
    if name in ("SoftmaxCrossEntropy", "NLLLoss", "HingeLoss"):
        return prediction, rng.integers(0, CLASSES, shape)
    if name == "BCEWithLogits":
        return prediction, rng.uniform(0.2, 0.8, prediction.shape)
    return prediction, rng.normal(size=prediction.shape)


# Every loss, also with its settings
LOSSES = {
    "MSELoss": nn.MSELoss,
    "L1Loss": nn.L1Loss,
    "HuberLoss": nn.HuberLoss,
    "BCEWithLogits": nn.BCEWithLogits,
    "BCEWithLogits weighted": lambda **k: nn.BCEWithLogits(3.0, **k),
    "SoftmaxCrossEntropy": nn.SoftmaxCrossEntropy,
    "SoftmaxCrossEntropy with settings": lambda **k: nn.SoftmaxCrossEntropy(
        [1, 2, 3, 4, 5], 0.1, 0, **k
    ),
    "NLLLoss": nn.NLLLoss,
    "NLLLoss with settings": lambda **k: nn.NLLLoss([1, 2, 3, 4, 5], 0, **k),
    "HingeLoss": nn.HingeLoss,
}
every = pytest.mark.parametrize("name", LOSSES)
OF_CLASSES = [name for name in LOSSES if name.split()[0] in nn.losses.classes.__all__]


def kind(name):
    return name.split()[0]
