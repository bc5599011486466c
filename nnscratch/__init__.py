"""nnscratch: neural networks that read like their derivation, in NumPy.

>>> import numpy as np
>>> import nnscratch as nn
>>> layer = nn.Linear(3, 2, rng=0)
>>> y = layer.forward(np.array([1.0, 2.0, 3.0]))
>>> dx, grads = layer.backward(np.array([1.0, 10.0]))
>>> np.array_equal(grads["W"], np.outer([1, 10], [1, 2, 3]))  # dW = dy · xᵀ
True

What `__all__` lists is stable; so is what each package lists in its own.
"""

from typing import TYPE_CHECKING

from nnscratch import _safe_path as _safe_path
from nnscratch import initializers as initializers
from nnscratch import interop as interop
from nnscratch.builder import *
from nnscratch.checkpoint import *
from nnscratch.data import Dataset as Dataset
from nnscratch.data import load_dataset as load_dataset
from nnscratch.data import load_idx as load_idx
from nnscratch.data import minibatches as minibatches
from nnscratch.data import stratified_split as stratified_split
from nnscratch.graph import Graph as Graph
from nnscratch.graph import Input as Input
from nnscratch.inspection import *
from nnscratch.layers import *
from nnscratch.layers.flat import clip_norm as clip_norm
from nnscratch.layers.flat import flatten as flatten
from nnscratch.losses import *
from nnscratch.metrics import *
from nnscratch.models import *
from nnscratch.optimizers import *
from nnscratch.training import *

__version__ = "0.2.0.dev0"

if TYPE_CHECKING:
    from nnscratch import plots as plots
    from nnscratch.gradient_check import assert_gradients as assert_gradients
    from nnscratch.gradient_check import check_gradients as check_gradients
else:
    # What is imported when first asked for: a quarter of the time of `import nnscratch`.
    _LATER = dict.fromkeys(["assert_gradients", "check_gradients"], "gradient_check")
    _LATER |= {name: name for name in ["gradient_check", "plots"]}

    __all__ = [name for name, thing in globals().items() if callable(thing)]
    __all__ += ["__version__", "assert_gradients", "check_gradients"]
    __all__ += ["initializers", "interop", "plots"]

    def __getattr__(name: str) -> object:
        if name not in _LATER:
            from nnscratch.asking import unknown_name

            unknown_name(__name__, name, __all__)
        from importlib import import_module

        module = import_module(f"nnscratch.{_LATER[name]}")
        found = module if name == _LATER[name] else getattr(module, name)
        return globals().setdefault(name, found)

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})
