"""What a proof must show of each submission, and what it has shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nnscratch.grading.grade import ItemResult
from nnscratch.grading.reach import Reach
from nnscratch.grading.spec import Assignment
from nnscratch.grading.submission import Submission
from nnscratch.grading.variants import Files

PASS = ""
# Diagnoses that the framework brings along wherever they may apply.
EVERYWHERE = {"built_shape", "built_values", "mutated_params", "overwritten", "stale_params"}


@dataclass(frozen=True)
class Case:
    """One submission and what must become of it.

    Attributes
    ----------
    kind : str
        "solution", "right", "starter", "planted", "mutant" or "odd".
    name : str
    files : dict of str to bytes
    expected : dict of str to str or None
        By item the diagnosis, "" for a pass; None where any will do but a pass.
    changed : sequence of str
        The classes and functions that differ from the solution, for a mutant.
    """

    kind: str
    name: str
    files: Files
    expected: Mapping[str, str | None]
    changed: Sequence[str] = ()

    @cached_property
    def submission(self) -> Submission:
        return Submission(self.name, self.files)

    @cached_property
    def reach(self) -> Reach:
        return Reach(self.files)


@dataclass
class Proof:
    """What was shown, and what was not.

    Attributes
    ----------
    failures : list of str
    cases : Counter
        By kind the submissions.
    runs : Counter
        By kind how often one was judged, on one seed each.
    items : int
        How often an item had to run for that.
    confusion : Counter
        (diagnosis that a planted mistake must get, that it got), by items and seeds.
    survivors : list of str
        Mutants that lose nothing on the first seed.
    equal : dict of str to str
        Why those of them that are listed are no mistakes.
    brought : set of str
        The diagnoses that the items have of their own.
    """

    assignment: Assignment
    seeds: int
    level: int
    failures: list[str] = field(default_factory=list)
    cases: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    items: int = 0
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    survivors: list[str] = field(default_factory=list)
    equal: dict[str, str] = field(default_factory=dict)
    brought: set[str] = field(default_factory=set)
    _failed: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.failures

    def take(self, case: Case, seed: int, results: Sequence[ItemResult] | str) -> None:
        """Look at what became of a case, item by item; a text is a fault of the grader."""
        self.runs[case.kind] += 1
        if isinstance(results, str):
            wrong: Iterator[str] = iter([f"fault of the grader: {results}"])
        elif case.kind == "mutant":
            wrong = self._mutant(case, seed, results)
        else:
            wrong = self._items(case, results)
        for words in wrong:
            self._failed.setdefault((f"{case.kind} {case.name}", words), []).append(seed)

    def _mutant(self, case: Case, seed: int, results: Sequence[ItemResult]) -> Iterator[str]:
        if results[-1].passed and seed == 0:
            self.survivors.append(case.name)
            if case.name not in self.equal:
                yield "loses nothing"
        elif seed > 0 and not results[-1].passed:
            yield f"is listed as equal, and loses {results[-1].item.id}"

    def _items(self, case: Case, results: Sequence[ItemResult]) -> Iterator[str]:
        for item in results:
            self._bring(item)
            if item.item.id not in case.expected:
                continue
            expected, got = case.expected[item.item.id], item.code
            if case.kind == "planted" and (expected or got):
                self.confusion[expected or "pass", got] += 1
            if expected is None and item.passed:
                yield f"{item.item.id} passes"
            elif expected is not None and (got != expected or item.passed != (expected == PASS)):
                yield f"{item.item.id} is {got or 'pass'}, expected {expected or 'pass'}"

    def _bring(self, item: ItemResult) -> None:
        checks = self.assignment.checks[item.item.id]
        for part, check in zip(item.parts, checks, strict=True):
            if not check.together:  # which may be lost by any mistake, so none is planted
                self.brought |= part.hypotheses

    def conclude(self) -> None:
        """Once everything was taken: the failures of all of it."""
        for (name, failure), where in self._failed.items():
            some = ", ".join(map(str, where[:5])) + (", ..." if len(where) > 5 else "")
            self.failures.append(f"{name}: {failure} (seed {some})")
        reached = {got for _, got in self.confusion}
        if unreached := sorted(self.brought - reached - EVERYWHERE):
            names = ", ".join(unreached)
            self.failures.append(f"no planted mistake reaches the items' own {names}")
        for name in sorted(set(self.equal) - set(self.survivors)):
            self.failures.append(f"mistakes.toml lists {name!r} as equal, which loses something")

    def text(self) -> str:
        """The confusion table of the diagnoses, and the outcome."""
        codes = sorted({planted for planted, _ in self.confusion})
        width = max([len("diagnosis"), *map(len, codes)])
        lines = [f"{self.assignment.name}: {self.assignment.title}", ""]
        lines.append(f"{'diagnosis':<{width}}  planted  named so  named otherwise")
        for code in codes:
            named = {got: n for (planted, got), n in self.confusion.items() if planted == code}
            others = ", ".join(
                f"{got or 'pass'} {n}" for got, n in sorted(named.items()) if got != code
            )
            total = sum(named.values())
            lines.append(f"{code:<{width}}  {total:>7}  {named.get(code, 0):>8}  {others}".rstrip())
        lines.append("")
        kinds = ", ".join(f"{n} {kind}" for kind, n in self.cases.items())
        lines.append(
            f"{sum(self.cases.values())} submissions ({kinds}) on {self.seeds} "
            f"{'seed' if self.seeds == 1 else 'seeds'}, {self.items} items run, "
            f"sandbox level {self.level}"
        )
        lines += [
            f"mutant without loss: {name} ({self.equal.get(name, 'no reason is given')})"
            for name in self.survivors
        ]
        lines += [f"FAILED {failure}" for failure in self.failures]
        outcome = "proved" if self.ok else f"{len(self.failures)} failures"
        lines.append(f"{self.assignment.name}: {outcome}")
        return "\n".join(lines)
