"""Elementary operators: what formulas and computation graphs are made of."""

from typing import TYPE_CHECKING

from nnscratch.layers.operators.arithmetic import *
from nnscratch.layers.operators.elementwise import *
from nnscratch.layers.operators.indexing import *
from nnscratch.layers.operators.joining import *
from nnscratch.layers.operators.matmul import *
from nnscratch.layers.operators.matrix_functions import *
from nnscratch.layers.operators.piecewise import *
from nnscratch.layers.operators.reductions import *
from nnscratch.layers.operators.shapes import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]
