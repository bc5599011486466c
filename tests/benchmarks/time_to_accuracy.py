"""From `python SCRIPT` to a test accuracy of 0.88: python -m tests.benchmarks.time_to_accuracy

The MLP and LeNet on Fashion-MNIST, by scripts/ of each framework; start-up, reading the files and
the tests after every epoch are included. How many epochs it takes is partly luck, so that several
seeds run, and the time per epoch stands beside. Memory is the whole process's.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.disturbance import Disturbance, sentence
from tests.benchmarks.measuring import PAUSE, resident
from tests.benchmarks.table import heading
from tests.benchmarks.threads import limited_threads

SCRIPTS = Path(__file__).parent / "scripts"
CONTESTANTS = {  # script, package, nets, further arguments
    "nnscratch": ("with_nnscratch.py", "nnscratch", ("mlp", "lenet"), ()),
    "nnscratch, workers=2": ("with_nnscratch.py", "threadpoolctl", ("lenet",), ("2",)),
    "torch": ("with_torch.py", "torch", ("mlp", "lenet"), ()),
    "scikit-learn": ("with_sklearn.py", "sklearn", ("mlp",), ()),
}


def run(script, arguments, forks=False):
    """(seconds, megabytes at most, accuracies) of one run, which forks processes or does not.

    Raises
    ------
    RuntimeError
        The script failed; its last line on stderr.
    """
    start, peak, looks = time.perf_counter(), 0, 0
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        command = [sys.executable, str(SCRIPTS / script), *arguments]
        with limited_threads():
            process = subprocess.Popen(command, stdout=out, stderr=errors)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            looks += 1
            if forks and looks % 10 == 0:  # wait4 knows the largest of the processes only
                peak = max(peak, resident(process.pid))
            time.sleep(0.02)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), errors.seek(0)
        if process.returncode != 0:
            lines = errors.read().splitlines()
            raise RuntimeError(lines[-1] if lines else f"exit status {process.returncode}")
        accuracies = [float(line) for line in out.read().split()]
    return seconds, max(peak / 2**20, usage.ru_maxrss / 1024), accuracies


def find_data(folder):
    """The folder of Fashion-MNIST's files."""
    from nnscratch.data.files import fetch_dataset

    try:
        return str(fetch_dataset("fashion-mnist", folder))
    except OSError as error:
        raise SystemExit(str(error)) from None


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.time_to_accuracy", description=__doc__
    )
    parser.add_argument("nets", nargs="*", metavar="NET", help="mlp, lenet; both unless told")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each, with seeds 0, 1, ...")
    parser.add_argument("--root", help="the folder of the data, if it is in no usual place")
    options = parser.parse_args()
    for net in options.nets:
        if net not in ("mlp", "lenet"):
            parser.error(f"there is no net {net}; there are mlp and lenet")
    folder = find_data(options.root)
    print(heading())
    for net in options.nets or ("mlp", "lenet"):
        print(
            f"\n{net} to a test accuracy of 0.88 on Fashion-MNIST, medians of {options.seeds} seeds"
        )
        print(
            f"{'':22}{'seconds':>9}{'range':>16}{'epochs':>8}{'an epoch':>11}{'memory':>9}   ratio"
        )
        others = Disturbance([])
        results = measure(net, folder, options.seeds)
        for name, result in results.items():
            print(result if isinstance(result, str) else row(name, result, results["nnscratch"]))
        print(sentence(others.share()), flush=True)


def measure(net, folder, seeds):
    """{contestant: [(seconds, megabytes, accuracies) of each seed], or why there is none}."""
    results = {name: [] for name, (_, _, nets, _) in CONTESTANTS.items() if net in nets}
    for name in results:
        _, package, _, _ = CONTESTANTS[name]
        if importlib.util.find_spec(package) is None:
            results[name] = f"{name:22}missing: {package} is not installed"
    for seed in range(seeds):
        for name, runs in results.items():
            if isinstance(runs, str):
                continue
            script, _, _, further = CONTESTANTS[name]
            try:
                runs.append(run(script, (net, folder, str(seed), *further), bool(further)))
            except RuntimeError as error:
                results[name] = f"{name:22}failed: {error}"
            time.sleep(PAUSE)
    return results


def row(name, runs, ours):
    seconds, megabytes, accuracies = zip(*runs, strict=True)
    epochs = [len(a) for a in accuracies]
    middle = statistics.median(seconds)
    per_epoch = statistics.median(s / e for s, e in zip(seconds, epochs, strict=True))
    ratio = statistics.median(run[0] for run in ours) / middle
    spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
    return (
        f"{name:22}{middle:9.1f}{spread:>16}{statistics.median(epochs):8.0f}{per_epoch:9.2f} s"
        f"{statistics.median(megabytes):6.0f} MB   {ratio:.2f}"
    )


if __name__ == "__main__":
    main()
