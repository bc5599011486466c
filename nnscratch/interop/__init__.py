"""To and from other libraries; each module imports its library when it is first needed.

safetensors  the weights of a torch model, and back (`nn.save` and `nn.load` call it)
onnx         models for other programs, and theirs
sklearn      a Trainer as scikit-learn's estimator
tensorboard  the curves of a run, as a callback
"""

from importlib import import_module
from typing import Any

MODULES = ("onnx", "safetensors", "sklearn", "tensorboard")


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
