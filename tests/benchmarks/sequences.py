"""One step of recurrent layers and of a transformer beside torch in eager mode, and what fusing
the steps of an RNN gains: python -m tests.benchmarks.sequences

A step is forward pass, backward pass from a given dy, and SGD. Contestants have processes of their
own and take turns.
"""

import argparse
import multiprocessing
import os
import statistics
import time

import numpy as np

from tests.benchmarks.disturbance import Disturbance, sentence
from tests.benchmarks.measuring import PAUSE, SHORTEST_BURST, WARM_UP
from tests.benchmarks.table import heading, ratio
from tests.benchmarks.threads import THREADS, limited_threads

RATE = 1e-7  # so that weights stay as they are, whatever dy says

# name: (batch, time, features, features of y, largest ratio hoped for)
CASES = {
    "LSTM 28 -> 128, 28 steps, batch 64": (64, 28, 28, 128, 1.0),
    "GRU 64 -> 128, 50 steps, batch 32": (32, 50, 64, 128, 1.0),
    "transformer, 2 blocks, 64 features, 4 heads, 64 steps, batch 32": (32, 64, 64, 64, 1.3),
    "RNN 16 -> 32, 20 steps, batch 32, against a graph of its steps": (32, 20, 16, 32, None),
}


def steps_of(model, optimizer, x, dy):
    """A function that takes one step with these inputs and this dy."""

    def step():
        _, cache = model.forward_pass(x)
        optimizer.attach()
        _, grads = model.backprop(dy, cache, optimizer.grads, need_dx=False)
        optimizer.step(grads)

    return step


def ours(name, x, dy):
    import nnscratch as nn
    from nnscratch.training.memory import keep_freed_memory

    keep_freed_memory()
    features, hidden = x.shape[-1], dy.shape[-1]
    if name.startswith("transformer"):
        blocks = (nn.TransformerBlock(features, 4, 4 * features, rng=i) for i in range(2))
        model = nn.Sequential(*blocks)
    else:
        model = getattr(nn, name.split()[0])(features, hidden, rng=0)
    return steps_of(model, nn.SGD(model, RATE), x, dy)


def graph(name, x, dy):
    """An RNN with a node for every step, as one writes it by hand."""
    import nnscratch as nn

    cell = nn.RNNCell(x.shape[-1], dy.shape[-1], rng=0)
    given = nn.Input("x")
    states = [cell(given[:, 0])]
    for t in range(1, x.shape[1]):
        states.append(cell(given[:, t], states[-1]))
    model = nn.Graph([given], nn.Stack(1)(*states))
    return steps_of(model, nn.SGD(model, RATE), x, dy)


def torch(name, x, dy):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    features, hidden = x.shape[-1], dy.shape[-1]
    if name.startswith("transformer"):
        options = {"dropout": 0.0, "activation": "gelu", "batch_first": True, "norm_first": True}
        blocks = [
            torch.nn.TransformerEncoderLayer(features, 4, 4 * features, **options) for _ in range(2)
        ]
        model = torch.nn.Sequential(*blocks)
    else:
        model = getattr(torch.nn, name.split()[0])(features, hidden, batch_first=True)
    x, dy = torch.from_numpy(x), torch.from_numpy(dy)
    optimizer = torch.optim.SGD(model.parameters(), RATE)

    def step():
        optimizer.zero_grad()
        y = model(x)
        (y if isinstance(y, torch.Tensor) else y[0]).backward(dy)
        optimizer.step()

    return step


MAKERS = {"nnscratch": ours, "torch": torch, "graph": graph}


def serve(pipe, who, name, case):
    """Once ready, the seconds of a step, by the clock and of the processors, of each burst."""
    batch, steps, features, hidden, _ = case
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, steps, features)).astype(np.float32)
    step = MAKERS[who](name, x, rng.normal(size=(batch, steps, hidden)).astype(np.float32))
    pipe.send("ready")
    while pipe.recv():
        end = time.perf_counter() + WARM_UP
        while time.perf_counter() < end:
            step()
        count, start, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - start < SHORTEST_BURST:
            step()
            count += 1
        pipe.send(((time.perf_counter() - start) / count, (time.process_time() - cpu) / count))


def measure(name, case, rounds, threads):
    """{contestant: [(seconds, processors' seconds) of a step in each round]}, and a sentence."""
    context, pipes, processes = multiprocessing.get_context("spawn"), {}, []
    other = "torch" if case[-1] else "graph"
    for who in ("nnscratch", other):
        pipes[who], theirs = context.Pipe()
        with limited_threads(threads):
            processes.append(context.Process(target=serve, args=(theirs, who, name, case)))
            processes[-1].start()
    for pipe in pipes.values():
        pipe.recv()  # so that none is measured while another one imports its framework
    others = Disturbance([process.pid for process in processes])
    times = {who: [] for who in pipes}
    for turn in range(rounds):
        for who in list(pipes)[:: 1 if turn % 2 == 0 else -1]:
            pipes[who].send(True)
            times[who].append(pipes[who].recv())
            time.sleep(PAUSE)
    text = sentence(others.share())
    for pipe, process in zip(pipes.values(), processes, strict=True):
        pipe.send(False)
        process.join()
    return times, text


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sequences")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--threads",
        type=int,
        default=THREADS,
        help="with 1, processors' time means something on a busy machine too",
    )
    options = parser.parse_args()
    print(heading(options.threads))
    print(f"median of {options.rounds} rounds: a step, nnscratch / the other, and its range")
    for name, case in CASES.items():
        *_, target = case
        times, text = measure(name, case, options.rounds, options.threads)
        other = next(who for who in times if who != "nnscratch")
        print(f"\n{name}" + ("" if target is None else f" (hoped for: {target})"))
        for kind, what in enumerate(("by the clock", "processors' time")):
            mine, theirs = ([pair[kind] for pair in times[who]] for who in ("nnscratch", other))
            middle, low, high = ratio(mine, theirs)
            milliseconds = 1e3 * statistics.median(mine), 1e3 * statistics.median(theirs)
            print(
                f"  {what:16}  nnscratch {milliseconds[0]:8.3f} ms  {other} "
                f"{milliseconds[1]:8.3f} ms  {middle:.2f} ({low:.2f} to {high:.2f})"
            )
        print(text, flush=True)


if __name__ == "__main__":
    main()
