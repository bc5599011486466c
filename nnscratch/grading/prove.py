"""That an assignment is sound: what is right gets everything, what is wrong loses what it must.

The solution and its variants in right/ get all points; the starter gets none, with every item
"not implemented"; each file in wrong/ loses exactly the items that wrong.toml says, with the
diagnosis that it says, on every seed; answers without any sense get nothing and break nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tqdm import tqdm

from nnscratch.grading.grade import Result, grade
from nnscratch.grading.spec import POINTS, Assignment, GraderFault
from nnscratch.grading.submission import Submission
from nnscratch.grading.variants import Files, merged, odd

PASS = ""


@dataclass(frozen=True)
class Case:
    """One submission and what must become of it.

    Attributes
    ----------
    kind : str
        "solution", "right", "starter", "wrong" or "odd".
    name : str
    files : dict of str to bytes
    expected : dict of str to str or None
        By item the diagnosis, "" for a pass; None where any will do but a pass.
    """

    kind: str
    name: str
    files: Files
    expected: dict[str, str | None]


@dataclass
class Proof:
    """What was shown, and what was not.

    Attributes
    ----------
    failures : list of str
    runs : Counter
        By kind of case the submissions that were graded.
    confusion : Counter
        (diagnosis that a wrong file must get, that it got), by items and seeds.
    """

    assignment: Assignment
    seeds: int
    level: int
    failures: list[str] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        return not self.failures

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
            f"{sum(self.cases.values())} submissions ({kinds}), {sum(self.runs.values())} graded, "
            f"{self.seeds} seeds, sandbox level {self.level}"
        )
        lines += [f"FAILED {failure}" for failure in self.failures]
        outcome = "proved" if self.ok else f"{len(self.failures)} failures"
        lines.append(f"{self.assignment.name}: {outcome}")
        return "\n".join(lines)


def prove(
    assignment: Assignment, seeds: int, level: int, jobs: int = 1, bar: bool = False
) -> Proof:
    """Grade everything that an assignment comes with, and look whether it is as it must be.

    Parameters
    ----------
    assignment : Assignment
        From a checkout: solutions and planted mistakes are in no wheel.
    seeds : int
        0, 1, ... so many. Answers without sense are graded on the first alone.
    level, jobs : int
        As in `grade_class`.
    bar : bool
        Show the progress.

    Raises
    ------
    ValueError
        There is no solution, or a file of the assignment cannot be read.
    """
    if not any(assignment.folder.glob("solution/*.py")):
        raise ValueError(
            f"{assignment.name} has no solution/ here: proofs need a checkout of the repository, "
            "as the wheel carries no solutions and no planted mistakes"
        )
    proof = Proof(assignment, seeds, level)
    proof.failures += static_failures(assignment)
    cases = list(_cases(assignment))
    proof.cases = Counter(case.kind for case in cases)
    tasks = [(c, seed) for c in cases for seed in range(1 if c.kind == "odd" else seeds)]
    brought: set[str] = set()
    failed: dict[tuple[str, str], list[int]] = {}
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda task: _run(assignment, task[0], task[1], level), tasks)
        progress = tqdm(results, total=len(tasks), disable=None if bar else True, unit="run")
        for (case, seed), result in zip(tasks, progress, strict=True):
            proof.runs[case.kind] += 1
            if isinstance(result, Result):
                brought |= {code for item in result.items for code in item.hypotheses}
            for failure in _compare(case, result, proof):
                failed.setdefault((f"{case.kind} {case.name}", failure), []).append(seed)
    for (name, failure), where in failed.items():
        some = ", ".join(map(str, where[:5])) + (", ..." if len(where) > 5 else "")
        proof.failures.append(f"{name}: {failure} (seed {some})")
    reached = {got for _, got in proof.confusion}
    if unreached := sorted(brought - reached):
        proof.failures.append(f"no wrong file reaches the items' own {', '.join(unreached)}")
    return proof


def _run(assignment: Assignment, case: Case, seed: int, level: int) -> Result | str:
    try:
        return grade(assignment, Submission(case.name, case.files), seed, level)
    except GraderFault as fault:
        return str(fault)


def _compare(case: Case, result: Result | str, proof: Proof) -> Iterator[str]:
    """What is not as it must be."""
    if isinstance(result, str):
        yield f"fault of the grader: {result}"
        return
    for item in result.items:
        expected, got = case.expected[item.item.id], item.code
        if case.kind == "wrong" and (expected or got):
            proof.confusion[expected or "pass", got] += 1
        if expected is None and item.passed:
            yield f"{item.item.id} passes"
        elif expected is not None and (got != expected or item.passed != (expected == PASS)):
            yield f"{item.item.id} is {got or 'pass'}, expected {expected or 'pass'}"


def _cases(assignment: Assignment) -> Iterator[Case]:
    folder = assignment.folder
    ids = [item.id for item in assignment.items]
    right: dict[str, str | None] = dict.fromkeys(ids, PASS)
    solution = {path.name: path.read_bytes() for path in sorted(folder.glob("solution/*.py"))}
    yield Case("solution", "itself", solution, right)
    for path in sorted(folder.glob("right/*.py")):
        yield Case("right", path.stem, merged(solution, path.read_bytes(), path.name), right)
    yield Case("starter", "itself", assignment.starter, dict.fromkeys(ids, "not_implemented"))
    lost = _losses(assignment)
    for path in sorted(folder.glob("wrong/*.py")):
        files = merged(solution, path.read_bytes(), path.name)
        yield Case("wrong", path.stem, files, right | lost.get(path.stem, {}))
    for name, files in odd(assignment.starter):
        yield Case("odd", name, files, dict.fromkeys(ids))


def _losses(assignment: Assignment) -> dict[str, dict[str, str | None]]:
    path = assignment.folder / "wrong" / "wrong.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def static_failures(assignment: Assignment) -> list[str]:
    """What does not fit in the files, before anything runs."""
    folder, failures = assignment.folder, []
    if assignment.points != POINTS:
        failures.append(f"the points sum to {assignment.points}, expected {POINTS}")
    solution = {path.name for path in folder.glob("solution/*.py")}
    if solution != set(assignment.starter):
        failures.append(f"starter/ has {sorted(assignment.starter)}, solution/ {sorted(solution)}")
    losses, ids = _losses(assignment), {item.id for item in assignment.items}
    files = {path.stem for path in folder.glob("wrong/*.py")}
    for name in sorted(files ^ set(losses)):
        failures.append(f"wrong {name} is in only one of wrong/ and wrong.toml")
    for name, lost in losses.items():
        if not lost or not set(lost) <= ids:
            failures.append(f"wrong.toml: {name} must lose some of the items, has {sorted(lost)}")
    return failures + list(_readme_failures(assignment))


def _readme_failures(assignment: Assignment) -> Iterator[str]:
    """README rows `| id | title | points |` against the toml."""
    path = assignment.folder / "README.md"
    readme = path.read_text(encoding="utf-8") if path.is_file() else ""
    rows = re.findall(r"^\|\s*`(\w+)`\s*\|\s*(.+?)\s*\|\s*(\d+)\s*\|\s*$", readme, re.M)
    told = {name: (title, int(points)) for name, title, points in rows}
    for item in assignment.items:
        if item.id not in told:
            yield f"README.md has no row | `{item.id}` | {item.title} | {item.points} |"
        elif told[item.id] != (item.title, item.points):
            title, points = told[item.id]
            yield (
                f"README.md has {item.id} as {title!r} with {points} points, homework.toml as "
                f"{item.title!r} with {item.points}"
            )
    for name in sorted(set(told) - {item.id for item in assignment.items}):
        yield f"README.md has a row for {name}, which homework.toml has not"
