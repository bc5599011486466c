"""IDX files, as MNIST and its relatives are published -> images and labels that fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.found import Found
from nnscratch.data.idx import load_idx
from nnscratch.data.images import Images, channels_first
from nnscratch.data.sources import REMEDY, Pair, Source
from nnscratch.files import printable


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


def idx_files(folder: Path) -> dict[str, Path]:
    """The IDX files of a folder: "train images", "train labels", "test images", "test labels".

    Recognized by their names, which hold `images` or `labels` and, for the test, `t10k` or `test`.
    """
    return {what: paths[0] for what, paths in _idx_files(folder).items()}


def _idx_files(folder: Path) -> dict[str, list[Path]]:
    """All of them by what they are, as EMNIST comes with six sets in one folder."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        kind = next((kind for kind in ("images", "labels") if kind in name), "")
        if kind and name.removesuffix(".gz").endswith("ubyte") and not name.startswith("."):
            part = "test" if "t10k" in name or "test" in name else "train"
            found.setdefault(f"{part} {kind}", []).append(path)
    return found


def _skipped(folder: Path) -> list[str]:
    """What is to be said of a folder of several sets, of which the first by name is read."""
    of_kinds = list(_idx_files(folder).values())
    first = {paths[0].name.removesuffix(".gz") for paths in of_kinds}
    names = [path.name for paths in of_kinds for path in paths[1:]]
    others = [name for name in names if name.removesuffix(".gz") not in first]  # but no packed twin
    if not others:
        return []
    return [
        f"read {printable(of_kinds[0][0].name)} and its kin; skipped {len(others)} IDX files of "
        f"other sets, the first is {printable(others[0])}; for another one give each set its folder"
    ]


def read_idx_folder(folder: Path, label: str | None) -> Found:
    """The images and labels of a folder of IDX files, with or without a test of their own."""
    files = idx_files(folder)
    pairs = []
    for part in ("train", "test"):
        paths = [files.get(f"{part} {kind}") for kind in ("images", "labels")]
        if any(paths):
            pairs.append(_own_pair(folder, part, *paths))
    test = pairs[1] if len(pairs) > 1 else None
    return Found(pairs[0], test, notes=_skipped(folder))


def _own_pair(folder: Path, part: str, images: Path | None, labels: Path | None) -> Pair:
    if images is None or labels is None:
        lacking = "images" if images is None else "labels"
        raise ValueError(f"{folder} lacks the IDX file of the {lacking} to {part} on")
    x, y = load_idx(images), load_idx(labels)
    if x.dtype != np.uint8 or x.ndim not in (3, 4):
        raise ValueError(
            f"{images}: expected uint8 images of shape (samples, height, width), "
            f"found {x.dtype} of shape {x.shape}"
        )
    return Images(np.ascontiguousarray(channels_first(x))), y
