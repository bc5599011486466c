"""Run the corpus and print: attack, level, what the items got, what stopped it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.sandbox.worker import Worker
from tests.attacks.assignment import HONEST, ITEMS, Outcome, judge
from tests.attacks.place import Place, place, remains

CORPUS = Path(__file__).parent / "corpus"
# Wide enough for honest items on a busy machine; an attack names the limit that it runs into.
LIMITS = {"wall": 200.0, "cpu": 4.0}


@dataclass(frozen=True)
class Attack:
    """A file of the corpus, with what its docstring says.

    Attributes
    ----------
    row : str
        The line of the design that it belongs to.
    stopped_by : str
        A pattern of what stops it.
    item : str
        The item that it attacks; its file replaces the honest one.
    limits : Limits
        Of the attacked item.
    """

    name: str
    what: str
    row: str
    stopped_by: str
    item: str
    limits: Limits
    source: bytes

    def files(self, target: bytes) -> dict[str, bytes]:
        """What is handed in."""
        return {**HONEST, f"{self.item}.py": self.source, "target.json": target}


def corpus() -> list[Attack]:
    """Return every attack, by row and name."""
    return sorted((_read(path) for path in CORPUS.glob("*.py")), key=lambda a: (a.row, a.name))


def _read(path: Path) -> Attack:
    text = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    what, _, rest = text.partition("\n\n")
    fields = dict(line.split(": ", 1) for line in rest.splitlines())
    limits: dict[str, float | int] = dict(LIMITS)
    for assignment in filter(None, fields.get("limits", "").split(", ")):
        name, _, value = assignment.partition("=")
        limits[name] = float(value) if name in LIMITS else int(value)
    return Attack(
        path.stem,
        what,
        fields["row"],
        fields["stopped by"],
        fields.get("item", "square"),
        Limits(**limits),  # type: ignore[arg-type]  # floats and ints by name
        path.read_bytes(),
    )


@dataclass(frozen=True)
class Result:
    """What the items of an attack's submission got, and what is wrong with that (should be "")."""

    attack: Attack
    level: int
    outcomes: dict[str, Outcome]
    faults: tuple[str, ...]

    @property
    def stopped_by(self) -> str:
        return self.outcomes[self.attack.item].stopped_by


def run(attack: Attack, level: int, where: Place) -> Result:
    """Grade one submission, and look for what it reached and left."""
    before = remains()
    files = attack.files(where.target)
    outcomes = {
        item: judge(item, files, level, attack.limits if item == attack.item else Limits(**LIMITS))
        for item in ITEMS
    }
    faults = []
    for item, outcome in outcomes.items():
        if outcome.points != (item != attack.item):
            faults.append(f"{item} got {outcome.points}: {outcome.stopped_by}")
        if where.secret in outcome.output + outcome.stopped_by:
            faults.append("it found the secret")
    stopped_by = outcomes[attack.item].stopped_by
    if not re.search(attack.stopped_by, stopped_by):
        faults.append(f"stopped by something else: {stopped_by}")
    faults += traces(where, before)
    return Result(attack, level, outcomes, tuple(faults))


def traces(where: Place, before: dict[str, object]) -> list[str]:
    """What was reached or left since ``before``."""
    found = []
    if names := where.read():
        found.append(f"it read {names}")
    if names := where.changed():
        found.append(f"it changed {names}")
    if where.visited():
        found.append("it connected")
    after = remains()
    return found + [f"left: {key}: {after[key]}" for key in after if _more(before[key], after[key])]


def _more(before: object, after: object) -> bool:
    """Whether something is there that was not; of a count, what earlier tests held may go."""
    if isinstance(before, int) and isinstance(after, int):
        return after > before
    return after != before


def results(levels: Sequence[int], attacks: Sequence[Attack]) -> Iterator[Result]:
    """Run the attacks at each level."""
    for level in levels:
        with Worker({}, level):  # the slot that all of them use is open before they are compared
            pass
        for attack in attacks:
            with place() as where:
                yield run(attack, level, where)


def main(levels: Sequence[int]) -> int:
    """Print the table; 1 if an attack was not stopped, or stopped by something else."""
    attacks = corpus()
    print(f"{len(attacks)} attacks\n")
    print(f"{'attack':20} level  {'  '.join(ITEMS)}  what stopped it")
    failed = count = 0
    row = ""
    for result in results(levels, attacks):
        if result.attack.row != row:
            row = result.attack.row
            print(f"\n{row}")
        points = "  ".join(
            f"{outcome.points:{len(item)}}" for item, outcome in result.outcomes.items()
        )
        print(f"{result.attack.name:20} {result.level:5}  {points}  {result.stopped_by:.100}")
        for fault in result.faults:
            failed += 1
            print(f"    FAULT: {fault}")
        count += 1
    print(f"\n{count} runs, {failed} faults")
    return 1 if failed else 0
