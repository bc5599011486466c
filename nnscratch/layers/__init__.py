"""The layers: values forward, gradients back. One file per idea; `base.py` is the protocol."""

from typing import TYPE_CHECKING

from nnscratch.layers.activations import *
from nnscratch.layers.base import *
from nnscratch.layers.containers import *
from nnscratch.layers.dropout import *
from nnscratch.layers.embedding import *
from nnscratch.layers.flatten import *
from nnscratch.layers.linear import *
from nnscratch.layers.normalization import *
from nnscratch.layers.operators import *
from nnscratch.layers.scan import *
from nnscratch.layers.sequence import *
from nnscratch.layers.softmax import *
from nnscratch.layers.spatial import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]

    def __getattr__(name: str) -> None:
        from nnscratch.asking import unknown_name

        unknown_name(__name__, name, __all__)
