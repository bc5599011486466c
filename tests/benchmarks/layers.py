"""Forward and backward pass of single layers beside torch's: python -m tests.benchmarks.layers

Both in one process, on one thread, in turns; processor's time, which means something on a busy
machine too.
"""

import argparse
import statistics
import time

import numpy as np

from tests.benchmarks.table import heading, ratio
from tests.benchmarks.threads import limited_threads

ROWS, IMAGES, WIDE = (128, 256), (64, 32, 14, 14), (512, 1024)
STEPS, LONG = (32, 64, 64), (32, 64, 512)  # (batch, time, features)

# name: (ours, torch's, shape of x, largest ratio hoped for). Images lie in memory as convolutions
# of each library leave them.
CASES = {
    "ReLU, rows": ("ReLU()", "ReLU()", ROWS, 1.2),
    "ReLU, images": ("ReLU()", "ReLU()", IMAGES, 1.2),
    "GELU, steps": ("GELU()", "GELU()", (2048, 256), 1.2),
    "BatchNorm, rows": ("BatchNorm(256)", "BatchNorm1d(256)", ROWS, 1.2),
    "BatchNorm, wide rows": ("BatchNorm(1024)", "BatchNorm1d(1024)", WIDE, 1.2),
    "BatchNorm, images": ("BatchNorm(32)", "BatchNorm2d(32)", IMAGES, 1.2),
    "LayerNorm, rows": ("LayerNorm(256)", "LayerNorm(256)", ROWS, 1.2),
    "LayerNorm, steps": ("LayerNorm(64)", "LayerNorm(64)", STEPS, 1.2),
    "LayerNorm, wide steps": ("LayerNorm(512)", "LayerNorm(512)", LONG, 1.2),
    "RMSNorm, wide steps": ("RMSNorm(512)", "RMSNorm(512)", LONG, 1.2),
    "GroupNorm, images": ("GroupNorm(8, 32)", "GroupNorm(8, 32)", IMAGES, 1.2),
    "InstanceNorm, images": ("InstanceNorm(32)", "InstanceNorm2d(32, affine=True)", IMAGES, 1.2),
    "MaxPool 2": ("MaxPool2d(2)", "MaxPool2d(2)", IMAGES, 1.2),
    "MaxPool 3, stride 2": ("MaxPool2d(3, 2)", "MaxPool2d(3, 2)", IMAGES, 1.2),
    "correlation 3 x 3": ("Conv2d(32, 32, 3)", "Conv2d(32, 32, 3)", IMAGES, None),
    "in 4 groups": ("Conv2d(32, 32, 3, groups=4)", "Conv2d(32, 32, 3, groups=4)", IMAGES, None),
    "depthwise": ("Conv2d(32, 32, 3, groups=32)", "Conv2d(32, 32, 3, groups=32)", IMAGES, None),
    "LSTM, 28 steps": ("LSTM(28, 128)", "LSTM(28, 128, batch_first=True)", (64, 28, 28), 1.2),
    "GRU, 50 steps": ("GRU(64, 128)", "GRU(64, 128, batch_first=True)", (32, 50, 64), 1.2),
    "transformer block": (
        "TransformerBlock(64, 4, 256)",
        "TransformerEncoderLayer(64, 4, 256, 0.0, 'gelu', batch_first=True, norm_first=True)",
        STEPS,
        1.2,
    ),
}


def samples_innermost(x):
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)


def ours(text, x, dy_of):
    import nnscratch as nn
    from nnscratch.training.memory import keep_freed_memory

    keep_freed_memory()
    layer = eval(f"nn.{text}", {"nn": nn})
    x = samples_innermost(x) if x.ndim == 4 else x
    y, _ = layer.forward_pass(x)
    dy = np.empty_like(y)
    dy[...] = dy_of(y.shape)

    def both_passes():
        _, cache = layer.forward_pass(x)
        layer.backprop(dy, cache)

    return both_passes


def torch(text, x, dy_of):
    import torch

    torch.set_num_threads(1)
    layer = eval(f"nn.{text}", {"nn": torch.nn})
    x = torch.from_numpy(x).requires_grad_()
    first = layer(x)
    several = isinstance(first, tuple)
    dy = torch.from_numpy(dy_of(tuple((first[0] if several else first).shape)))

    def both_passes():
        x.grad = None
        layer.zero_grad()
        y = layer(x)
        (y[0] if several else y).backward(dy)

    return both_passes


def time_of(work, seconds):
    """The processor's seconds of one call, from as many as take about so long."""
    calls = 1
    while True:
        start = time.process_time()
        for _ in range(calls):
            work()
        taken = time.process_time() - start
        if taken >= seconds:
            return taken / calls
        calls = max(2 * calls, int(calls * seconds / max(taken, 1e-6)))


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.layers")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="words of names; all unless told")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.04, help="length of one burst")
    options = parser.parse_args()
    print(heading(1))
    print(f"forward and backward pass, median of {options.rounds} rounds: ratio, and its range")
    rng = np.random.default_rng(0)
    for name, (mine, theirs, shape, target) in CASES.items():
        if options.cases and not any(word in name for word in options.cases):
            continue
        x = rng.normal(size=shape).astype(np.float32)

        def dy_of(shape):
            return np.random.default_rng(1).normal(size=shape).astype(np.float32)

        works = ours(mine, x, dy_of), torch(theirs, x, dy_of)
        times = [[time_of(work, options.seconds) for work in works] for _ in range(options.rounds)]
        mine, theirs = zip(*times, strict=True)
        middle, low, high = ratio(mine, theirs)
        line = f"{name:24}{1e6 * statistics.median(mine):>9.0f} us  torch "
        line += (
            f"{1e6 * statistics.median(theirs):>9.0f} us  {middle:.2f} ({low:.2f} to {high:.2f})"
        )
        if target is not None:
            line += f"  hoped for: {target}: {'reached' if middle <= target else 'missed'}"
        print(line, flush=True)


if __name__ == "__main__":
    import subprocess
    import sys

    if len(sys.argv) < 2 or sys.argv[1] != "--here":
        with limited_threads(1):  # before NumPy is loaded
            command = [sys.executable, "-m", "tests.benchmarks.layers", "--here", *sys.argv[1:]]
            sys.exit(subprocess.run(command, check=False).returncode)
    sys.argv.pop(1)
    main()
