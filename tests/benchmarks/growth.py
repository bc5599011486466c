"""How a step grows with batch, width, depth and time: python -m tests.benchmarks.growth

MLPs with SGD and momentum, and an LSTM over sequences, nnscratch beside torch in eager mode
(without it where it is missing). Behind each size stands the power p by which the time grew since
the size before, time ~ size^p; in the end that of the upper half of the sizes.
"""

import argparse
import importlib.util
import math
import statistics
from contextlib import ExitStack

from tests.benchmarks import nets, sequences
from tests.benchmarks.disturbance import Disturbance, sentence
from tests.benchmarks.measuring import Runner
from tests.benchmarks.table import heading, ratio
from tests.benchmarks.threads import THREADS

SIZES = {
    "batch": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
    "width": (64, 128, 256, 512, 1024, 2048, 4096),
    "depth": (1, 2, 4, 8, 16, 32, 64),
    "time": (8, 16, 32, 64, 128, 256, 512),
}
ABOUT = {
    "batch": "784-256-128-10, batch size",
    "width": "784-width-width-10, batch 128, width",
    "depth": "784-128-...-128-10, batch 128, hidden layers",
    "time": "LSTM 64 -> 64, batch 32, steps",
}


def case_of(what, size):
    if what == "batch":
        return nets.Case(nets.MLP, size)
    hidden = (size, size) if what == "width" else (128,) * size
    return nets.Case(nets.mlp(what, 784, *hidden, nets.CLASSES), 128)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth", description=__doc__)
    parser.add_argument(
        "what", nargs="*", metavar="WHAT", help="batch, width, depth, time; all unless told"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of one burst")
    options = parser.parse_args()
    for what in options.what:
        if what not in SIZES:
            parser.error(f"there is no {what}; there are {', '.join(SIZES)}")
    print(heading())
    print(f"median of {options.rounds} rounds; ratio = nnscratch / torch, and its range; powers")
    names = ["nnscratch"] + ["torch"] * (importlib.util.find_spec("torch") is not None)
    with ExitStack() as stack:
        runners = {name: Runner(name) for name in names}
        for runner in runners.values():
            stack.callback(runner.close)
        for what in options.what or SIZES:
            print(f"\n{ABOUT[what]}")
            others = Disturbance([runner.process.pid for runner in runners.values()])
            every = {}
            for size in SIZES[what]:
                every[size] = times_of(what, size, runners, options)
                print(row(size, every), flush=True)
            print(sentence(others.share()) + "; " + powers(every), flush=True)


def times_of(what, size, runners, options):
    """{contestant: seconds of a step in each round}."""
    if what != "time":
        return measure(runners, case_of(what, size), options)
    times, _ = sequences.measure("LSTM", (32, size, 64, 64, 1.0), options.rounds, THREADS)
    return {name: [wall for wall, _ in taken] for name, taken in times.items()}


def measure(runners, case, options):
    for runner in runners.values():
        runner.prepare(case)
    times = {name: [] for name in runners}
    for _ in range(options.rounds):
        for name, runner in runners.items():
            times[name].append(runner.burst(options.seconds, steps=1))  # some take seconds
    return times


def row(size, every):
    """The line of a size, from the times of all sizes so far."""
    line, times = f"{size:>6}", every[size]
    before = max((other for other in every if other < size), default=None)
    for name, taken in times.items():
        line += f"  {name} {1e3 * statistics.median(taken):8.3f} ms"
        line += (
            f" {power({of: every[of][name] for of in (before, size)}):5.2f}" if before else " " * 6
        )
    if "torch" in times:
        middle, low, high = ratio(times["nnscratch"], times["torch"])
        line += f"  {middle:.2f} ({low:.2f} to {high:.2f})"
    return line


def powers(every):
    """The powers over the upper half of the sizes."""
    upper = list(every)[len(every) // 2 :]
    names = every[upper[0]]
    found = {name: power({size: every[size][name] for size in upper}) for name in names}
    return "power of the upper half: " + ", ".join(f"{n} {p:.2f}" for n, p in found.items())


def power(times):
    """The p of time ~ size^p, by least squares of the logarithms, from {size: times}.

    >>> round(power({1: [2.0], 2: [8.0], 4: [32.0]}), 3)
    2.0
    """
    points = [(math.log(size), math.log(statistics.median(of))) for size, of in times.items()]
    middle = statistics.mean(x for x, _ in points)
    across = sum((x - middle) ** 2 for x, _ in points)
    return sum((x - middle) * y for x, y in points) / across


if __name__ == "__main__":
    main()
