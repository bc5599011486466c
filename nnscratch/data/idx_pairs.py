"""Four IDX files, as MNIST and its relatives are published -> images and labels that fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.idx import load_idx
from nnscratch.data.sources import REMEDY, Pair, Source


def read_idx_pairs(source: Source, paths: Sequence[Path], split: str | None) -> tuple[Pair, Pair]:
    """Bytes of shape (N, 1, height, width) and labels, to train and to test on."""
    return _load_pair(source, *paths[:2]), _load_pair(source, *paths[2:])


def _load_pair(
    source: Source, images_path: Path, labels_path: Path
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read images and their labels, and check that each file is the one its name says."""
    images, labels = load_idx(images_path), load_idx(labels_path)
    height, width = source.shape[1:]
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (height, width):
        raise ValueError(
            f"{images_path}: expected uint8 images of shape (samples, {height}, {width}), "
            f"found {images.dtype} of shape {images.shape}; {REMEDY}"
        )
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise ValueError(
            f"{labels_path}: expected uint8 labels of shape (samples,), "
            f"found {labels.dtype} of shape {labels.shape}; {REMEDY}"
        )
    if len(labels) != len(images):
        raise ValueError(
            f"{labels_path}: expected {len(images)} labels, one for each image of {images_path}, "
            f"found {len(labels)}; put the two files of the same set side by side"
        )
    source.check_labels(labels, labels_path)
    return images[:, np.newaxis], labels
