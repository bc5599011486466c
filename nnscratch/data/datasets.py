"""Files -> arrays with a name: the data sets, made ready for a network.

The data's path: `catalogue.py` says what there is and who reads it, `files.py` finds or fetches
its files, `idx_pairs.py` and `cifar.py` read them; the arrays that leave go through `splits.py` and
`minibatches.py` into the first layer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.catalogue import SOURCES, source_of, unknown
from nnscratch.data.files import files_of
from nnscratch.data.images import Images
from nnscratch.files import printable
from nnscratch.kinds import checks_kinds


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
        The data set's name; of one's own data the file's or folder's.
    notes : tuple of str
        Of one's own data what was decided: the test, the classes, what was skipped.
    """

    x_train: NDArray[np.float32] | Images
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32] | Images
    y_test: NDArray[np.int64]
    class_names: tuple[str, ...]
    name: str
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}, x_train {self.x_train.shape}, y_train {self.y_train.shape}, "
            f"x_test {self.x_test.shape}, y_test {self.y_test.shape}, "
            f"{len(self.class_names)} classes)"
        )

    def _repr_html_(self) -> str:
        from nnscratch.display.html import of_dataset

        return of_dataset(self)


@checks_kinds
def load_dataset(
    name: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    label: str | None = None,
) -> Dataset:
    """Load a data set by its name, or one's own by its path.

    Parameters
    ----------
    name : str or os.PathLike
        ``"digits"``: 1797 handwritten digits of 8x8 pixels, part of the package.
        ``"mnist"``, ``"fashion-mnist"``, ``"kmnist"``: 60000 + 10000 handwritten digits, articles
        of clothing, cursive Japanese characters, of 28x28 pixels.
        ``"cifar10"``: 50000 + 10000 photographs of 32x32 pixels, in colour.
        ``"spirals"``, ``"moons"``: points in the plane, always the same ones; the functions
        `nnscratch.data.spirals` and `nnscratch.data.moons` draw others.
        Else a path: an ``.npz`` with x_train, y_train, x_test, y_test (or x, y); a ``.csv`` whose
        labels stand in the column `label`, else in the first; a folder of IDX files; a folder with
        a folder of pictures for each class. Without a test of its own a fifth of it becomes the
        test, the same one always; `Dataset.notes` tells this, the classes and what was skipped.
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
    label : str, optional
        The column of a CSV file that holds the labels.

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
    if is_path(name):
        return _own(name, split, label)
    source = source_of(cast(str, name))
    if label is not None:
        raise ValueError(f"load_dataset: label is for a CSV file, not for {name}; leave it out")
    if split is not None and not source.splits:
        raise ValueError(
            f"load_dataset: {name} has one split only, received split={split!r}; leave split out"
        )
    if split is not None and split not in source.splits:
        wrong = unknown(f"split of {name}", split, source.splits)
        raise ValueError(f"{wrong}; or leave split out")
    assert source.read is not None
    train, test = source.read(source, files_of(source, root) if source.files else (), split)
    return Dataset(*_ready(*train), *_ready(*test), source.class_names, source.name)


def is_path(name: str | os.PathLike[str]) -> bool:
    """Whether this is the path of somebody's own data, and not the name of a data set."""
    if not isinstance(name, str):
        return isinstance(name, os.PathLike)
    return name not in SOURCES and ("." in name or "/" in name or Path(name).exists())


def _own(path: str | os.PathLike[str], split: str | None, label: str | None) -> Dataset:
    from nnscratch.data.own import labelled, read_own

    if split is not None:
        raise ValueError(f"load_dataset: split is for digits, not for {path}; leave it out")
    found = read_own(path, label)
    train, test, class_names = labelled(found, Path(path))
    name = printable(Path(path).resolve().name)
    return Dataset(*train, *test, class_names, name, tuple(found.notes))


def _ready(x: Any, y: NDArray[Any]) -> tuple[Any, NDArray[np.int64]]:
    """Samples and labels as a data set keeps them: bytes as `Images`."""
    return Images(x) if x.dtype == np.uint8 else x, y.astype(np.int64)
