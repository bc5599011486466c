"""One contestant in a process of its own: trains a CNN, and prints a step's time and peak memory.

The nets are written down once, as lists that every contestant reads in its own way. Each draws
minibatches from the full data set, computes loss, gradients and the update by SGD with momentum.
"""

import resource
import sys
import time

import numpy as np

NETS = {
    "lenet": [
        ("conv", 1, 8, 5, 0),
        ("relu",),
        ("pool",),
        ("conv", 8, 16, 5, 0),
        ("relu",),
        ("pool",),
        ("flatten",),
        ("linear", 256, 10),
    ],
    "heavier": [
        ("conv", 1, 32, 3, 1),
        ("relu",),
        ("pool",),
        ("conv", 32, 64, 3, 1),
        ("relu",),
        ("pool",),
        ("flatten",),
        ("linear", 3136, 128),
        ("relu",),
        ("linear", 128, 10),
    ],
}
SAMPLES, RATE, MOMENTUM = 2560, 0.01, 0.9


def data():
    rng = np.random.default_rng(0)
    return rng.random((SAMPLES, 1, 28, 28), np.float32), rng.integers(0, 10, SAMPLES)


def nnscratch(net, batch_size):
    import nnscratch as nn

    builders = {
        "conv": lambda i, o, k, p: nn.Conv2d(i, o, k, padding=p, rng=0),
        "relu": nn.ReLU,
        "pool": lambda: nn.MaxPool2d(2),
        "flatten": nn.Flatten,
        "linear": lambda i, o: nn.Linear(i, o, rng=0),
    }
    x, y = data()
    model = nn.Sequential(*(builders[name](*sizes) for name, *sizes in NETS[net]))
    optimizer = nn.SGD(model, RATE, momentum=MOMENTUM)
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, progress=False)
    rng = np.random.default_rng(1)
    return lambda: trainer.fit(x, y, epochs=1, batch_size=batch_size, rng=rng)


def torch(net, batch_size, channels_last=False):
    import torch
    from torch import nn

    torch.set_num_threads(2)
    builders = {
        "conv": lambda i, o, k, p: nn.Conv2d(i, o, k, padding=p),
        "relu": nn.ReLU,
        "pool": lambda: nn.MaxPool2d(2),
        "flatten": nn.Flatten,
        "linear": nn.Linear,
    }
    x, y = map(torch.from_numpy, data())
    model = nn.Sequential(*(builders[name](*sizes) for name, *sizes in NETS[net]))
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=MOMENTUM)

    def epoch():
        total = right = 0.0
        order = torch.randperm(SAMPLES)
        for start in range(0, SAMPLES, batch_size):
            rows = order[start : start + batch_size]
            x_batch, y_batch = x[rows], y[rows]
            optimizer.zero_grad()
            logits = model(x_batch)
            value = loss(logits, y_batch)
            value.backward()
            optimizer.step()
            total += value.item()
            right += (logits.argmax(1) == y_batch).sum().item()

    return epoch


def torch_channels_last(net, batch_size):
    return torch(net, batch_size, channels_last=True)


def jax(net, batch_size):
    import jax
    import jax.numpy as jnp
    from jax import lax

    x, y = data()
    rng = np.random.default_rng(0)
    shapes = [
        (sizes[1], sizes[0], sizes[2], sizes[2]) if name == "conv" else (sizes[1], sizes[0])
        for name, *sizes in NETS[net]
        if name in ("conv", "linear")
    ]
    weights = [
        (jnp.asarray(rng.normal(0, 0.05, shape), jnp.float32), jnp.zeros(shape[0], jnp.float32))
        for shape in shapes
    ]
    velocity = jax.tree.map(jnp.zeros_like, weights)

    def loss(weights, x, y):
        left = iter(weights)
        for name, *sizes in NETS[net]:
            if name == "conv":
                W, b = next(left)
                x = lax.conv(x, W, (1, 1), "SAME" if sizes[3] else "VALID")
                x = x + b[:, None, None]
            elif name == "linear":
                W, b = next(left)
                x = x @ W.T + b
            elif name == "relu":
                x = jax.nn.relu(x)
            elif name == "pool":
                window = (1, 1, 2, 2)
                x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
            else:
                x = x.reshape(len(x), -1)
        scores = jax.nn.log_softmax(x)
        return -scores[jnp.arange(len(y)), y].mean(), (x.argmax(1) == y).sum()

    @jax.jit
    def step(weights, velocity, x, y):
        (value, right), grads = jax.value_and_grad(loss, has_aux=True)(weights, x, y)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, grads)
        weights = jax.tree.map(lambda w, v: w - RATE * v, weights, velocity)
        return weights, velocity, value, right

    order_rng = np.random.default_rng(1)

    def epoch():
        nonlocal weights, velocity
        order = order_rng.permutation(SAMPLES)
        for start in range(0, SAMPLES, batch_size):
            rows = order[start : start + batch_size]
            weights, velocity, value, right = step(weights, velocity, x[rows], y[rows])
            float(value), int(right)

    return epoch


