"""The student's own classes together: does what they wrote learn?

Every other item judges a class by itself. A network whose layers do not fit each other, or whose
parameters cannot learn, passes all of them; here it is trained as a user would, and so is the
library's from the same parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnscratch.grading.checks import Check
from nnscratch.grading.draws import drawn
from nnscratch.grading.evidence import Reference, claim, compare
from nnscratch.grading.pair import Pair
from nnscratch.grading.student import Fault, Remote, Student, entry
from nnscratch.grading.verdicts import Comparison

STEPS = 6
BATCH = 6


def training_check(
    model: tuple[str, tuple[Any, ...]],
    make: Callable[..., Any],
    loss: tuple[str, Any],
    optimizer: tuple[str, Callable[..., Any], dict[str, float]],
    inputs: Any,
    remedy: str = "one for each pair of neighbours in sizes",
) -> Check:
    """A check that trains a student's network for some steps.

    Parameters
    ----------
    model : (name, arguments)
        The student's network, with `forward`, `backward` and `layers`, a list of objects with
        `params`.
    make : callable
        The library's network, from the same arguments.
    loss : (name, library's class)
    optimizer : (name, library's class, settings)
        The student's is made of (layers, **settings), the library's of (model, **settings).
    inputs : (Draw, Draw)
        Inputs and targets.
    remedy : str
        What is told where the network has another number of layers with parameters.
    """

    def run(student: Student, rng: np.random.Generator) -> Iterator[Comparison]:
        name, arguments = model
        theirs = student.new(name, *arguments)
        layers = theirs.get("layers", keep=True)
        ours = make(*arguments).astype(np.float64)
        with_params = [layer for layer in ours.layers if dict(layer.params)]
        listed = network_layers(layers, len(ours.layers) + 9)
        found = [layer for layer, has_params in listed if has_params]
        yield claim(
            "layers",
            len(found) == len(with_params),
            "layers_missing",
            f"self.layers of {name} has {len(found)} layers with parameters, "
            f"expected {len(with_params)}",
            remedy,
        )
        if len(found) != len(with_params):
            return
        for i, (remote, layer) in enumerate(zip(found, with_params, strict=True), 1):
            pair = Pair(remote, Reference(layer))
            claims = list(pair.built(f"{name}, layer {i}"))
            yield from claims
            if any(c.claim is not None and c.claim.verdict == "fail" for c in claims):
                return
            for key, value in pair.params.items():
                layer.params[key] = value
        judge, library_loss = student.new(loss[0]), loss[1]()
        steps = student.new(optimizer[0], layers, **optimizer[2])
        descent = optimizer[1](ours, **optimizer[2])
        for step in range(1, STEPS + 1):
            x, target = drawn(inputs, rng, BATCH)
            value = judge.call("forward", theirs.call("forward", x), target)
            theirs.call("backward", judge.call("backward"), keep=True)
            steps.call("step", keep=True)
            expected = library_loss.forward(ours.forward(x), target)
            _, grads = ours.backward(library_loss.backward())
            descent.step(grads)
            yield compare(f"loss in step {step}", value, expected)
        for i, (remote, layer) in enumerate(zip(found, with_params, strict=True), 1):
            trained = remote.get("params")
            for key, array in layer.params.items():
                got = entry(trained, key, "params")
                yield compare(f"{key} of layer {i} after {STEPS} steps", got, np.array(array))

    return Check(run, model[0], together=True)


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
