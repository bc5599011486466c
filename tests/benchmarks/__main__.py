"""python -m tests.benchmarks: one training step of an MLP, nnscratch beside torch.

Each contestant runs in a process of its own, in turns, with a pause after each because idle
threads of the BLAS spin for a while and would slow the next one. Absolute times mean little on
a shared machine; the ratio within a round does.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from importlib import metadata

CASES = [("sgd", 32), ("sgd", 128), ("sgd", 512), ("adam", 128)]


def measure(name, optimizer, batch_size, seconds):
    command = [sys.executable, "-m", "tests.benchmarks.contestants"]
    command += [name, optimizer, str(batch_size), str(seconds)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    time.sleep(0.35)
    return float(result.stdout)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one burst")
    options = parser.parse_args()
    versions = {name: metadata.version(name) for name in ("numpy", "torch")}
    print(f"MLP 784-256-128-10, {os.cpu_count()} processors, {versions}")
    print(f"medians of {options.rounds} interleaved rounds; ratio = nnscratch / torch")
    print(f"{'optimizer':>9} {'batch':>5} {'nnscratch':>10} {'torch':>10}   ratio (min to max)")
    for optimizer, batch_size in CASES:
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(measure("nnscratch", optimizer, batch_size, options.seconds))
            theirs.append(measure("torch", optimizer, batch_size, options.seconds))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        print(
            f"{optimizer:>9} {batch_size:>5} {statistics.median(ours) * 1e6:>7.0f} us "
            f"{statistics.median(theirs) * 1e6:>7.0f} us   {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