def im2col(net, batch_size):
    """Convolutions as a textbook has them: every patch copied into a row of one matrix."""
    import nnscratch as nn

    class Conv(nn.Layer):
        def __init__(self, i, o, k, p):
            self.k, self.p = k, p
            self.params = {
                "W": nn.initializers.glorot_uniform((o, i, k, k), 0),
                "b": np.zeros(o, np.float32),
            }

        def forward_pass(self, x):
            p, k = self.p, self.k
            padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), (2, 3))
            n, c, h, w = windows.shape[:4]
            columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, c * k * k)
            W, b = self.params["W"], self.params["b"]
            y = columns @ W.reshape(len(W), -1).T + b
            return y.reshape(n, h, w, -1).transpose(0, 3, 1, 2), (columns, padded.shape)

        def backprop(self, dy, cache, out=None, need_dx=True):
            columns, shape = cache
            W = self.params["W"]
            rows = dy.transpose(0, 2, 3, 1).reshape(-1, len(W))
            grads = {"W": (rows.T @ columns).reshape(W.shape), "b": rows.sum(0)}
            if not need_dx:
                return None, grads
            n, _, h, w = dy.shape
            k, p = self.k, self.p
            patches = (rows @ W.reshape(len(W), -1)).reshape(n, h, w, shape[1], k, k)
            dx = np.zeros(shape, dy.dtype)
            for i in range(k):
                for j in range(k):
                    dx[:, :, i : i + h, j : j + w] += patches[..., i, j].transpose(0, 3, 1, 2)
            return dx[:, :, p : shape[2] - p, p : shape[3] - p], grads

    class Pool(nn.Layer):
        def forward_pass(self, x):
            n, c, h, w = x.shape
            windows = x.reshape(n, c, h // 2, 2, w // 2, 2)
            y = windows.max((3, 5))
            return y, (windows == y[:, :, :, None, :, None], x.shape)

        def backward_pass(self, dy, cache):
            mask, shape = cache
            return (mask * dy[:, :, :, None, :, None]).reshape(shape)

    x, y = data()
    builders = {
        "conv": Conv,
        "relu": nn.ReLU,
        "pool": Pool,
        "flatten": nn.Flatten,
        "linear": lambda i, o: nn.Linear(i, o, rng=0),
    }
    model = nn.Sequential(*(builders[name](*sizes) for name, *sizes in NETS[net]))
    optimizer = nn.SGD(model, RATE, momentum=MOMENTUM)
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, progress=False)
    return lambda: trainer.fit(x, y, epochs=1, batch_size=batch_size, rng=1)


CONTESTANTS = {
    "nnscratch": nnscratch,
    "torch": torch,
    "torch channels_last": torch_channels_last,
    "jax.jit": jax,
    "textbook im2col": im2col,
}


def resident():
    """The largest resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(name, net, batch_size, seconds):
    epoch = CONTESTANTS[name](net, int(batch_size))
    before = resident()  # libraries and data are loaded; what comes on top is the training's
    epoch()
    start, epochs = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < float(seconds):
        epoch()
        epochs += 1
    print(passed / epochs / (SAMPLES // int(batch_size)), resident() - before)


if __name__ == "__main__":
    main(*sys.argv[1:])
