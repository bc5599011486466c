"""A homework of three items, each with a file of its own, and a judge that trusts nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nnscratch as nn
from nnscratch.grading.sandbox.errors import WorkerError
from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.sandbox.worker import Worker

HIDDEN_SEED = 7
PUBLIC_SEED = 0
HONEST = {path.name: path.read_bytes() for path in Path(__file__).parent.glob("honest/*.py")}


class Wrong(Exception):
    """What came back is a value, and not the right one."""


@dataclass(frozen=True)
class Outcome:
    """What an item got, of 1; what stopped it; how many workers it took; what it printed."""

    points: int
    stopped_by: str
    output: str = ""
    seconds: float = 0.0


def same(name: str, got: object, expected: np.ndarray) -> None:
    if got is None:
        raise Wrong(f"{name}: returned None")
    if type(got) is not np.ndarray:
        raise Wrong(f"{name}: returned a {type(got).__name__}; values differ")
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=1e-6, atol=1e-9):
        raise Wrong(f"{name}: values differ")


def square(worker: Worker, rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(2, 4, 3))
    reference = nn.Square()
    layer = worker.new("square", "Square")
    same("forward", worker.call(layer, "forward", x), reference.forward(x))
    same("backward", worker.call(layer, "backward", dy), reference.backward(dy)[0])


def linear(worker: Worker, rng: np.random.Generator) -> None:
    """Large: two forwards for each of 100 000 elements take longer than the limit allows."""
    reference = nn.Linear(400, 200, rng=rng).astype(np.float64)
    x, dy = rng.normal(size=(64, 400)), rng.normal(size=(64, 200))
    layer = worker.new("linear", "Linear", 400, 200)
    for key in ("W", "b"):
        worker.set(layer, key, reference.params[key])
    same("forward", worker.call(layer, "forward", x), reference.forward(x))
    dx, grads = reference.backward(dy)
    same("dx", worker.call(layer, "backward", dy), dx)
    same("dW", worker.get(layer, "dW"), grads["W"])
    same("db", worker.get(layer, "db"), grads["b"])


def softmax(worker: Worker, rng: np.random.Generator) -> None:
    x = 300 * rng.normal(size=(5, 4))
    got = worker.function("softmax", "softmax", x)
    same("softmax", got, nn.Softmax().astype(np.float64).forward(x))


ITEMS: Mapping[str, Callable[[Worker, np.random.Generator], None]] = {
    "square": square,
    "linear": linear,
    "softmax": softmax,
}


def judge(
    item: str,
    files: Mapping[str, bytes],
    level: int | None,
    limits: Limits,
    seed: int = HIDDEN_SEED,
) -> Outcome:
    """Points only if every comparison was made here and none failed; a fault of ours is raised."""
    worker = Worker(files, level, limits)
    stopped_by = "nothing"
    points = 0
    try:
        with worker:
            ITEMS[item](worker, np.random.default_rng(seed))
        points = 1
    except Wrong as wrong:
        stopped_by = str(wrong)
    except WorkerError as error:
        stopped_by = str(error)
    return Outcome(points, stopped_by, worker.output, worker.wall_seconds)
