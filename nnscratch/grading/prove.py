"""That an assignment is sound: what is right gets everything, what is wrong loses what it must.

The solution and its variants in right/ get all points; the starter, which is the solution without
what is marked, gets none, with every item "not implemented"; each mistake of mistakes.toml loses
exactly the items that it says, with the diagnosis that it says, on every seed; each mutant of the
solution loses something, or is listed there as no mistake; answers without any sense get nothing
and break nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tqdm import tqdm

from nnscratch.grading.grade import ItemResult
from nnscratch.grading.mutants import mutants
from nnscratch.grading.planted import planted, read_mistakes
from nnscratch.grading.proof import PASS, Case, Proof
from nnscratch.grading.reach import Judge
from nnscratch.grading.spec import POINTS, Assignment, GraderFault
from nnscratch.grading.starter import starters, without_marks
from nnscratch.grading.variants import merged, odd

ON_EVERY_SEED = ("solution", "right", "starter", "planted")


def prove(
    assignment: Assignment, seeds: int, level: int, jobs: int = 1, bar: bool = False
) -> Proof:
    """Grade everything that an assignment comes with, and look whether it is as it must be.

    Parameters
    ----------
    assignment : Assignment
        From a checkout: solutions and planted mistakes are in no wheel.
    seeds : int
        0, 1, ... so many. Mutants that lose something there and answers without sense are graded
        on the first alone. An item is run once on a seed for all that it cannot tell apart (see
        reach.py).
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
    _ = assignment.checks  # read once, before the threads
    judge = Judge(assignment, level)
    with ThreadPoolExecutor(jobs) as pool, tqdm(disable=None if bar else True, unit="run") as shown:

        def look(several: Sequence[Case], seed: int) -> None:
            shown.total = len(several) + (shown.total or 0)
            results = pool.map(lambda case: _judged(judge, case, seed), several)
            for case, result in zip(several, results, strict=True):
                proof.take(case, seed, result)
                shown.update()

        # The solution is the first of each seed: with it most items of the others are judged.
        look(cases, 0)
        # A mutant that lost something has done so; one that is said to be no mistake is none ever.
        equal = set(proof.survivors) & set(proof.equal)
        later = [c for c in cases if c.kind in ON_EVERY_SEED or c.name in equal]
        for seed in range(1, seeds):
            look(later, seed)
    proof.items = judge.runs
    proof.conclude()
    return proof


def _judged(judge: Judge, case: Case, seed: int) -> list[ItemResult] | str:
    """What becomes of the items of a case; of a mutant's until one is lost."""
    items = list(judge.assignment.items)
    if seed > 0 and case.kind == "planted":  # what may be lost by any mistake ran on the first
        items = [item for item in items if item.id in case.expected]
    if case.kind == "mutant":  # those of the changed class first: most lose the first
        targets = _targets(judge.assignment)
        items.sort(key=lambda item: not set(case.changed) & set(targets[item.id]))
    found: list[ItemResult] = []
    try:
        for item in items:
            if seed > 0 and case.expected.get(item.id) == "timeout":
                # That it takes too long was shown on the first; how long depends on no number.
                item = replace(item, seconds=item.seconds / 3)
            found.append(judge.item(case.submission, case.reach, seed, item))
            if case.kind == "mutant" and not found[-1].passed:
                break
    except GraderFault as fault:
        return str(fault)
    return found


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
        yield Case("planted", mistake.name, mistake.files, apart | mistake.lost)
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
