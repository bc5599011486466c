"""What scikit-learn's estimators of ours were given, looked at when they are fitted.

scikit-learn sets arguments without a look at them, and may set them anew before each `fit`.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from nnscratch.layers import Layer, Softmax
from nnscratch.layers.normalization.normalize import passed_unfitted


def whole(value: Any, argument: str) -> int:
    """A number of at least 1, never rounded."""
    try:
        number = 0 if isinstance(value, (bool, np.bool_)) else index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"{argument} is a whole number of at least 1, received {value!r}")
    return number


def widths(value: Any) -> list[int]:
    """The units of each hidden layer; one number is one layer."""
    if isinstance(value, (str, bytes)) or np.ndim(value) > 1:
        raise ValueError(
            f"hidden is a sequence of whole numbers such as (100,), received {value!r}"
        )
    several = [value] if np.ndim(value) == 0 else list(value)
    return [whole(units, "each of hidden") for units in several]


def patience_of(value: Any, usual: int) -> int | None:
    """Epochs to wait: the usual ones for True, None for False and 0."""
    if isinstance(value, (bool, np.bool_)):
        return usual if value else None
    return None if value is None or np.array_equal(value, 0) else whole(value, "early_stopping")


def named(value: Any, package: Any, kind: type, argument: str) -> Any:
    """A class by its name in lower case, or as it is."""
    if isinstance(value, type) and issubclass(value, kind):
        return value
    public = {name.lower(): vars(package)[name] for name in vars(package)["__all__"]}
    known = {n: c for n, c in public.items() if isinstance(c, type) and issubclass(c, kind)}
    known = {name: c for name, c in known.items() if c is not kind}
    if not isinstance(value, str) or value not in known:
        raise ValueError(
            f"{argument} is one of {', '.join(sorted(known))}, or a class, received {value!r}"
        )
    return known[value]


def check_outputs(model: Layer, row: np.ndarray, outputs: int, of_classes: bool) -> None:
    """ValueError where the model does not give one number for each class or target of a row."""
    with np.errstate(all="ignore"), passed_unfitted(model):
        y = model.eval().forward_pass(row)[0]
    model.train()
    if not isinstance(y, np.ndarray) or y.shape != (len(row), outputs):
        gives = "several outputs" if isinstance(y, tuple) else f"the shape {y.shape[1:]}"
        wanted = "class" if of_classes else "target"
        raise ValueError(
            f"model= gives {gives} for a row of {row.shape[1]} features, expected ({outputs},), a "
            f"number for each {wanted}; end it with a Linear of {outputs} outputs"
        )
    last = [layer for _, layer in model.walk() if not layer.layers][-1]
    if of_classes and isinstance(last, Softmax):
        raise ValueError(
            f"model= ends with {last}; leave it out: the loss takes scores before it, and "
            "predict_proba gives probabilities"
        )
