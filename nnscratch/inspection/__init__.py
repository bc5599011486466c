"""Looking into a model: one observer of its passes, the table of its layers, its Jacobians."""

from typing import TYPE_CHECKING

from nnscratch.inspection.jacobians import *
from nnscratch.inspection.observe import *
from nnscratch.inspection.summary import *

if not TYPE_CHECKING:  # which follows the stars by itself
    __all__ = [name for name, thing in globals().items() if callable(thing)]
