"""How a step grows with the batch, the width and the depth: python -m tests.benchmarks.growth

MLPs with SGD and momentum, nnscratch beside torch in eager mode (without it where it is missing).
"""

import argparse
import importlib.util
import statistics
from contextlib import ExitStack

from tests.benchmarks import nets
from tests.benchmarks.disturbance import Disturbance, sentence
from tests.benchmarks.measuring import Runner
from tests.benchmarks.table import heading, ratio

SIZES = {
    "batch": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
    "width": (64, 128, 256, 512, 1024, 2048, 4096),
    "depth": (1, 2, 4, 8, 16, 32, 64),
}
ABOUT = {
    "batch": "784-256-128-10, batch size",
    "width": "784-width-width-10, batch 128, width",
    "depth": "784-128-...-128-10, batch 128, hidden layers",
}


def case_of(what, size):
    if what == "batch":
        return nets.Case(nets.MLP, size)
    hidden = (size, size) if what == "width" else (128,) * size
    return nets.Case(nets.mlp(what, 784, *hidden, nets.CLASSES), 128)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth", description=__doc__)
    parser.add_argument(
        "what", nargs="*", metavar="WHAT", help="batch, width, depth; all unless told"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of one burst")
    options = parser.parse_args()
    for what in options.what:
        if what not in SIZES:
            parser.error(f"there is no {what}; there are {', '.join(SIZES)}")
    print(heading())
    print(f"median of {options.rounds} rounds; ratio = nnscratch / torch, and its range")
    names = ["nnscratch"] + ["torch"] * (importlib.util.find_spec("torch") is not None)
    with ExitStack() as stack:
        runners = {name: Runner(name) for name in names}
        for runner in runners.values():
            stack.callback(runner.close)
        for what in options.what or SIZES:
            print(f"\n{ABOUT[what]}")
            others = Disturbance([runner.process.pid for runner in runners.values()])
            for size in SIZES[what]:
                times = measure(runners, case_of(what, size), options)
                print(row(size, times), flush=True)
            print(sentence(others.share()), flush=True)


def measure(runners, case, options):
    for runner in runners.values():
        runner.prepare(case)
    times = {name: [] for name in runners}
    for _ in range(options.rounds):
        for name, runner in runners.items():
            times[name].append(runner.burst(options.seconds))
    return times


def row(size, times):
    line = f"{size:>6}"
    for name, taken in times.items():
        line += f"  {name} {1e3 * statistics.median(taken):8.3f} ms"
    if "torch" in times:
        middle, low, high = ratio(times["nnscratch"], times["torch"])
        line += f"  {middle:.2f} ({low:.2f} to {high:.2f})"
    return line


if __name__ == "__main__":
    main()
