"""Normalization: values of mean 0 and variance 1, over the batch or within each sample."""

from typing import TYPE_CHECKING

from nnscratch.layers.normalization.batch_norm import *
from nnscratch.layers.normalization.group_norm import *
from nnscratch.layers.normalization.layer_norm import *
from nnscratch.layers.normalization.normalize import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]
