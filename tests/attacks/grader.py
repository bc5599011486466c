"""The same attacks through the real grader: submissions in folders, an assignment, items."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from nnscratch.grading.grade import Result, grade
from nnscratch.grading.sandbox.worker import Worker
from nnscratch.grading.spec import Assignment, read
from nnscratch.grading.submission import read_submission
from tests.attacks.assignment import HIDDEN_SEED, HONEST
from tests.attacks.place import Place, place, remains
from tests.attacks.study import Attack, corpus, traces

README = """# Three layers

| item | what | points | seconds |
|---|---|---|---|
| `square` | Square | 40 | 1 |
| `linear` | Linear | 30 | 1 |
| `softmax` | Softmax | 30 | 1 |
"""

ITEMS = """
from pathlib import Path

import numpy as np

import nnscratch as nn
from nnscratch.grading.checks import check
from nnscratch.grading.evidence import Reference, compare

TARGET = {"target.json": Path(__file__).with_name("target.json").read_bytes()}


@check("Square", beside=TARGET)
def square(student, rng):
    ours, theirs = Reference(nn.Square()), student.new("Square")
    x, dy = rng.normal(size=(2, 4, 3))
    yield ours.value(theirs.call("forward", x), x)
    yield from ours.gradients({"dx": theirs.call("backward", dy)}, x, dy=dy)


@check("Linear")
def linear(student, rng):
    ours = Reference(nn.Linear(400, 200, rng=rng))
    theirs = student.new("Linear", 400, 200)
    for key, value in ours.params.items():
        theirs.set(key, value)
    x, dy = rng.normal(size=(64, 400)), rng.normal(size=(64, 200))
    yield ours.value(theirs.call("forward", x), x)
    got = {"dx": theirs.call("backward", dy), "W": theirs.get("dW"), "b": theirs.get("db")}
    yield from ours.gradients(got, x, dy=dy)


@check("softmax")
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
    (folder / "README.md").write_text(README)
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


def graded(attack: Attack, level: int, where: Place) -> tuple[Result, list[str]]:
    """Grade an attack; what became of it, and what is wrong with that."""
    before = remains()
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        homework = write_homework(Path(folder, "hw0_attacks"), where.target)
        result = grade_attack(attack, level, homework, Path(folder, attack.name))
    points = {item.item.id: item.score for item in result.items}
    right = {item.id: item.points * (item.id != attack.item) for item in homework.items}
    faults = [f"{item} got {points[item]}" for item in points if points[item] != right[item]]
    return result, faults + traces(where, before)


def main(levels: Sequence[int]) -> int:
    """Print the table; 1 if an attack got points."""
    failed = count = 0
    print(f"{'attack':20} level  points  diagnosis of the attacked item")
    for level in levels:
        with Worker({}, level):
            pass
        with place() as where:
            for attack in corpus():
                result, faults = graded(attack, level, where)
                [item] = [item for item in result.items if item.item.id == attack.item]
                message = item.failed[0].message.splitlines()[0] if item.failed else "passed"
                print(f"{attack.name:20} {level:5}  {result.score:6}  {item.code}: {message:.90}")
                for fault in faults:
                    failed += 1
                    print(f"    FAULT: {fault}")
                count += 1
    print(f"\n{count} submissions, {failed} faults")
    return 1 if failed else 0
