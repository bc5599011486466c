"""A program for mpiexec that fails in the way that its first argument names; see test_ranks.py."""

import hashlib
import os
import signal
import sys
import time

import numpy as np
from mpi4py import MPI

import nnscratch as nn

world = MPI.COMM_WORLD
rng = np.random.default_rng(0)
x, y = rng.normal(size=(40, 6)).astype("f4"), rng.integers(0, 3, 40)
model = nn.Sequential(nn.Linear(6, 3, rng=0))
case = sys.argv[1]
second = world.rank == 1
steps = []
settings, given = {}, {"epochs": 2, "batch_size": 10, "rng": 0}


def number_of_calls(then):
    """An augmentation that does something at its third call."""
    calls = []

    def augment(x, rng):
        calls.append(0)
        if len(calls) == 3:
            then()
        return x

    return augment


def fail():
    raise KeyError("the third batch")


def callback(trainer, values):
    raise ZeroDivisionError("in a callback")


def slowly(x, rng):
    time.sleep(0.01)
    steps.append(0)
    if world.rank == 0:
        print("step", len(steps), flush=True)
    return x


if case == "content" and second:
    x[7, 2] += 1e-3
elif case == "length" and second:
    x, y = x[:-1], y[:-1]
elif case == "rows" and second:
    y = y[:-1]
elif case == "settings" and second:
    given["batch_size"] = 11
elif case == "label":
    y[33] = 3  # in a minibatch of which one rank alone has the row
elif case == "unseeded":
    given["rng"] = None
    model = nn.Sequential(nn.Linear(6, 3))
elif case == "nan":
    x[33, 1] = np.nan
elif case == "augment" and second:
    settings["augment"] = number_of_calls(fail)
elif case == "augment":
    settings["augment"] = number_of_calls(lambda: None)
elif case == "callback":
    settings["callbacks"] = [callback]
elif case == "killed":
    kill = (lambda: os.kill(os.getpid(), signal.SIGKILL)) if second else (lambda: None)
    settings["augment"] = number_of_calls(kill)
elif case == "stream":
    rows = [slice(0, 9), slice(9, 20), slice(20, 40)]
    x = [(x[of], y[of]) for of in (rows[:2] if second else rows)]
    y = None
elif case == "folder":
    settings["checkpoint"] = "/proc/nowhere/run.npz"
elif case == "diagnose":
    settings["diagnose"] = True
elif case == "resume":
    settings["checkpoint"] = __file__
elif case == "interrupted":
    given["epochs"] = 100_000
    settings["augment"] = slowly

loss, optimizer = nn.SoftmaxCrossEntropy(), nn.SGD(model)
try:
    trainer = nn.Trainer(model, loss, optimizer, communicator=world, progress=False, **settings)
    if case == "resume":
        trainer.resume()
    history = trainer.fit(x, y, **given)
    count = len(history.steps["loss"])
    end = hashlib.sha256(model.params["0.W"].tobytes()).hexdigest()[:8]
    print(f"rank {world.rank}: {history.stopped} after {count} steps, {end}", flush=True)
except (OSError, ValueError, RuntimeError) as error:
    print(f"rank {world.rank} raised {type(error).__name__}: {error}", flush=True)
