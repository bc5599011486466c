"""The digits that come with the package -> arrays, split in one of two ways."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.data.idx import load_idx
from nnscratch.data.sources import Pair, Source

WHITE = 16  # a pixel counts the set bits of a 4x4 block


def read_digits(source: Source, paths: Sequence[Path], split: str | None) -> tuple[Pair, Pair]:
    """Images as float32 in [0, 1], shape (N, 1, 8, 8), and labels, to train and to test on."""
    with embedded("digits/images-idx3-ubyte.gz") as path:
        images = load_idx(path)
    with embedded("digits/labels-idx1-ubyte.gz") as path:
        labels = load_idx(path)
    if split is None:
        with embedded("digits/test_rows.txt") as path:
            test = np.loadtxt(path, dtype=np.int64).ravel()
        train = np.setdiff1d(np.arange(len(labels)), test)
    else:  # by writers
        train, test = np.split(np.arange(len(labels)), [source.train])
    x = np.divide(images, np.float32(WHITE), dtype=np.float32)[:, np.newaxis]
    return (x[train], labels[train]), (x[test], labels[test])


def embedded(file: str) -> AbstractContextManager[Path]:
    """Give the path of a file of `datasets/`, which an installed package calls `_datasets`."""
    from importlib import resources  # slow to import

    try:
        folder: Any = resources.files("nnscratch._datasets")
    except ModuleNotFoundError:  # a checkout on sys.path, not installed
        folder = Path(__file__).parents[2] / "datasets"
    return resources.as_file(folder.joinpath(*file.split("/")))
