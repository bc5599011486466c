"""The study: every mutant is checked and judged; the table of what was named."""

import argparse
import collections
import textwrap
import time
import warnings
from dataclasses import dataclass

import numpy as np

import nnscratch as nn
from nnscratch.gradient_check import check_gradients
from tests.mutation_study.mutants import (
    behaviour,
    equal,
    every_mutant,
)
from tests.mutation_study.textbook import PLANTED
from tests.mutation_study.zoo import ZOO, Case, one
from tests.right_layers.checks import checks

UNNAMED = {"values_differ", "shape"}
# Seen, not concluded; the words of wrong_derivative give the formula that was found
FACTS = {"exception", "none", "type", "dtype", "zero", "non_finite", "wrong_derivative"}
FACTS |= {"cropped_to_nothing", "missing"}


def judge(mutant, seed=0):
    """(outcome, codes): "equal", "silent", "right", "unnamed" or "wrong"."""
    inputs = mutant.case.inputs(np.random.default_rng(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if equal(behaviour(mutant.build(), inputs), behaviour(mutant.case.build(), inputs)):
            return "equal", set(), None
        report = check_gradients(mutant.build(), *inputs, rng=seed)
    codes = {finding.code for finding in report.findings if finding.verdict == "fail"}
    if not codes:
        return "silent", codes, report
    if codes & mutant.deserved and codes <= mutant.deserved | UNNAMED:
        return "right", codes, report
    if mutant.kind == "edit" and codes & mutant.true and codes <= mutant.true | UNNAMED | FACTS:
        return "right", codes, report
    if mutant.kind == "edit" and not mutant.deserved and codes <= UNNAMED | FACTS:
        return "nameless", codes, report  # there is no name for it, and none was given
    facts = FACTS if mutant.kind == "edit" else {"exception"}  # NumPy's error says it
    if codes & facts and codes <= UNNAMED | facts:
        return "nameless", codes, report
    return ("unnamed" if codes <= UNNAMED else "wrong"), codes, report


@dataclass(frozen=True)
class Planted:
    """A mistake planted into a layer of a textbook."""

    kind: str
    build: object
    inputs: object
    array: str

    def judge(self, seed):
        """(outcome, codes, report) as of a mutant."""
        report = check_gradients(self.build(), *self.inputs(np.random.default_rng(seed)), rng=seed)
        codes = {f.code for f in report.findings if f.verdict == "fail" and f.array == self.array}
        if not codes:
            return "silent", codes, report
        outcome = "right" if codes == {self.kind} else "unnamed" if codes <= UNNAMED else "wrong"
        return outcome, codes, report

    def __str__(self):
        return f"{type(self.build()).__name__}: {self.kind} of {self.array}"

    @property
    def place(self):
        return "textbook"

    source = property(__str__)


def planted(seeds):
    """The mistakes that teachers see, on several draws of inputs."""
    for code, build, inputs, array in PLANTED:
        mistake = Planted(code, build, inputs, array)
        for seed in range(seeds):
            yield (mistake, *mistake.judge(seed))


@dataclass
class Study:
    """The outcomes of a run."""

    outcomes: list
    alarms: list
    checks: int

    def count(self, outcome):
        return sum(found == outcome for _, found, _, _ in self.outcomes)

    @property
    def changing(self):
        return len(self.outcomes) - self.count("equal")


@dataclass
class Shares:
    """The shares that the goals speak of."""

    failed: float
    right: float
    wrong: float

    @classmethod
    def of(cls, result):
        named = result.changing - result.count("nameless")
        return cls(
            1 - result.count("silent") / result.changing,
            result.count("right") / named,
            result.count("wrong") / result.changing,
        )


def study(step=1, seeds=10, right=10_000, seed=0):
    """Every so manyth mutant, the planted mistakes on `seeds` draws, and `right` right layers."""
    outcomes = [(mutant, *judge(mutant, seed)) for mutant in every_mutant()[::step]]
    found = checks(right)
    return Study([*outcomes, *planted(seeds)], found.alarms, found.count)


def timings():
    """The seconds that single checks take, as words."""

    def seconds(cases):
        for case in cases:  # once for what the first call loads
            check_gradients(case.build(), *case.inputs(np.random.default_rng(0)))
        start = time.perf_counter()
        for case in cases:
            check_gradients(case.build(), *case.inputs(np.random.default_rng(0)))
        return time.perf_counter() - start

    linear = Case(lambda: nn.Linear(20, 30, rng=0), one(7, 20))
    return (
        f"Linear(20, 30) {seconds([linear]):.4f} s (goal 0.1 s), "
        f"all {len(ZOO)} layers, operators and losses {seconds(ZOO):.2f} s (goal 20 s)"
    )


def table(result):
    """The confusion matrix: for each kind of mistake the codes it got."""
    rows = collections.defaultdict(collections.Counter)
    for mutant, outcome, codes, _ in result.outcomes:
        if outcome != "equal":
            rows[mutant.kind][" + ".join(sorted(codes)) or "(silent)", outcome] += 1
    lines = [f"{'mistake':<24} {'mutants':>7} {'right':>6} {'unnamed':>8} {'wrong':>6}  codes"]
    for kind, cells in sorted(rows.items()):
        by = collections.Counter()
        for (_, outcome), n in cells.items():
            by["unnamed" if outcome == "nameless" else outcome] += n
        codes = ", ".join(
            f"{code} {n}" + ("" if outcome == "right" else f" ({outcome})")
            for (code, outcome), n in cells.most_common()
        )
        lines.append(
            f"{kind:<24} {sum(by.values()):>7} {by['right']:>6} {by['unnamed']:>8} "
            f"{by['wrong'] + by['silent']:>6}  {codes}"
        )
    return "\n".join(lines)


def main(arguments=None):
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--step", type=int, default=1, help="every how manyth mutant")
    options.add_argument("--seeds", type=int, default=10, help="draws of the planted mistakes")
    options.add_argument("--right", type=int, default=10_000, help="checks for false alarms")
    options.add_argument("--seed", type=int, default=0, help="of the mutants' inputs")
    options.add_argument("--verbose", action="store_true", help="print what was not named right")
    options = options.parse_args(arguments)
    start = time.perf_counter()
    result = study(options.step, options.seeds, options.right, options.seed)
    print(table(result))
    print("\nchange nothing, left out:")
    for mutant, outcome, _, _ in result.outcomes:
        if outcome == "equal":
            print(f"  {mutant.kind}: {mutant}")
    if options.verbose:
        print("\nnot named right:")
        for mutant, outcome, codes, report in result.outcomes:
            if outcome not in ("equal", "right"):
                deserved = getattr(mutant, "deserved", {mutant.kind})
                print(f"  {outcome} {sorted(codes)}, deserved {sorted(deserved)}: {mutant}")
                print(textwrap.indent(str(report), "        "))
    n = result.changing
    named = n - result.count("nameless")
    different = len({(m.place, m.source) for m, o, _, _ in result.outcomes if o != "equal"})
    print(
        f"\n{n} mutants change a gradient ({different} different rewritings), "
        f"{result.count('equal')} change nothing"
    )
    shares = Shares.of(result)
    print(f"failed       {shares.failed:.1%} of {n}  (goal 100 %)")
    print(f"named right  {shares.right:.1%} of the {named} that have a name  (goal 97 %)")
    print(f"named wrong  {shares.wrong:.1%} of {n}  ({result.count('wrong')}; goal under 0.5 %)")
    print(
        f"not named    {result.count('unnamed')} that have a name, and "
        f"{result.count('nameless')} that have none"
    )
    print(f"false alarms {len(result.alarms)} of {result.checks} checks of correct layers (goal 0)")
    for alarm in result.alarms[:10]:
        print(textwrap.indent(alarm, "  "))
    print(f"{time.perf_counter() - start:.0f} s")
    print(timings())
    reached = (
        shares.failed == 1 and shares.right >= 0.97 and shares.wrong < 0.005 and not result.alarms
    )
    return 0 if reached else 1
