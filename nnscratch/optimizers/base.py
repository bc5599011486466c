"""The step of an optimizer: a formula for one parameter, applied to all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from nnscratch.asking import answers
from nnscratch.kinds import NotNumbersError, as_array, checks_kinds, received
from nnscratch.layers.base import Layer
from nnscratch.layers.flat import Allocate, FlatArrays, flatten
from nnscratch.layers.params import Structure
from nnscratch.optimizers.blocks import Block, blocks_of, flush_tiny, stretches
from nnscratch.optimizers.groups import Groups, check_settings, overrides_by_name, resolved
from nnscratch.words import OF_OPTIMIZERS, SET_ON_OPTIMIZERS

__all__ = ["Optimizer"]

FLUSHED_EVERY = 128  # steps; seldom enough to cost nothing


@answers(OF_OPTIMIZERS, SET_ON_OPTIMIZERS)
class Optimizer:
    """What all optimizers share: the model's flat vectors, the state, and the step.

    A subclass passes its settings on to `Optimizer.__init__`, which makes them attributes, names
    the arrays of its state in `state_names`, and writes the formula, `update`. There, `self` has
    the settings of the parameter at hand, those of its group included.

    Parameters
    ----------
    model : Layer
    groups : dict of pattern to dict of settings, optional
        Other settings for the parameters whose names fit, as in
        `{"*.b": {"weight_decay": 0.0}, "0.*": {"learning_rate": Scaled(0.1)}}`. A number stays
        as it is, a `Scaled` share follows the optimizer's own value and so its schedule. Of
        several patterns that fit a name the later one counts, setting by setting.
    **settings : float or bool
        `learning_rate` among them, which schedules change between steps.

    Attributes
    ----------
    element_wise : bool
        Whether the formula treats every number for itself. Where it does not, as in a rate for
        each layer by its norm, set it to False: `update` then sees one parameter at a time, in
        its shape.
    steps : int
        How many steps were taken.
    made_with : dict
        The settings as they were at first, by which a resumed run knows its own optimizer.
    state : dict of str to mapping of str to array
        `state["velocity"]["0.W"]` belongs to the parameter "0.W" and has its dtype, or float32
        where that is float16: `update` sees float32 copies of such parameters and gradients, and
        what it makes of them is rounded to float16 once.
    grads : FlatArrays
        Where a gradient pass may write; `step` finds it there without a copy.
    probed : str
        The trained parameter whose gradient shows cheaply whether one is not finite.

    Raises
    ------
    ValueError
        A setting is out of range, a pattern fits no parameter, or gradients do not fit the
        parameters.
    RuntimeError
        The model has other parameters than when the optimizer was made.

    Examples
    --------
    The rate of each layer from the norms of its weights and gradient (You et al., Large batch
    training of convolutional networks, 2017), as an optimizer of one's own:

    >>> import nnscratch as nn
    >>> class LARS(nn.Optimizer):
    ...     element_wise = False
    ...     def __init__(self, model, learning_rate=0.1, trust=0.001, groups=None):
    ...         super().__init__(model, groups, learning_rate=learning_rate, trust=trust)
    ...     def update(self, w, g):
    ...         rate = self.trust * np.linalg.norm(w) / (np.linalg.norm(g) or 1)
    ...         w -= self.learning_rate * rate * g
    >>> model = nn.Linear(2, 1, bias=False)
    >>> model.params["W"] = [[3.0, 4.0]]
    >>> LARS(model, learning_rate=1.0, trust=0.1).step({"W": np.array([[0.0, 2.0]])})
    >>> model.params["W"]
    array([[3. , 3.5]], dtype=float32)
    """

    element_wise = True
    state_names: tuple[str, ...] = ()
    learning_rate: float

    @checks_kinds
    def __init__(self, model: Layer, groups: Groups | None = None, **settings: Any) -> None:
        name = type(self).__name__
        if not isinstance(model, Layer):
            raise ValueError(
                f"{name} expected a model to train, received {type(model).__name__}; "
                "pass the layer or container whose parameters are to move"
            )
        if not model.params:
            raise ValueError(f"{model.title} has no parameters to train")
        if groups is not None and not isinstance(groups, Mapping):
            raise ValueError(
                f"{name} expected groups as a dict of patterns to dicts of settings, received "
                f"{received(groups)}"
            )
        vars(self).update(check_settings(name, settings))
        self.made_with = {name: getattr(self, name) for name in settings}
        self.model, self.groups, self.steps = model, dict(groups or {}), 0
        self._overrides = overrides_by_name(name, self.groups, model.params, settings)
        self._version = -1
        self._blocks: tuple[tuple[int, ...], list[Block]] = (), []
        self.params = flatten(model)
        self.grads = FlatArrays(self.params)
        self.slots = {name: self._slot() for name in self.state_names}
        self.attach()

    @property
    def state(self) -> dict[str, Mapping[str, np.ndarray]]:
        return dict(self.slots)

    def check(self) -> None:
        """A ValueError where a setting was changed to what the constructor would refuse."""
        check_settings(type(self).__name__, {name: getattr(self, name) for name in self.made_with})

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        """The formula: change w and the state in place; g is only read."""
        raise NotImplementedError(f"{type(self).__name__} has no formula; write its update")

    def step(self, grads: Mapping[str, np.ndarray]) -> None:
        """Update every parameter from its gradient; `grads` is never written to."""
        if self._version != Structure.version:
            self.attach()
        try:
            known = grads.keys() == self._trained
        except AttributeError:
            raise ValueError(
                f"{type(self).__name__}.step expected the gradients by name, received "
                f"{received(grads)}; pass those of model.backward(dy)"
            ) from None
        if not known:
            self._check_names(grads)
        for name, grad in grads.items():
            if grad is not self.grads[name]:
                self._write(name, grad)
        self.advance(self.grads)

    def advance(self, grads: FlatArrays, part: int = 0, parts: int = 1) -> None:
        """One step from gradients that are laid out like the parameters, for a part of them."""
        self.steps += 1
        if self._groups:
            self._settle_groups()
        key = id(grads), part, parts
        if self._blocks[0] != key:
            of_all = [self.params, grads, *self.slots.values()]
            self._blocks = key, list(blocks_of(self._stretches, of_all, part, parts))
        for update, arrays in self._blocks[1]:
            update(*arrays)
        if self.steps % FLUSHED_EVERY == 0:
            for slot in self.slots.values():
                flush_tiny(slot, part, parts)

    def attach(self) -> None:
        """Move along, state and all, if the model's arrays were replaced since the last step."""
        if self._version == Structure.version:
            return
        if not self.params.attached(self.model):
            self._check_same_parameters()
            self._lay_out()
        self._trained = frozenset(self.model.trained)
        self._stretches = list(stretches(self.params, self._trained, self._likenesses()))
        self._blocks = (), []
        self.probed = self._smallest_of_the_first_layer()
        self._version = Structure.version

    def _smallest_of_the_first_layer(self) -> str:
        """The trained parameter whose gradient comes last and is soon looked through."""
        first = next((name for name in self.params if name in self._trained), "")
        layer = first.rpartition(".")[0]
        alike = [name for name in self._trained if name.rpartition(".")[0] == layer]
        return min(alike, key=lambda name: (self.params[name].size, name), default="")

    def move(self, allocate: Allocate) -> None:
        """Move parameters, gradients and state into vectors allocated by that function."""
        self._blocks = (), []
        self.params = flatten(self.model, allocate)
        self.grads = FlatArrays(self.params, allocate=allocate)
        self.slots = {name: self._slot(s, allocate) for name, s in self.slots.items()}

    def _lay_out(self) -> None:
        """Vectors for the arrays that the model has now, the state carried over by name."""
        self.params = flatten(self.model)
        self.grads = FlatArrays(self.params)
        self.slots = {name: self._slot(s) for name, s in self.slots.items()}

    def _slot(
        self, values: Mapping[str, np.ndarray] | None = None, allocate: Allocate = np.zeros
    ) -> FlatArrays:
        """A part of the state, laid out like the parameters; float32 for those in float16."""
        return FlatArrays(self.params, values, allocate, half=np.float32)

    def _check_same_parameters(self) -> None:
        """A RuntimeError where the state belongs to other parameters than the model has now."""
        before = {name: array.shape for name, array in self.params.items()}
        now = {name: array.shape for name, array in self.model.params.items()}
        if different := sorted(n for n in {*before, *now} if before.get(n) != now.get(n)):
            first = different[0]
            raise RuntimeError(
                f"the parameters of the model were replaced after this optimizer was made: "
                f"{first!r} was {before.get(first, 'not there')} and is "
                f"{now.get(first, 'gone')}; make a new {type(self).__name__} for the model"
            )

    def _likenesses(self) -> dict[str, Optimizer]:
        """For each parameter the optimizer whose attributes are its settings.

        That is this one, or a likeness of it for each group: the same formula, other numbers.
        """
        self._groups: list[tuple[Optimizer, dict[str, Any]]] = []
        found: dict[str, Optimizer] = {}
        for name in self.params:
            changes = self._overrides.get(name)
            if not changes:
                found[name] = self
                continue
            known = next((one for one, of in self._groups if of == changes), None)
            if known is None:
                known = object.__new__(type(self))
                self._groups.append((known, changes))
            found[name] = known
        self._settle_groups()
        return found

    def _settle_groups(self) -> None:
        """Give every likeness the settings of this step."""
        for likeness, changes in self._groups:
            vars(likeness).update(vars(self))
            vars(likeness).update(resolved(changes, vars(self)))

    def _write(self, name: str, grad: Any) -> None:
        """Copy a gradient that is not there yet into the flat vector."""
        if grad is None:
            self._refuse_names({name})
        try:
            grad = as_array(grad)
        except NotNumbersError as error:
            raise ValueError(f"the gradient of {name!r} {error}") from None
        if grad.dtype.kind not in "fiub":
            raise ValueError(
                f"the gradient of {name!r} expected real numbers, received {grad.dtype}; pass "
                "those of model.backward(dy)"
            )
        if np.shape(grad) != self.params[name].shape:
            raise ValueError(
                f"the gradient of {name!r} has shape {np.shape(grad)}, "
                f"the parameter {self.params[name].shape}"
            )
        self.grads[name][...] = grad

    def _check_names(self, grads: Mapping[str, Any]) -> None:
        """A ValueError where a gradient is missing, or one is of no parameter."""
        if wrong := (self._trained - grads.keys()) | (grads.keys() - self.params.keys()):
            self._refuse_names(wrong)

    @staticmethod
    def _refuse_names(wrong: set[str] | frozenset[str]) -> NoReturn:
        raise ValueError(
            f"gradients and parameters differ in {', '.join(sorted(wrong))}; pass the grads of "
            "model.backward(dy), or mend the gradient_pass that left one out"
        )

    def __getstate__(self) -> dict[str, Any]:
        """A copy holds the state by name; it lays its vectors out again with its own model."""
        left_out = ("params", "grads", "_blocks", "_stretches", "_groups", "_version")
        state = {key: value for key, value in vars(self).items() if key not in left_out}
        state["slots"] = {name: dict(arrays) for name, arrays in self.slots.items()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _version=-1, _blocks=((), []))
        self._lay_out()
        self.attach()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(learning_rate={self.learning_rate:g})"
