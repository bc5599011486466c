"""Optimizers: from gradients to the next weights.

Every optimizer is written as its formula for one vector of weights w, gradients g and state;
`Optimizer.step` applies it to the model's flat vectors block by block, so that a block stays in
the processor's cache from the first operation of the formula to the last.

All follow torch's formulas, and decay acts on every parameter.
"""

from nnscratch.optimizers.adaptive import Adagrad, Adam, AdamW, RMSprop
from nnscratch.optimizers.base import Optimizer
from nnscratch.optimizers.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]
