"""Which methods of an object, or which functions, are its passes, and what these are passed."""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnscratch.gradient_check.names import is_target_first
from nnscratch.layers.base import Layer
from nnscratch.losses.base import Loss

__all__ = [
    "CLEARING",
    "Functions",
    "GivenParams",
    "methods_of",
    "parameters",
    "takes_target_first",
    "value_and_gradient",
]

PAIRS = (
    ("forward", "backward"),
    ("__call__", "backward"),
    ("forward_pass", "backward_pass"),
    ("fprop", "bprop"),
    ("forward_propagation", "backward_propagation"),
    ("forward_propagate", "backward_propagate"),
    ("forward_prop", "backward_prop"),
    ("forward_prop", "back_prop"),
    *(("forward", name) for name in ("backprop", "bprop", "back_prop", "backpropagate")),
    *(("forward", name) for name in ("back_propagate", "backpropagation", "back_propagation")),
    *(("forward", name) for name in ("compute_gradients", "compute_grads", "backward_pass")),
    ("__call__", "backprop"),
)
# Each of these with each, where none of the pairs is there
FORWARD = (
    *("forward", "__call__", "call", "forward_pass", "forward_propagate", "forward_propagation"),
    *("forward_prop", "forwardprop", "feedforward", "feed_forward", "feedForward", "propagate"),
    *("f_prop", "fwd", "forwards", "Forward", "forward_step", "activate", "apply", "compute"),
    *("loss", "calculate", "function", "cost", "error", "compute_loss", "calculate_loss"),
    *("calc_loss", "loss_function", "updateOutput", "predict", "f"),
)
BACKWARD = (
    *("backward", "backprop", "back_prop", "backpropagate", "back_propagate", "backpropagation"),
    *("back_propagation", "backward_pass", "backward_propagate", "backward_propagation"),
    *("backward_prop", "bprop", "b_prop", "bwd", "backwards", "Backward", "backward_step"),
    *("gradient", "grad", "gradients", "compute_gradient", "compute_gradients", "calc_gradient"),
    *("calculate_gradient", "loss_gradient", "loss_grad", "loss_derivative", "loss_prime"),
    *("d_loss", "dloss", "cost_derivative", "cost_prime", "derivative", "prime", "deriv", "df"),
)
CLEARING = (
    *("zero_grad", "zero_grads", "zero_gradients", "cleargrads", "clear_grad", "clear_grads"),
    *("clear_gradients", "reset_grad", "reset_grads", "reset_gradient", "reset_gradients"),
    *("flush_gradients", "zeroGradParameters", "zerograd"),
)


@dataclass
class Functions:
    """A pair of functions as one object: out, cache = forward(...); ... = backward(dout, cache).

    `params` is the mapping or object of parameters that is passed to them, `layer` what has them
    as its methods.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    params: Any = None
    layer: Any = None


class GivenParams:
    """Stands among the inputs for the mapping of parameters that is passed."""


def methods_of(source: Any) -> tuple[str, str] | None:
    """The names of the two methods; None where there are none."""
    for pair in (*PAIRS, *((f, b) for b in BACKWARD for f in FORWARD)):
        if all(callable(getattr(source, name, None)) for name in pair):
            return pair
    return None


def parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """The positional parameters; None where they cannot be known."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return None
    return [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def value_and_gradient(function: Any, inputs: Sequence[Any]) -> Any:
    """A function that returns a loss and its gradients, as a pair of one and the other.

    A method does as well, and an object whose method `loss` is one. Anything else is given back.

    Examples
    --------
    >>> def squares(x): return float(np.sum(x * x)), 2 * x
    >>> pair = value_and_gradient(squares, [np.ones(3)])
    >>> pair.forward(np.ones(3)), pair.backward(np.ones(3))
    (3.0, array([2., 2., 2.]))
    """
    if not isinstance(function, (types.FunctionType, types.MethodType)):
        loss = getattr(function, "loss", None)
        return value_and_gradient(loss, inputs) or function if loss else function
    function = copy.deepcopy(function)
    try:
        returned = function(*copy.deepcopy(list(inputs)))
    except Exception:  # it is refused with what it takes
        return function
    if not isinstance(returned, tuple) or len(returned) < 2 or np.size(returned[0]) != 1:
        return function
    parts = functools.partial(_value, function), functools.partial(_gradient, function)
    for part in parts:  # copies of a partial copy what the method belongs to
        part.__name__ = function.__name__  # type: ignore[attr-defined]  # as the report says it
        part.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]  # as named
    return Functions(*parts, layer=getattr(function, "__self__", None))


def _value(function: Callable[..., Any], *given: Any, **options: Any) -> Any:
    return function(*given, **options)[0]


def _gradient(function: Callable[..., Any], *given: Any, **options: Any) -> Any:
    rest = function(*given, **options)[1:]
    return rest[0] if len(rest) == 1 else rest


def takes_target_first(source: Any, inputs: Sequence[Any], structure: Sequence[Any]) -> bool:
    """Whether forward is that of a loss(y_true, y_pred), by the names of its arguments."""
    methods = methods_of(source)
    if isinstance(source, Layer | Loss) or methods is None or len(inputs) != len(structure):
        return False
    names = [p.name for p in parameters(getattr(source, methods[0])) or ()]
    return len(inputs) > 1 and is_target_first(names)
