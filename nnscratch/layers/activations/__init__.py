"""Activations: y_i = g(x_i), so dx_i = dy_i · g'(x_i) ([Recitation], rule 6).

The derivatives are written in y where that is shorter, as for the sigmoid. A class says of itself
that it is `element_wise`, as `suits` which initializer keeps signals alive in front of it, where
that is not Glorot's, and that it is `off_center` where its values do not lie around 0.
"""

from typing import TYPE_CHECKING

from nnscratch.layers.activations.gates import *
from nnscratch.layers.activations.rectifiers import *
from nnscratch.layers.activations.sigmoids import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]
