"""The same attacks through the real grader: submissions in folders, homework.toml, items."""

from __future__ import annotations

from pathlib import Path

from nnscratch.grading.grade import Result, grade
from nnscratch.grading.spec import Assignment, read
from nnscratch.grading.submission import read_submission
from tests.attacks.assignment import HIDDEN_SEED, HONEST
from tests.attacks.study import Attack

TOML = """
title = "Three layers"

[[items]]
id = "square"
title = "Square"
points = 40
timeout = 1
given = ["target.json"]

[[items]]
id = "linear"
title = "Linear"
points = 30
timeout = 1

[[items]]
id = "softmax"
title = "Softmax"
points = 30
timeout = 1
"""

ITEMS = """
import numpy as np

import nnscratch as nn
from nnscratch.grading.evidence import Reference, compare


def square(student, rng):
    ours, theirs = Reference(nn.Square()), student.new("Square")
    x, dy = rng.normal(size=(2, 4, 3))
    yield ours.value(theirs.call("forward", x), x)
    yield from ours.gradients({"dx": theirs.call("backward", dy)}, x, dy=dy)


def linear(student, rng):
    ours = Reference(nn.Linear(400, 200, rng=rng))
    theirs = student.new("Linear", 400, 200)
    for key, value in ours.params.items():
        theirs.set(key, value)
    x, dy = rng.normal(size=(64, 400)), rng.normal(size=(64, 200))
    yield ours.value(theirs.call("forward", x), x)
    got = {"dx": theirs.call("backward", dy), "W": theirs.get("dW"), "b": theirs.get("db")}
    yield from ours.gradients(got, x, dy=dy)


def softmax(student, rng):
    x = 300 * rng.normal(size=(5, 4))
    expected = nn.Softmax().astype(np.float64).forward(x)
    yield compare("softmax", student.function("softmax", x), expected)
"""

STARTER = {
    "square.py": "class Square:\n    def forward(self, x):\n        raise NotImplementedError\n",
    "linear.py": "class Linear:\n    def forward(self, x):\n        raise NotImplementedError\n",
    "softmax.py": "def softmax(x):\n    raise NotImplementedError\n",
}


def write_homework(folder: Path, target: bytes) -> Assignment:
    """Write the assignment into a folder, and read it."""
    (folder / "starter").mkdir(parents=True)
    (folder / "homework.toml").write_text(TOML)
    (folder / "items.py").write_text(ITEMS)
    (folder / "target.json").write_bytes(target)
    for name, source in STARTER.items():
        (folder / "starter" / name).write_text(source)
    return read(folder)


def grade_attack(attack: Attack | None, level: int, homework: Assignment, folder: Path) -> Result:
    """Hand in an attack beside honest files, or only those, and grade it."""
    folder.mkdir()
    for name, source in HONEST.items():
        (folder / name).write_bytes(source)
    if attack is not None:
        (folder / f"{attack.item}.py").write_bytes(attack.source)
    submission = read_submission(folder, homework.starter)
    return grade(homework, submission, HIDDEN_SEED, level)
