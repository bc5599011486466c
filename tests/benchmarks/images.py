"""python -m tests.benchmarks.images: one training step of two CNNs, beside four others.

Each contestant runs in a process of its own, in turns, with a pause after each because idle
threads of the BLAS spin for a while and would slow the next one. Absolute times mean little on
a shared machine; the ratio within a round does. Memory is what training adds to a process that
has loaded its libraries and the data.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from importlib import metadata

from tests.benchmarks.image_contestants import CONTESTANTS

CASES = [("lenet", 64), ("lenet", 128), ("heavier", 64)]


def measure(name, net, batch_size, seconds):
    """(seconds of a step, MB that training takes)."""
    command = [sys.executable, "-m", "tests.benchmarks.image_contestants"]
    command += [name, net, str(batch_size), str(seconds)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    time.sleep(0.35)
    step, memory = map(float, result.stdout.split())
    return step, memory


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.images", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.8, help="length of one burst")
    options = parser.parse_args()
    packages = {name: name.split(".")[0].split()[0] for name in CONTESTANTS}
    packages |= {"textbook im2col": "numpy"}
    missing = [n for n, package in packages.items() if importlib.util.find_spec(package) is None]
    present = [name for name in CONTESTANTS if name not in missing]
    versions = {
        package: metadata.version(package)
        for package in sorted({packages[name] for name in present} | {"numpy"})
    }
    print(f"{os.cpu_count()} processors, {versions}; not installed: {', '.join(missing) or 'none'}")
    print(f"medians of {options.rounds} interleaved rounds; ratio = nnscratch / contestant")
    for net, batch_size in CASES:
        print(f"\n{net}, batch {batch_size}:{'':>12} a step   memory   ratio (min to max)")
        rounds = [
            {name: measure(name, net, batch_size, options.seconds) for name in present}
            for _ in range(options.rounds)
        ]
        for name in present:
            step = statistics.median(times[name][0] for times in rounds)
            memory = statistics.median(times[name][1] for times in rounds)
            ratios = [times["nnscratch"][0] / times[name][0] for times in rounds]
            print(
                f"{name:>22} {step * 1e3:>7.2f} ms {memory:>5.0f} MB   "
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
