"""What a run can be made of: names on the command line -> the classes that the library exports.

Activations and optimizers are found in their packages, so that a new one is a choice as soon as
its module exports it. What each takes, and with which default, its signature tells.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from nnscratch import optimizers
from nnscratch.layers import Layer, Sequential, activations
from nnscratch.models import cnn, mlp
from nnscratch.optimizers import CosineDecay, Optimizer, StepDecay
from nnscratch.optimizers.schedules import Schedule


def _exported(module: ModuleType, wanted: Callable[[Any], bool]) -> dict[str, Any]:
    """The classes of a module that are wanted: LeakyReLU as "leaky-relu"."""
    things = [getattr(module, name) for name in module.__all__]
    found = [thing for thing in things if isinstance(thing, type) and wanted(thing)]
    return {re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "-", c.__name__).lower(): c for c in found}


ACTIVATIONS: dict[str, type[Layer]] = _exported(activations, lambda c: c.element_wise)
OPTIMIZERS: dict[str, type[Optimizer]] = _exported(
    optimizers, lambda c: issubclass(c, Optimizer) and c is not Optimizer
)


def _mlp(
    shape: tuple[int, ...],
    classes: int,
    rng: Any,
    *,
    hidden: tuple[int, ...] = (256, 128),
    activation: str = "relu",
    dropout: float = 0.2,
) -> Sequential:
    return mlp([math.prod(shape), *hidden, classes], ACTIVATIONS[activation], dropout, rng)


def _cnn(shape: tuple[int, ...], classes: int, rng: Any, *, dropout: float = 0.0) -> Sequential:
    return cnn(shape, classes, dropout=dropout, rng=rng)


MODELS: dict[str, Callable[..., Sequential]] = {"mlp": _mlp, "cnn": _cnn}

OWN = "own"  # what a model is called that is given as text
SHOWN = 48  # letters of such a text


def is_text(model: str) -> bool:
    """Whether a model is given as the code that builds it, not by its name."""
    return "(" in model


def kind_of_model(model: str) -> str:
    """Its name, for a folder or a column."""
    return OWN if is_text(model) else model


def short_model(model: str) -> str:
    """Its name, or the beginning of its text.

    Examples
    --------
    >>> short_model("Sequential(\\n  Flatten(),\\n  Linear(64, 10),\\n)")
    'Sequential(Flatten(), Linear(64, 10))'
    """
    text = re.sub(r",\s*\)", ")", re.sub(r"\(\s+", "(", " ".join(model.split())))
    return text if len(text) <= SHOWN else text[: SHOWN - 3].rstrip(" ,") + "..."


# (optimizer, epochs, steps in an epoch) -> the schedule
SCHEDULES: dict[str, Callable[[Optimizer, int, int], Schedule | None]] = {
    "constant": lambda optimizer, epochs, steps: None,
    "step": lambda optimizer, epochs, steps: StepDecay(optimizer, max(1, epochs // 3) * steps),
    "cosine": lambda optimizer, epochs, steps: CosineDecay(optimizer, epochs * steps),
}

CHOICES: dict[str, Mapping[str, Callable[..., Any]]] = {
    "activation": ACTIVATIONS,
    "optimizer": OPTIMIZERS,
    "model": MODELS,
    "schedule": SCHEDULES,
}
# What a run uses unless told, where a class's own default is not made for it. Momentum multiplies
# the steps by 1 / (1 - 0.9) in the long run: with SGD's own rate of 0.1 nets on Fashion-MNIST climb
# for some epochs and then collapse. With 0.01, torch's, RMSprop's nets of ten layers collapse.
PREFERRED: dict[str, dict[str, Any]] = {
    "rmsprop": {"learning_rate": 0.001},
    "sgd": {"learning_rate": 0.02, "momentum": 0.9},
}
# The same for nets of more hidden layers than SHALLOW. The noise of each Dropout adds up: with a
# fifth dropped behind each of ten layers the digits' test accuracy falls from 0.96 to 0.53. And at
# 0.02 every third net of ten SELUs collapses.
SHALLOW = 3
PREFERRED_IN_DEEP_NETS = {"mlp": {"dropout": 0.0}, "sgd": {"learning_rate": 0.01}}


def defaults_of(kind: str, name: str) -> dict[str, Any]:
    """What a choice takes beside its fixed arguments, with the defaults of its signature.

    Examples
    --------
    >>> defaults_of("optimizer", "adagrad")["learning_rate"], defaults_of("model", "cnn")
    (0.01, {'dropout': 0.0})
    """
    parameters = inspect.signature(CHOICES[kind][name]).parameters.values()
    found = {p.name: p.default for p in parameters if p.default is not p.empty}
    return found | PREFERRED.get(name, {})


def fitting(choice: str, option: str, default: Any, hidden: tuple[int, ...] | None) -> Any:
    """The default of a choice's option in a net with these hidden layers.

    Examples
    --------
    >>> fitting("sgd", "learning_rate", 0.02, (64,) * 10)
    0.01
    """
    deep = len(hidden or ()) > SHALLOW
    return PREFERRED_IN_DEEP_NETS.get(choice, {}).get(option, default) if deep else default


def takers(kind: str, option: str) -> dict[str, Any]:
    """The choices of a kind that take an option, each with its default.

    Examples
    --------
    >>> takers("model", "activation")
    {'mlp': 'relu'}
    """
    each = {name: defaults_of(kind, name) for name in sorted(CHOICES[kind])}
    return {name: options[option] for name, options in each.items() if option in options}
