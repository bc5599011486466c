"""Steps of training by nnscratch and others, one table per model: python -m tests.benchmarks"""

import argparse
import contextlib
import importlib.util
import json
from pathlib import Path

from tests.benchmarks.contestants import CONTESTANTS
from tests.benchmarks.disturbance import Disturbance, sentence
from tests.benchmarks.measuring import Runner
from tests.benchmarks.nets import CASES
from tests.benchmarks.table import heading, machine, show

MODELS = sorted({case.net.name for case in CASES} | {case.name for case in CASES})


def measure(case, names, rounds, seconds):
    """(figures as `table.show` takes them, the share of the processors that others took)."""
    figures, runners = {}, {}
    with contextlib.ExitStack() as stack:
        for name in names:
            package = CONTESTANTS[name].package
            if importlib.util.find_spec(package) is None:
                figures[name] = f"missing: {package} is not installed"
                continue
            runner = Runner(name)
            stack.callback(runner.close)
            try:
                figures[name] = {"megabytes": runner.prepare(case), "steps": []}
                runners[name] = runner
            except RuntimeError as error:
                figures[name] = f"failed: {str(error).splitlines()[0]}"
        others = Disturbance([runner.process.pid for runner in runners.values()])
        for turn in range(rounds):
            order = list(runners)
            for name in order if turn % 2 == 0 else reversed(order):
                figures[name]["steps"].append(runners[name].burst(seconds))
        share = others.share()
    return figures, share


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
        help="mlp, wide, lenet, cnn, or cases such as mlp-128-adam; all unless told",
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.6, help="length of one burst")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="CONTESTANT",
        help="leave out the others; may be given several times",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the raw figures")
    options = parser.parse_args()
    check_names(parser, "model or case", options.models, MODELS)
    check_names(parser, "contestant", options.only, CONTESTANTS)
    wanted = set(options.models or MODELS)
    cases = [case for case in CASES if wanted & {case.name, case.net.name}]
    print(heading())
    print(
        f"{options.rounds} rounds, bursts of {options.seconds} s; medians, and the ratio of times "
        "within a round (its least and greatest)"
    )
    results = {}
    for case in cases:
        names = [name for name, one in CONTESTANTS.items() if one.takes(case.net)]
        names = [name for name in names if not options.only or name in options.only]
        figures, share = measure(case, names, options.rounds, options.seconds)
        show(case, figures)
        print(sentence(share), flush=True)
        results[case.name] = {"contestants": figures, "share of other processes": share}
        if options.json:
            options.json.write_text(json.dumps({**machine(), "cases": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
