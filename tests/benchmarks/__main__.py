"""Steps of training by nnscratch and others, one table per model: python -m tests.benchmarks"""

import argparse
import contextlib
import importlib.util
import json
from pathlib import Path

from tests.benchmarks.contestants import CONTESTANTS
from tests.benchmarks.measuring import Runner
from tests.benchmarks.nets import CASES
from tests.benchmarks.table import heading, machine, show


def measure(case, names, rounds, seconds):
    """The raw figures of one case, as `table.show` takes them."""
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
        for turn in range(rounds):
            order = list(runners)
            for name in order if turn % 2 == 0 else reversed(order):
                figures[name]["steps"].append(runners[name].burst(seconds))
    return figures


def chosen_cases(models):
    """The cases of the models named, or named themselves; all for none."""
    known = sorted({case.net.name for case in CASES} | {case.name for case in CASES})
    for model in models:
        if model not in known:
            raise SystemExit(f"there is no model or case {model}; there are {', '.join(known)}")
    return [case for case in CASES if not models or {case.name, case.net.name} & set(models)]


def chosen_contestants(names, net):
    for name in names:
        if name not in CONTESTANTS:
            raise SystemExit(f"there is no contestant {name}; there are: {'; '.join(CONTESTANTS)}")
    return [n for n, one in CONTESTANTS.items() if one.takes(net) and (not names or n in names)]


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
    cases = chosen_cases(options.models)
    plans = [(case, chosen_contestants(options.only, case.net)) for case in cases]
    print(heading())
    print(
        f"{options.rounds} rounds, bursts of {options.seconds} s; medians, and the ratio of times "
        "within a round (its least and greatest)"
    )
    results = {}
    for case, names in plans:
        results[case.name] = measure(case, names, options.rounds, options.seconds)
        show(case, results[case.name])
        if options.json:
            options.json.write_text(json.dumps({**machine(), "cases": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
