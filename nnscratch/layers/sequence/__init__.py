"""Sequences, batch first, (batch, time, features): recurrent cells and layers, attention.

weights.py packing.py         what recurrent layers share: their weights; sequences as rows
cells.py unroll.py            one step in time, as its formulas stand, and the literal loop over it
recurrent.py gru.py lstm.py   the same, fast
bidirectional.py              both directions, and the last step
attention.py multi_head.py    every step looks at every other
positions.py transformer.py   where a step stands, and the block made of all this
"""

from typing import TYPE_CHECKING

from nnscratch.layers.sequence.attention import *
from nnscratch.layers.sequence.bidirectional import *
from nnscratch.layers.sequence.cells import *
from nnscratch.layers.sequence.gru import *
from nnscratch.layers.sequence.lstm import *
from nnscratch.layers.sequence.multi_head import *
from nnscratch.layers.sequence.positions import *
from nnscratch.layers.sequence.recurrent import *
from nnscratch.layers.sequence.transformer import *
from nnscratch.layers.sequence.unroll import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]
