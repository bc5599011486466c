"""One contestant in a process of its own: trains an MLP and prints the time of a step.

Every contestant draws minibatches from the full data set, computes the loss, its gradients and
the update. The time of a burst of steps is measured; the command line says which and how many.
"""

import sys
import time
from itertools import pairwise

import numpy as np

SIZES = (784, 256, 128, 10)
SAMPLES = 12800
LEARNING_RATE = {"sgd": 0.01, "adam": 0.001}


def data():
    rng = np.random.default_rng(0)
    x = rng.random((SAMPLES, SIZES[0]), np.float32)
    return x, rng.integers(0, SIZES[-1], SAMPLES)


def nnscratch(optimizer, batch_size):
    """A function that trains one epoch through the ordinary interface."""
    import nnscratch as nn

    x, y = data()
    model = nn.mlp(SIZES, rng=0)
    rate = LEARNING_RATE[optimizer]
    chosen = nn.SGD(model, rate, momentum=0.9) if optimizer == "sgd" else nn.Adam(model, rate)
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), chosen, progress=False)
    rng = np.random.default_rng(1)
    return lambda: trainer.fit(x, y, epochs=1, batch_size=batch_size, rng=rng)


def torch(optimizer, batch_size):
    """The same loop as torch's tutorials write it, eager mode."""
    import torch
    from torch import nn

    torch.set_num_threads(2)
    x, y = map(torch.from_numpy, data())
    layers = []
    for inputs, outputs in pairwise(SIZES):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model, loss = nn.Sequential(*layers[:-1]), nn.CrossEntropyLoss()
    rate = LEARNING_RATE[optimizer]
    chosen = (
        torch.optim.SGD(model.parameters(), rate, momentum=0.9)
        if optimizer == "sgd"
        else torch.optim.Adam(model.parameters(), rate)
    )

    def epoch():
        total = right = 0.0
        order = torch.randperm(SAMPLES)
        for start in range(0, SAMPLES, batch_size):
            rows = order[start : start + batch_size]
            x_batch, y_batch = x[rows], y[rows]
            chosen.zero_grad()
            logits = model(x_batch)
            value = loss(logits, y_batch)
            value.backward()
            chosen.step()
            total += value.item()
            right += (logits.argmax(1) == y_batch).sum().item()

    return epoch


CONTESTANTS = {"nnscratch": nnscratch, "torch": torch}


def main(name, optimizer, batch_size, seconds):
    epoch = CONTESTANTS[name](optimizer, int(batch_size))
    epoch()
    start, epochs = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < float(seconds):
        epoch()
        epochs += 1
    print(passed / epochs / (SAMPLES // int(batch_size)))


if __name__ == "__main__":
    main(*sys.argv[1:])
