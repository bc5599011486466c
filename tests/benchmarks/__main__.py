"""Steps of training by nnscratch and others, one table per model: python -m tests.benchmarks"""

import argparse
import importlib.util
import json
from pathlib import Path

from tests.benchmarks.contestants import CONTESTANTS, MAIN
from tests.benchmarks.disturbance import Disturbance, sentence
from tests.benchmarks.history import HISTORY, append
from tests.benchmarks.measuring import Runner
from tests.benchmarks.nets import CASES
from tests.benchmarks.table import heading, machine, show
from tests.benchmarks.threads import THREADS

NAMES = list(dict.fromkeys(case.net.name for case in CASES))
MODELS = sorted({*NAMES, *(case.name for case in CASES)})


class Contest:
    """A process for each contestant of a case, which end with it."""

    def __init__(self, names, threads=THREADS, clock="wall"):
        self.runners, self.missing = {}, {}
        for name in names:
            package = CONTESTANTS[name].package
            if importlib.util.find_spec(package) is None:
                self.missing[name] = f"missing: {package} is not installed"
            else:
                self.runners[name] = Runner(name, threads, clock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for runner in self.runners.values():
            runner.close()

    def measure(self, case, rounds, seconds):
        """(figures as `table.show` takes them, the share of the processors that others took)."""
        figures = dict(self.missing)
        taking = list(self.runners)
        for name in self.runners:
            try:
                figures[name] = {"megabytes": self.runners[name].prepare(case), "steps": []}
            except RuntimeError as error:
                figures[name] = f"failed: {str(error).splitlines()[0]}"
                taking.remove(name)
        others = Disturbance([runner.process.pid for runner in self.runners.values()])
        for turn in range(rounds):
            for name in taking if turn % 2 == 0 else reversed(taking):
                figures[name]["steps"].append(self.runners[name].burst(seconds))
        return figures, others.share()


def check_names(parser, what, names, known):
    for name in names:
        if name not in known:
            parser.error(f"there is no {what} {name!r}; there are: {'; '.join(known)}")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help=f"{', '.join(NAMES)}, or cases such as mlp-128-adam; all unless told",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of one burst")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="CONTESTANT",
        help="leave out the others; may be given several times",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help=f"all contestants, not just {', '.join(MAIN)}: compiling takes minutes",
    )
    parser.add_argument("--threads", type=int, default=THREADS, help="of each contestant")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="that of a contestant's own process instead of the clock's: with --threads 1 it means "
        "something on a busy machine too; without workers=2",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the raw figures")
    parser.add_argument(
        "--append",
        type=Path,
        nargs="?",
        const=HISTORY,
        metavar="FILE",
        help=f"add a line with the ratios to a history, {HISTORY.name} here unless named",
    )
    options = parser.parse_args()
    check_names(parser, "model or case", options.models, MODELS)
    check_names(parser, "contestant", options.only, CONTESTANTS)
    wanted = set(options.models or MODELS)
    cases = [case for case in CASES if wanted & {case.name, case.net.name}]
    names = options.only or [name for name in CONTESTANTS if options.all or name in MAIN]
    clock = "processor" if options.processor_time else "wall"
    if options.processor_time:
        names = [name for name in names if "workers" not in name]
    print(heading(options.threads))
    print(
        f"{options.rounds} rounds, bursts of {options.seconds} s by the {clock} clock; medians and "
        "the ratio of times within a round (its least and greatest)"
    )
    results = {}
    about = {**machine(options.threads), "clock": clock}
    for case in cases:
        taking = [name for name in names if CONTESTANTS[name].takes(case.net)]
        with Contest(taking, options.threads, clock) as contest:
            figures, share = contest.measure(case, options.rounds, options.seconds)
        show(case, figures)
        print(sentence(share), flush=True)
        results[case.name] = {"contestants": figures, "share of other processes": share}
        if options.json:
            options.json.write_text(json.dumps({**about, "cases": results}, indent=1) + "\n")
    if options.append:
        append(options.append, about, results)


if __name__ == "__main__":
    main()
