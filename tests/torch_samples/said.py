"""A sample of torch's said in nnscratch, and whether both give the same."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from tests import numeric


class Without(Exception):
    """What a sample asks for and nnscratch does not have."""


def only(condition: bool, reason: str) -> None:
    """Go on where a sample asks for nothing else."""
    if not condition:
        raise Without(reason)


@dataclass
class Said:
    """A layer or loss of nnscratch, and what a sample gives it.

    Attributes
    ----------
    layer : Layer or Loss
    inputs : tuple of tensors, arrays and numbers
    params : dict of str to tensor
        By the layer's names; their gradients are compared as well.
    times : float
        What y is multiplied by to be torch's: means are over other numbers.
    keywords : dict
        Of forward.
    outputs : int
        How many of torch's outputs these are.
    """

    layer: Any
    inputs: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)
    times: float = 1.0
    keywords: dict[str, Any] = field(default_factory=dict)


def say(layer: Any, *inputs: Any, times: float = 1.0, keywords: Any = None, **params: Any) -> Said:
    """The same, written shortly; params that are None are left out."""
    given = {name: tensor for name, tensor in params.items() if tensor is not None}
    return Said(layer, inputs, given, times, keywords or {})


@cache
def torchs() -> Any:
    """torch with its lists of operators and modules."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from torch.testing._internal import common_methods_invocations, common_modules
    return torch, common_methods_invocations.op_db, common_modules.module_db


def array(value: Any) -> Any:
    """A tensor's numbers in its own memory order; a number as an array of no axes."""
    torch, _, _ = torchs()
    if isinstance(value, torch.Tensor):
        return value.detach().numpy()
    return np.asarray(value, "f8") if isinstance(value, float | int) else value


def tried(said: Said, expected: Any, tolerance: float) -> None:
    """Compare the outputs, and the gradients for random dy.

    Raises
    ------
    AssertionError
        They differ.
    ValueError, TypeError
        nnscratch refuses it.
    """
    torch, _, _ = torchs()
    layer = said.layer.astype("f8") if hasattr(said.layer, "astype") else said.layer
    for name, tensor in said.params.items():
        layer.params[name] = array(tensor).reshape(layer.params[name].shape)
    y = layer.forward(*map(array, said.inputs), **said.keywords)
    several = isinstance(y, tuple)
    ys, wanted = (y, tuple(expected)) if several else ((y,), (expected,))
    rng = np.random.default_rng(0)
    dys = [rng.normal(size=np.shape(one)) for one in ys]
    for one, tensor in zip(ys, wanted, strict=True):
        assert np.shape(one) == tuple(tensor.shape)
        numeric.close(said.times * np.asarray(one), tensor.detach().numpy(), tolerance)
    if not any(tensor.requires_grad for tensor in wanted):
        return
    given = [t for t in said.inputs if isinstance(t, torch.Tensor) and t.requires_grad]
    leaves = [*given, *(t for t in said.params.values() if t.requires_grad)]
    there = torch.autograd.grad(
        wanted, leaves, [torch.tensor(said.times * dy) for dy in dys], allow_unused=True
    )
    scaled = [said.times * said.times * dy for dy in dys]
    here = backward(layer, tuple(scaled) if several else scaled[0], said)
    for found, tensor, leaf in zip(here, there, leaves, strict=True):
        right = np.zeros(tuple(leaf.shape)) if tensor is None else tensor.numpy()
        assert np.size(found) == right.size
        numeric.close(np.reshape(found, right.shape), right, tolerance)


def backward(layer: Any, dy: Any, said: Said) -> list[Any]:
    """The gradients of the inputs and of the parameters that torch has gradients of."""
    torch, _, _ = torchs()
    if not hasattr(layer, "params"):
        return [layer.backward(dy)]
    dx, grads = layer.backward(dy)
    dxs = dx if isinstance(dx, tuple) else (dx,)
    of_inputs = [
        d
        for d, t in zip(dxs, said.inputs, strict=True)
        if isinstance(t, torch.Tensor) and t.requires_grad
    ]
    return of_inputs + [grads[name] for name, t in said.params.items() if t.requires_grad]


@dataclass
class Tally:
    """What became of the samples of one operator.

    Attributes
    ----------
    agreed : int
    without, refused : Counter
        By reason what cannot be said, and what nnscratch refuses in words.
    """

    agreed: int = 0
    without: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
