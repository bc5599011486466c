"""Optimizers: from gradients to the next weights.

Every optimizer is written as its formula for one vector of weights w, gradients g and state;
`Optimizer.step` applies it to the model's flat vectors block by block, so that a block stays in
the processor's cache from the first operation of the formula to the last.

All follow torch's formulas, and decay acts on every parameter.
"""

from typing import TYPE_CHECKING

from nnscratch.optimizers.adaptive import *
from nnscratch.optimizers.base import *
from nnscratch.optimizers.schedules import *
from nnscratch.optimizers.sgd import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]
