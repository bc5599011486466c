"""How long the prediction for one image takes: python -m tests.benchmarks.predictions

`model.eval()` and then `model.forward(image)`, beside torch under inference_mode, for the MLP with
the same weights; each in a process of its own, in turns.
"""

import argparse
import importlib.util
import math
import multiprocessing
import statistics
import time

from tests.benchmarks import nets
from tests.benchmarks.contestants import ours, torch
from tests.benchmarks.disturbance import Disturbance, sentence
from tests.benchmarks.measuring import PAUSE, WARM_UP
from tests.benchmarks.table import heading, ratio
from tests.benchmarks.threads import THREADS, limited_threads

TARGET = 1.0
SHAPES = ((784,), (1, 784))


def nnscratch_forward(image):
    model = ours.model_of(nets.MLP, nets.weights(nets.MLP)).eval()
    return lambda: model.forward(image)


def torch_forward(image):
    import torch as framework

    framework.set_num_threads(THREADS)
    model = torch.model_of(nets.MLP, nets.weights(nets.MLP)).eval()
    image = framework.from_numpy(image)

    def predict():
        with framework.inference_mode():
            return model(image)

    return predict


FORWARDS = {"nnscratch": nnscratch_forward, "torch": torch_forward}


def serve(pipe, name, shape):
    """Send the prediction, then the seconds of one prediction for each burst that is asked for."""
    x, _ = nets.data(nets.Case(nets.MLP, 1, samples=10))
    predict = FORWARDS[name](x[0].reshape(shape))
    pipe.send([float(value) for value in predict().reshape(-1)])
    while (seconds := pipe.recv()) is not None:
        repeated(predict, WARM_UP)
        pipe.send(repeated(predict, seconds))


def repeated(predict, seconds):
    """The mean time of predictions, one after another for so long."""
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        for _ in range(100):
            predict()
        count += 100
    return passed / count


def measure(names, shape, rounds, seconds):
    """(predictions by name, times of each round by name, the share that other processes took)."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    for name in names:
        pipes[name], theirs = context.Pipe()
        processes.append(context.Process(target=serve, args=(theirs, name, shape)))
        with limited_threads():
            processes[-1].start()
    logits = {name: pipe.recv() for name, pipe in pipes.items()}
    times = {name: [] for name in names}
    others = Disturbance([process.pid for process in processes])
    for _ in range(rounds):
        for name, pipe in pipes.items():
            pipe.send(seconds)
            times[name].append(pipe.recv())
            time.sleep(PAUSE)
    share = others.share()
    for pipe, process in zip(pipes.values(), processes, strict=True):
        pipe.send(None)
        process.join()
    return logits, times, share


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.predictions", description=__doc__
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of one burst")
    options = parser.parse_args()
    names = ["nnscratch"] + ["torch"] * (importlib.util.find_spec("torch") is not None)
    print(heading())
    print(f"one image, {nets.describe(nets.MLP)}; median of {options.rounds} rounds")
    for shape in SHAPES:
        logits, times, share = measure(names, shape, options.rounds, options.seconds)
        line = f"{shape!s:>10}"
        for name in names:
            line += f"  {name} {1e6 * statistics.median(times[name]):6.1f} us"
        if "torch" in names:
            for a, b in zip(*logits.values(), strict=True):
                assert math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5), "predictions differ"
            middle, low, high = ratio(times["nnscratch"], times["torch"])
            line += f"  ratio {middle:.2f} ({low:.2f} to {high:.2f})"
            line += f"   target {TARGET}: {'reached' if middle <= TARGET else 'missed'}"
        print(line)
        print(sentence(share), flush=True)


if __name__ == "__main__":
    main()
