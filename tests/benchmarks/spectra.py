"""python -m tests.benchmarks.spectra: from which kernel size on spectra pay in a correlation.

Forward pass and both gradients by patches (`im2col.py`) and by spectra (`fft.py`),
in turns in one process, and which of the two the layers choose by `spectral.pays`. A ratio below
1 means that spectra are faster.
"""

import argparse
import statistics
import time

import numpy as np

import nnscratch as nn
from nnscratch.layers.spatial.fft import Spectrum, pays
from nnscratch.layers.spatial.im2col import Patches, samples_last
from nnscratch.training.memory import keep_freed_memory

SHAPES = [  # channels, kernels, size, batch
    (1, 8, (28, 28), 64),
    (3, 16, (32, 32), 32),
    (8, 16, (28, 28), 64),
    (8, 16, (28, 28), 1),
    (32, 64, (28, 28), 16),
    (64, 64, (14, 14), 32),
    (8, 16, (2000,), 16),
]
KERNELS = {2: (3, 5, 7, 9, 11, 15, 21), 1: (15, 31, 63, 127, 255)}


def step(way, x, dy, W, axes):
    seen = way(x, axes)
    seen.correlate(W)
    seen.weight_gradient(dy)
    seen.input_gradient(dy, W)


def seconds(way, *arguments):
    start = time.perf_counter()
    step(way, *arguments)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.spectra", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print("  channels     size batch kernel  spectra / patches  choice")
    keep_freed_memory()  # as while training
    rng = np.random.default_rng(0)
    for channels, kernels, size, batch in SHAPES:
        for kernel_size in KERNELS[len(size)]:
            kind = nn.Conv2d if len(size) == 2 else nn.Conv1d
            layer = kind(channels, kernels, kernel_size, padding="same", rng=0)
            x = rng.normal(size=(batch, channels, *size)).astype(np.float32)
            dy = rng.normal(size=(batch, kernels, *size)).astype(np.float32)
            x, dy = (samples_last(a.reshape(*a.shape[:2], -1, size[-1])) for a in (x, dy))
            arguments = (x, dy, layer.kernel(), layer.image_axes)
            step(Patches, *arguments), step(Spectrum, *arguments)
            ratio = statistics.median(
                seconds(Spectrum, *arguments) / seconds(Patches, *arguments)
                for _ in range(options.rounds)
            )
            choice = "spectra" if pays(x.shape, layer.image_axes, kernels) else "patches"
            right = "" if (ratio < 1) == (choice == "spectra") else " (the slower)"
            shown = "x".join(map(str, size))
            print(
                f"{channels:>5}->{kernels:<3} {shown:>8} {batch:>5} {kernel_size:>6} {ratio:>18.2f}"
                f"  {choice}{right}",
                flush=True,
            )


if __name__ == "__main__":
    main()
