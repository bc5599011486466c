"""The constants of docs/scale.md: what a step costs a core, and what an exchange costs the ranks.

    python -m tests.benchmarks.scale                    a step of B samples, fitted by a + b B
    mpiexec -n 2 python -m tests.benchmarks.scale       Allreduce of n floats by c + d n
    python -m tests.benchmarks.scale speed              epochs, one after the other: alone,
                                                        workers=2, and on 1, 2 and 3 ranks

A step's time is that of the processor, on one thread, and an exchange's the shortest of many, so
that other programs on the machine disturb neither much; epochs are by the clock, and want it quiet.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import subprocess
import sys
import time

import numpy as np

import nnscratch as nn
from nnscratch.training.memory import keep_freed_memory
from nnscratch.training.samples import Batch
from nnscratch.training.updater import train_step

SIZES = (8, 16, 32, 64, 128, 256)
FLOATS = (5, 6_000, 60_000, 235_000, 1_000_000)
SECONDS = 2.0  # for each measurement
SAMPLES = {"MLP": 8192, "LeNet": 2048}  # of an epoch


def mlp():
    return nn.mlp([784, 256, 128, 10], rng=0)


NETS = {"MLP": mlp, "LeNet": lambda: nn.lenet((1, 28, 28), rng=0)}


def shortest(action, clock, seconds=SECONDS):
    """The shortest time of an action that is done again and again for some seconds."""
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = clock()
        action()
        best = min(best, clock() - start)
    return best


def step_of(build, size):
    rng = np.random.default_rng(0)
    model, loss = build(), nn.SoftmaxCrossEntropy()
    optimizer = nn.SGD(model, 0.01, momentum=0.9)
    batch = Batch(rng.normal(size=(size, 1, 28, 28)).astype("f4"), rng.integers(0, 10, size))
    return lambda: train_step(model, loss, optimizer, batch)


def steps():
    """Print a + b B for each net."""
    for name, build in NETS.items():
        times = [1e6 * shortest(step_of(build, size), time.process_time) for size in SIZES]
        b, a = np.polyfit(SIZES, times, 1, w=1 / np.array(times))
        shown = "  ".join(f"{size}: {t:.0f}" for size, t in zip(SIZES, times, strict=True))
        print(f"{name:6} {shown}  us; {a:.0f} + {b:.1f} B", flush=True)


def exchanges(communicator):
    """Print c + d n, on the slowest rank."""
    from mpi4py import MPI

    for floats in FLOATS:
        vector, best = np.zeros(floats, np.float32), np.inf
        end, going = time.perf_counter() + SECONDS, True
        while going:
            for _ in range(20):
                communicator.Barrier()
                start = time.perf_counter()
                communicator.Allreduce(MPI.IN_PLACE, vector)
                best = min(best, time.perf_counter() - start)
            going = communicator.bcast(time.perf_counter() < end)
        slowest = communicator.allreduce(best, op=MPI.MAX)
        if communicator.rank == 0:
            print(
                f"{communicator.size} ranks, {floats:8} floats {1e6 * slowest:6.0f} us", flush=True
            )


def epochs(name, communicator=None, workers=1):
    """Print how long a step of 128 samples takes within `Trainer.fit`, the median of six epochs."""
    rng, count = np.random.default_rng(0), SAMPLES[name]
    x, y = rng.normal(size=(count, 1, 28, 28)).astype("f4"), rng.integers(0, 10, count)
    model = NETS[name]()
    trainer = nn.Trainer(
        model,
        nn.SoftmaxCrossEntropy(),
        nn.SGD(model, 0.01, momentum=0.9),
        communicator=communicator,
        workers=workers,
        progress=False,
    )
    history = trainer.fit(x, y, epochs=7, rng=0)
    if trainer.leads:
        print(f"{1e6 * statistics.median(history['seconds'][1:]) / (count / 128):.0f}", flush=True)


def speed(rounds=3):
    """Print the table of epochs; the ways take turns."""
    this = [sys.executable, "-m", "tests.benchmarks.scale"]
    ways = {"one process": [], "workers=2": []}
    ways |= {f"{n} ranks": ["mpiexec", "-n", str(n)] for n in (1, 2, 3)}
    for name in NETS:
        times = {way: [] for way in ways}
        for _ in range(rounds):
            for way, prefix in ways.items():
                job = subprocess.run(
                    [*prefix, *this, name, way], check=True, capture_output=True, text=True
                )
                times[way].append(float(job.stdout))
        for way, found in times.items():
            print(f"{name:6} {way:12} {statistics.median(found):8.0f} us a step of 128 samples")


def main(arguments):
    keep_freed_memory()
    if arguments == ["speed"]:
        speed()
    elif arguments:
        name, way = arguments
        communicator = None
        if way.endswith("ranks"):
            from mpi4py import MPI

            communicator = MPI.COMM_WORLD
        epochs(name, communicator, 2 if way == "workers=2" else 1)
    elif int(os.environ.get("PMI_SIZE", os.environ.get("OMPI_COMM_WORLD_SIZE", "1"))) > 1:
        from mpi4py import MPI

        exchanges(MPI.COMM_WORLD)
    else:
        steps()


if __name__ == "__main__":
    main(sys.argv[1:])
