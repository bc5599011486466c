"""The student's own classes together: does what they wrote learn?

Every other item judges a class by itself. A network whose layers do not fit each other, or whose
parameters cannot learn, passes all of them; here it is trained as a user would, and so is the
library's from the same parameters.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import numpy as np

from nnscratch.grading.checks import Check
from nnscratch.grading.draws import drawn
from nnscratch.grading.evidence import Reference, claim, compare
from nnscratch.grading.faults import Fault
from nnscratch.grading.pair import Pair
from nnscratch.grading.remote import Remote, entry
from nnscratch.grading.student import Student
from nnscratch.grading.verdicts import Comparison

Named = tuple[str, tuple[Any, ...]]
STEPS = 6
BATCH = 6


class Theirs:
    """A student's network, loss and optimizer; what the student has not written is the library's.

    Attributes
    ----------
    layers : list of Remote
        Those with parameters.
    """

    def __init__(self, student: Student, model: Any, make: Callable[..., Any]) -> None:
        chained = isinstance(model, list)
        named = model if chained else [model]
        self.name = ", ".join(name for name, _ in named)
        self.parts = [student.new(name, *arguments) for name, arguments in named]
        self.ours = (make() if chained else make(*model[1])).astype(np.float64)
        self.listed = None if chained else self.parts[0].get("layers", keep=True)
        if self.listed is None:
            self.layers = self.parts
        else:
            found = network_layers(self.listed, len(self.ours.layers) + 9)
            self.layers = [layer for layer, has_params in found if has_params]

    def forward(self, x: Any) -> Any:
        for part in self.parts:
            x = part.call("forward", x)
        return x

    def backward(self, dy: Any) -> None:
        for part in reversed(self.parts[1:]):
            dy = part.call("backward", dy)
        self.parts[0].call("backward", dy, keep=True)


def training_check(
    model: Named | list[Named],
    make: Callable[..., Any],
    loss: Any,
    optimizer: tuple[Any, ...],
    inputs: Any,
    remedy: str = "one for each pair of neighbours in sizes",
) -> Check:
    """A check that trains a student's network for some steps.

    Parameters
    ----------
    model : (name, arguments), or a list of such pairs
        The student's network, with `forward`, `backward` and `layers`, a list of objects with
        `params`; a list is of layers, each with parameters, which are chained here.
    make : callable
        The library's network, of the same arguments; for a list of layers of none.
    loss : (name, library's class), or the library's class alone
        Alone where no loss is to be written.
    optimizer : (name, library's class, settings), or (library's class, settings)
        The student's is made of (layers, **settings), the library's of (model, **settings). Where
        none is to be written the library's moves the student's parameters, by the gradients in
        the layers' `grads`.
    inputs : (Draw, Draw)
        Inputs and targets.
    remedy : str
        What is told where the network has another number of layers with parameters.
    """

    def run(student: Student, rng: np.random.Generator) -> Iterator[Comparison]:
        theirs = Theirs(student, model, make)
        if not (yield from _built_alike(theirs, remedy)):
            return
        value_of = _loss(student, loss)
        step_of = _optimizer(student, optimizer, theirs)
        library_loss = (loss[1] if isinstance(loss, tuple) else loss)()
        descent = optimizer[-2](theirs.ours, **optimizer[-1])
        for step in range(1, STEPS + 1):
            x, target = drawn(inputs, rng, BATCH)
            value, dy = value_of(theirs.forward(x), target)
            theirs.backward(dy)
            step_of()
            expected = library_loss.forward(theirs.ours.forward(x), target)
            _, grads = theirs.ours.backward(library_loss.backward())
            descent.step(grads)
            yield compare(f"loss in step {step}", value, expected)
        for i, (remote, layer) in enumerate(_pairs(theirs), 1):
            trained = remote.get("params")
            for key, array in layer.params.items():
                got = entry(trained, key, "params")
                yield compare(f"{key} of layer {i} after {STEPS} steps", got, np.array(array))

    first, _ = model[0] if isinstance(model, list) else model
    return Check(run, first, together=True)


def _built_alike(theirs: Theirs, remedy: str) -> Generator[Comparison, None, bool]:
    """Whether the two networks have the same layers; the library's gets the student's numbers."""
    count, expected = len(theirs.layers), len(_with_params(theirs.ours))
    if theirs.listed is not None:
        yield claim(
            "layers",
            count == expected,
            "layers_missing",
            f"self.layers of {theirs.name} has {count} layers with parameters, expected {expected}",
            remedy,
        )
    if count != expected:
        return False
    for i, (remote, layer) in enumerate(_pairs(theirs), 1):
        pair = Pair(remote, Reference(layer))
        claims = list(pair.built(f"{theirs.name}, layer {i}"))
        yield from claims
        if any(c.claim is not None and c.claim.verdict == "fail" for c in claims):
            return False
        for key, value in pair.params.items():
            layer.params[key] = value
    return True


def _pairs(theirs: Theirs) -> list[tuple[Remote, Any]]:
    """Each layer of the student's that has parameters, with the library's."""
    return list(zip(theirs.layers, _with_params(theirs.ours), strict=True))


def _with_params(model: Any) -> list[Any]:
    """The layers of the library's network that have parameters; itself where it is one layer."""
    return [layer for layer in model.layers or [model] if dict(layer.params)]


def _loss(student: Student, loss: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    """A function of (prediction, target) that gives the loss and the gradient."""
    if isinstance(loss, tuple):
        judge = student.new(loss[0])
        return lambda y, target: (judge.call("forward", y, target), judge.call("backward"))

    def given(y: Any, target: Any) -> tuple[Any, Any]:
        judge = loss()
        try:
            value = judge.forward(np.asarray(y, np.float64), target)
        except (TypeError, ValueError) as error:  # a prediction of another kind or shape
            raise Fault("shape", f"what forward returned is no prediction: {error}") from None
        return float(value), np.asarray(judge.backward(), np.float64)

    return given


def _optimizer(student: Student, optimizer: Sequence[Any], theirs: Theirs) -> Callable[[], Any]:
    """A function that moves the student's parameters once."""
    if isinstance(optimizer[0], str):
        name, _, settings = optimizer
        layers = theirs.parts if theirs.listed is None else theirs.listed
        steps = student.new(name, layers, **settings)
        return lambda: steps.call("step", keep=True)
    kind, settings = optimizer
    copies = [copy.deepcopy(layer) for layer in _with_params(theirs.ours)]
    descents = [kind(layer, **settings) for layer in copies]

    def step() -> None:
        for remote, layer, descent in zip(theirs.layers, copies, descents, strict=True):
            grads = remote.get("grads")
            try:
                named = {k: np.asarray(entry(grads, k), np.float64) for k in layer.params}
                descent.step(named)
            except (TypeError, ValueError) as error:  # no numbers, or another shape
                raise Fault("shape", f"the gradients do not fit the parameters: {error}") from None
            remote.set("params", {key: np.array(array) for key, array in layer.params.items()})

    return step


def network_layers(layers: Remote, most: int) -> list[tuple[Remote, bool]]:
    """The entries of a student's list of layers, each with whether it has parameters."""
    found = []
    for i in range(most):
        try:
            layer = layers.item(i, keep=True)
            params = layer.get("params")
        except Fault:  # past the end, or no layer at all
            break
        found.append((layer, isinstance(params, dict) and bool(params)))
    return found
