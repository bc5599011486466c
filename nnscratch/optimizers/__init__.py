"""Optimizers: from gradients to the next weights; schedules: the learning rate over the steps.

Every optimizer is written as its formula for one parameter's weights w, gradient g and state.
All follow torch's formulas, and decay acts on every parameter unless a group says otherwise.
"""

from typing import TYPE_CHECKING

from nnscratch.optimizers.adam import *
from nnscratch.optimizers.adaptive import *
from nnscratch.optimizers.base import *
from nnscratch.optimizers.cycles import *
from nnscratch.optimizers.decays import *
from nnscratch.optimizers.groups import *
from nnscratch.optimizers.plateau import *
from nnscratch.optimizers.schedules import *
from nnscratch.optimizers.sgd import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]

    def __getattr__(name: str) -> None:
        from nnscratch.asking import unknown_name

        unknown_name(__name__, name, __all__)
