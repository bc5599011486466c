"""Training: from a model, a loss and an optimizer to a trained model and its history."""

from typing import TYPE_CHECKING

from nnscratch.training.averaging import *
from nnscratch.training.batch_statistics import *
from nnscratch.training.callbacks import *
from nnscratch.training.early_stopping import *
from nnscratch.training.evaluation import *
from nnscratch.training.history import *
from nnscratch.training.range_test import *
from nnscratch.training.trainer import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]

    def __getattr__(name: str) -> None:
        from nnscratch.asking import unknown_name

        unknown_name(__name__, name, __all__)
