"""Files -> arrays with a name: the data sets, made ready for a network.

The data's path: `sources.py` says what there is, `files.py` finds or fetches its files, `idx.py`
and `cifar.py` read them; the arrays that leave go through `splits.py` and `minibatches.py` into
the first layer.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.files import files_of
from nnscratch.data.idx import load_idx
from nnscratch.data.images import Images
from nnscratch.data.points import moons, spirals
from nnscratch.data.sources import Source, find_source, unknown

DIGITS_TRAIN = 1437  # of 1797; the other 360 are the test
DIGITS_WHITE = 16  # a pixel counts the set bits of a 4x4 block
REMEDY = "put the data set's own file in its place"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Samples and labels, to train on and to test on.

    Attributes
    ----------
    x_train, x_test : float32 array or Images
        Images (samples, channels, height, width) in [0, 1], or points (samples, 2). Sets of more
        than a few thousand images are `Images`: kept as bytes, float32 when indexed;
        ``np.asarray(x_train)`` makes one float32 array of them.
    y_train, y_test : numpy.ndarray of int64, shape (samples,)
        Labels, 0 to ``len(class_names) - 1``.
    class_names : tuple of str
        What each label means.
    name : str
        The data set's name.
    """

    x_train: NDArray[np.float32] | Images
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32] | Images
    y_test: NDArray[np.int64]
    class_names: tuple[str, ...]
    name: str

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}, x_train {self.x_train.shape}, y_train {self.y_train.shape}, "
            f"x_test {self.x_test.shape}, y_test {self.y_test.shape}, "
            f"{len(self.class_names)} classes)"
        )

    def _repr_html_(self) -> str:
        from nnscratch.display.html import of_dataset

        return of_dataset(self)


def load_dataset(
    name: str, root: str | os.PathLike[str] | None = None, split: str | None = None
) -> Dataset:
    """Load a data set by its name.

    Parameters
    ----------
    name : str
        ``"digits"``: 1797 handwritten digits of 8x8 pixels, part of the package.
        ``"mnist"``, ``"fashion-mnist"``, ``"kmnist"``: 60000 + 10000 handwritten digits, articles
        of clothing, cursive Japanese characters, of 28x28 pixels.
        ``"cifar10"``: 50000 + 10000 photographs of 32x32 pixels, in colour.
        ``"spirals"``, ``"moons"``: points in the plane, always the same ones; the functions
        `nnscratch.data.spirals` and `nnscratch.data.moons` draw others.
    root : str or os.PathLike, optional
        Look only here: in its subfolder of the data set's name, then in the folder itself. None
        looks in the user's cache (``$XDG_CACHE_HOME/nnscratch`` or ``~/.cache/nnscratch``), then
        where the system's packages put data (``/usr/share/datasets``), and downloads into the
        cache what is in neither. What is embedded or generated takes no notice of it.
    split : str, optional
        Only `digits` has a choice. None is a fixed, stratified draw: 1437 images to train on and
        360 to test on. ``"writers"`` tests on the last 360 rows of the source file and trains on
        the 1437 before them. The rows are in the order of the people who wrote them, so most of
        this test (252 images) is by hands that the training never saw, the rest (108) by one of
        which it saw 22 images; in the draw of None every hand is on both sides. Unknown hands are
        harder: small networks get about 0.91 instead of about 0.97 (``datasets/README.md``).

    Returns
    -------
    Dataset
        `x_train, y_train, x_test, y_test` (images in [0, 1] of shape (N, C, H, W), labels int64),
        `class_names` and `name`. New arrays at each call.

    Raises
    ------
    ValueError
        Unknown `name` or `split`, or a file that does not hold what it should.
    FileNotFoundError
        Files are missing and, without a root, could not be downloaded; the message says which,
        how large, from where, and into which folder to put them.

    Examples
    --------
    >>> load_dataset("digits")
    Dataset('digits', x_train (1437, 1, 8, 8), y_train (1437,),
    x_test (360, 1, 8, 8), y_test (360,), 10 classes)
    """
    source = find_source(name)
    if name == "digits":
        return _load_digits(source, split)
    if split is not None:
        raise ValueError(
            f"load_dataset: {name} has one split only, received split={split!r}; leave split out"
        )
    if name == "spirals":
        return _dataset(source, spirals(source.train, rng=0), spirals(source.test, rng=1))
    if name == "moons":
        return _dataset(source, moons(source.train, rng=0), moons(source.test, rng=1))
    paths = files_of(source, root)
    if name == "cifar10":
        from nnscratch.data.cifar import load_cifar  # tarfile is slow to import

        train, test = load_cifar(paths)
        _check_labels(train[1], source, paths[0])
        _check_labels(test[1], source, paths[-1])
    else:
        train, test = _load_pair(source, *paths[:2]), _load_pair(source, *paths[2:])
    return _dataset(source, *((Images(x), y.astype(np.int64)) for x, y in (train, test)))


def _dataset(source: Source, train: tuple[Any, Any], test: tuple[Any, Any]) -> Dataset:
    return Dataset(*train, *test, source.class_names, source.name)


def _load_digits(source: Source, split: str | None) -> Dataset:
    with _embedded("digits/images-idx3-ubyte.gz") as path:
        images = load_idx(path)
    with _embedded("digits/labels-idx1-ubyte.gz") as path:
        labels = load_idx(path)
    if split is None:
        with _embedded("digits/test_rows.txt") as path:
            test = np.loadtxt(path, dtype=np.int64).ravel()
        train = np.setdiff1d(np.arange(len(labels)), test)
    elif split == "writers":
        train, test = np.split(np.arange(len(labels)), [DIGITS_TRAIN])
    else:
        raise ValueError(unknown("split of digits", split, ("writers",)) + "; or leave split out")
    parts = [(_scale(images[rows]), labels[rows].astype(np.int64)) for rows in (train, test)]
    return _dataset(source, *parts)


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
    _check_labels(labels, source, labels_path)
    return images[:, np.newaxis], labels


def _check_labels(labels: NDArray[np.uint8], source: Source, path: Path) -> None:
    classes = len(source.class_names)
    if labels.max(initial=0) >= classes:
        row = int(np.argmax(labels >= classes))
        raise ValueError(
            f"{path}: expected labels 0 to {classes - 1}, "
            f"found {labels[row]} in row {row}; {REMEDY}"
        )


def _scale(images: NDArray[Any]) -> NDArray[np.float32]:
    """The digits' bytes 0..16 of shape (N, 8, 8) -> float32 in [0, 1] of shape (N, 1, 8, 8)."""
    return np.divide(images, np.float32(DIGITS_WHITE), dtype=np.float32)[:, np.newaxis]


def _embedded(file: str) -> AbstractContextManager[Path]:
    """Give the path of a file of `datasets/`, which an installed package calls `_datasets`."""
    from importlib import resources  # slow to import

    try:
        folder: Any = resources.files("nnscratch._datasets")
    except ModuleNotFoundError:  # a checkout on sys.path, not installed
        folder = Path(__file__).parents[2] / "datasets"
    return resources.as_file(folder.joinpath(*file.split("/")))
