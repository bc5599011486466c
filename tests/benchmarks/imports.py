"""How long each package takes to import: python -m tests.benchmarks.imports

A fresh Python each time, in turns; the interpreter's own start is not counted. The packages' files
are in the system's cache already and compiled to bytecode, as they are from the second start on.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time

from tests.benchmarks.disturbance import Disturbance, sentence
from tests.benchmarks.table import heading

PACKAGES = ("nnscratch", "numpy", "torch", "jax", "sklearn")
TARGET, SHARE_OF_TORCH = 0.15, 0.1  # seconds of nnscratch, and of torch's time
PROGRAM = """
import time
start = time.perf_counter()
import {}
print(time.perf_counter() - start)
"""


def seconds(package):
    """The seconds that the import takes in a new process."""
    command = [sys.executable, "-c", PROGRAM.format(package)]
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # else a checkout is compiled anew
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.imports", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    present = [name for name in PACKAGES if importlib.util.find_spec(name) is not None]
    for name in present:
        seconds(name)  # fills the caches
    times = {name: [] for name in present}
    others = Disturbance([])
    for _ in range(options.rounds):
        for name in present:
            times[name].append(seconds(name))
            time.sleep(0.1)
    share = others.share()
    print(heading())
    print(f"import, median of {options.rounds} rounds (least to greatest)")
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name in PACKAGES:
        if name not in medians:
            print(f"{name:>12}  missing")
            continue
        line = (
            f"{name:>12} {medians[name]:7.3f} s ({min(times[name]):.3f} to {max(times[name]):.3f})"
        )
        if name == "nnscratch":
            line += f"   target {TARGET}: {'reached' if medians[name] <= TARGET else 'missed'}"
            if "torch" in medians:
                of_torch = medians[name] / medians["torch"]
                verdict = "reached" if of_torch <= SHARE_OF_TORCH else "missed"
                line += f"; of torch's {of_torch:.3f}, target {SHARE_OF_TORCH}: {verdict}"
        print(line)
    print(sentence(share))


if __name__ == "__main__":
    main()
