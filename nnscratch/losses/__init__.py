"""Losses: one number for how wrong a prediction is, and the gradient that starts the way back.

    value = loss.forward(prediction, target)
    dprediction = loss.backward()

One rule for all of them: the loss of a sample is the sum over its outputs, and
`reduction="mean"` divides by the number of samples, by the sum of their weights where weights
are given, and by nothing else. Layers never average.
So a gradient does not depend on how many outputs share a sample, and every derivation holds as
written for one sample. Where torch divides by something more, the docstring says so.
"""

from typing import TYPE_CHECKING

from nnscratch.losses.base import *
from nnscratch.losses.binary import *
from nnscratch.losses.classes import *
from nnscratch.losses.ctc import *
from nnscratch.losses.ctc_decoding import *
from nnscratch.losses.regression import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]

    def __getattr__(name: str) -> None:
        from nnscratch.asking import unknown_name

        unknown_name(__name__, name, __all__)
