"""Losses: one number for how wrong a prediction is, and the gradient that starts the way back.

    value = loss.forward(prediction, target)
    dprediction = loss.backward()

One rule for all of them: the loss of a sample is the sum over its outputs, and
`reduction="mean"` divides by the number of samples and by nothing else. Layers never average.
So a gradient does not depend on how many outputs share a sample, and every derivation holds as
written for one sample. Where torch divides by something more, the docstring says so.
"""

from nnscratch.losses.base import Loss
from nnscratch.losses.binary import BCEWithLogits
from nnscratch.losses.classes import HingeLoss, NLLLoss, SoftmaxCrossEntropy
from nnscratch.losses.regression import HuberLoss, L1Loss, MSELoss

__all__ = [
    "BCEWithLogits",
    "HingeLoss",
    "HuberLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "NLLLoss",
    "SoftmaxCrossEntropy",
]
