"""Space: layers that move a window along a signal or over an image."""

from typing import TYPE_CHECKING

from nnscratch.layers.spatial.adaptive import *
from nnscratch.layers.spatial.average_pooling import *
from nnscratch.layers.spatial.correlation import *
from nnscratch.layers.spatial.global_pooling import *
from nnscratch.layers.spatial.max_pooling import *
from nnscratch.layers.spatial.padding import *
from nnscratch.layers.spatial.transposed import *
from nnscratch.layers.spatial.upsampling import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]
