"""That an assignment is sound: what is right gets everything, what is wrong loses what it must.

The solution and its variants in right/ get all points; the starter, which is the solution without
what is marked, gets none, with every item "not implemented"; each mistake of mistakes.toml loses
exactly the items that it says, with the diagnosis that it says, on every seed; each mutant of the
solution loses something, or is listed there as no mistake; answers without any sense get nothing
and break nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tqdm import tqdm

from nnscratch.grading.grade import Result, grade
from nnscratch.grading.mutants import mutants
from nnscratch.grading.planted import planted, read_mistakes
from nnscratch.grading.spec import POINTS, Assignment, GraderFault
from nnscratch.grading.starter import starters, without_marks
from nnscratch.grading.submission import Submission
from nnscratch.grading.variants import Files, merged, odd

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
    targets : sequence of str
        The classes and functions that were changed.
    """

    kind: str
    name: str
    files: Files
    expected: Mapping[str, str | None]
    targets: Sequence[str] = ()


@dataclass
class Proof:
    """What was shown, and what was not.

    Attributes
    ----------
    failures : list of str
    runs : Counter
        By kind of case the submissions that were graded.
    confusion : Counter
        (diagnosis that a planted mistake must get, that it got), by items and seeds.
    survivors : list of str
        Mutants that lose nothing.
    equal : dict of str to str
        Why those of them that are listed are no mistakes.
    """

    assignment: Assignment
    seeds: int
    level: int
    failures: list[str] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    survivors: list[str] = field(default_factory=list)
    equal: dict[str, str] = field(default_factory=dict)

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
        lines += [
            f"mutant without loss: {name} ({self.equal.get(name, 'no reason is given')})"
            for name in self.survivors
        ]
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
        0, 1, ... so many. Mutants and answers without sense are graded on the first alone, and so
        are those items of planted mistakes that judge other classes than the changed one.
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
    cases = list(_cases(assignment, proof))
    proof.cases = Counter(case.kind for case in cases)
    once = ("odd", "mutant")
    tasks = [(c, seed) for c in cases for seed in range(1 if c.kind in once else seeds)]
    brought: set[str] = set()
    failed: dict[tuple[str, str], list[int]] = {}
    _ = assignment.checks  # read once, before the threads
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda task: _run(assignment, task[0], task[1], level), tasks)
        progress = tqdm(results, total=len(tasks), disable=None if bar else True, unit="run")
        for (case, seed), result in zip(tasks, progress, strict=True):
            proof.runs[case.kind] += 1
            if isinstance(result, Result):
                parts = [
                    part
                    for item in result.items
                    for part, check in zip(item.parts, assignment.checks[item.item.id], strict=True)
                    if not check.together  # which may be lost by any mistake, so none is planted
                ]
                brought |= {code for part in parts for code in part.hypotheses}
            for failure in _compare(case, result, proof):
                failed.setdefault((f"{case.kind} {case.name}", failure), []).append(seed)
    for (name, failure), where in failed.items():
        some = ", ".join(map(str, where[:5])) + (", ..." if len(where) > 5 else "")
        proof.failures.append(f"{name}: {failure} (seed {some})")
    reached = {got for _, got in proof.confusion}
    if unreached := sorted(brought - reached - EVERYWHERE):
        proof.failures.append(f"no planted mistake reaches the items' own {', '.join(unreached)}")
    for name in sorted(set(proof.equal) - set(proof.survivors)):
        proof.failures.append(f"mistakes.toml lists {name!r} as equal, which loses something")
    return proof


def _run(assignment: Assignment, case: Case, seed: int, level: int) -> Result | str:
    submission = Submission(case.name, case.files)
    targets = _targets(assignment)
    try:
        if case.kind == "planted" and seed > 0:
            # The first seed has shown that no other item is touched by the change.
            items = [i for i in assignment.items if set(case.targets) & set(targets[i.id])]
            return grade(assignment, submission, seed, level, items)
        if case.kind != "mutant":
            return grade(assignment, submission, seed, level)
        # Item by item, those of the changed class first, until one is lost: most lose the first.
        items = sorted(assignment.items, key=lambda i: not set(case.targets) & set(targets[i.id]))
        for item in items:
            result = grade(assignment, submission, seed, level, [item])
            if not result.items[0].passed:
                break
        return result
    except GraderFault as fault:
        return str(fault)


def _compare(case: Case, result: Result | str, proof: Proof) -> Iterator[str]:
    """What is not as it must be."""
    if isinstance(result, str):
        yield f"fault of the grader: {result}"
        return
    if case.kind == "mutant":
        if result.items[-1].passed:
            proof.survivors.append(case.name)
            if case.name not in proof.equal:
                yield "loses nothing"
        return
    for item in result.items:
        if item.item.id not in case.expected:
            continue
        expected, got = case.expected[item.item.id], item.code
        if case.kind == "planted" and (expected or got):
            proof.confusion[expected or "pass", got] += 1
        if expected is None and item.passed:
            yield f"{item.item.id} passes"
        elif expected is not None and (got != expected or item.passed != (expected == PASS)):
            yield f"{item.item.id} is {got or 'pass'}, expected {expected or 'pass'}"


def _targets(assignment: Assignment) -> dict[str, list[str]]:
    """What each item judges."""
    return {
        name: list(dict.fromkeys(check.target for check in checks if check.target))
        for name, checks in assignment.checks.items()
    }


def _cases(assignment: Assignment, proof: Proof) -> Iterator[Case]:
    folder = assignment.folder
    ids = [item.id for item in assignment.items]
    right: dict[str, str | None] = dict.fromkeys(ids, PASS)
    solution = {
        path.name: without_marks(path.read_text(encoding="utf-8")).encode()
        for path in sorted(folder.glob("solution/*.py"))
    }
    yield Case("solution", "itself", solution, right)
    for path in sorted(folder.glob("right/*.py")):
        yield Case("right", path.stem, merged(solution, path.read_bytes(), path.name), right)
    yield Case("starter", "itself", assignment.starter, dict.fromkeys(ids, "not_implemented"))
    mistakes, proof.equal = read_mistakes(folder / "mistakes.toml")
    # What runs the student's own classes together may be lost by any mistake in them.
    apart = {
        name: PASS
        for name, checks in assignment.checks.items()
        if not any(check.together for check in checks)
    }
    targets = _targets(assignment)
    for mistake in planted(mistakes, solution, targets, proof.failures):
        judged = [target for item in mistake.lost for target in targets.get(item, ())]
        yield Case("planted", mistake.name, mistake.files, apart | mistake.lost, judged)
    for name, target, files in mutants(solution):
        yield Case("mutant", name, files, {}, [target])
    for name, files in odd(assignment.starter):
        yield Case("odd", name, files, dict.fromkeys(ids))


def static_failures(assignment: Assignment) -> list[str]:
    """What does not fit in the files, before anything runs."""
    folder, failures = assignment.folder, []
    if assignment.points != POINTS:
        failures.append(f"the points sum to {assignment.points}, expected {POINTS}")
    solution = {path.name for path in folder.glob("solution/*.py")}
    if solution != set(assignment.starter):
        failures.append(f"starter/ has {sorted(assignment.starter)}, solution/ {sorted(solution)}")
    for path, text in starters(folder).items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            failures.append(
                f"{path} is not what the solution gives; write it: "
                f"nnscratch homework prove {assignment.name} --write-starter"
            )
    return failures
