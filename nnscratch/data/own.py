"""Somebody's own files -> a data set: an .npz, a CSV, a folder of IDX files or of pictures.

What the files do not say is decided here and told in `Dataset.notes`: which samples are the test,
which classes there are, what was skipped.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.found import KINDS, Found
from nnscratch.data.images import Images, subset
from nnscratch.data.sources import Pair
from nnscratch.data.splits import stratified_split
from nnscratch.files import printable

TEST_SHARE = 0.2  # of files that do not say what is the test
LARGE = 30.0  # features beyond it, or all below 1 / LARGE, make a slow start


def read_own(path: str | os.PathLike[str], label: str | None = None) -> Found:
    """Read somebody's data.

    Parameters
    ----------
    path : str or os.PathLike
    label : str, optional
        The column of a CSV file that holds the labels.

    Raises
    ------
    FileNotFoundError
        There is nothing at the path.
    ValueError
        It is of none of the kinds, or something is wrong with it; the message names the place.
    """
    place = Path(path)
    if not place.exists():
        raise FileNotFoundError(f"there is no file or folder {place}")
    if label is not None and place.suffix.lower() not in (".csv", ".tsv"):
        raise ValueError(f"label (--label) names a column of a .csv file, {place} is none")
    found = _reader(place)(place, label)
    x, labels = found.train
    found.train = _checked(x, labels, place, "train")
    if found.test is not None:
        x_test, labels = found.test
        found.test = _checked(x_test, labels, place, "test")
        if x_test.shape[1:] != x.shape[1:]:
            raise ValueError(
                f"{place}: samples to train on are of shape {x.shape[1:]}, those to test on "
                f"{x_test.shape[1:]}"
            )
    return found


def _reader(place: Path) -> Any:
    """The function that reads such a path."""
    if place.is_dir():
        from nnscratch.data.idx_pairs import idx_files, read_idx_folder
        from nnscratch.data.picture_folders import read_picture_folder

        return read_idx_folder if idx_files(place) else read_picture_folder
    if place.suffix.lower() == ".npz":
        from nnscratch.data.npz_sets import read_npz_set

        return read_npz_set
    if place.suffix.lower() in (".csv", ".tsv"):
        from nnscratch.data.csv_tables import read_csv

        return read_csv
    raise ValueError(f"{place} is no data set; expected {KINDS}")


def labelled(found: Found, place: Path) -> tuple[Pair, Pair, tuple[str, ...]]:
    """What to train and to test on, with labels 0, 1, ..., and the names of the classes."""
    if found.test is None:
        x, labels = found.train
        classes = np.unique(labels, return_inverse=True)[1]
        rows, held = stratified_split(classes, round(TEST_SHARE * len(labels)), rng=0)
        if not len(held) or not len(rows):
            raise ValueError(f"{place}: {len(labels)} samples are too few to train and to test on")
        found.train, found.test = ((subset(x, part), labels[part]) for part in (rows, held))
        found.notes.append(
            f"the test is a fifth, {len(held)} of {len(labels)} samples, drawn from each class in "
            "proportion, always the same ones"
        )
    train, test = found.train[1], found.test[1]
    names, numbers = _classes(found, np.concatenate([train, test]), place)
    found.notes.append(f"{len(names)} classes: {_some(names)}")
    unseen = np.setdiff1d(np.arange(len(names)), numbers[: len(train)])
    if len(unseen):
        found.notes.append(f"no sample to train on is of {_some([names[k] for k in unseen])}")
    if badly_scaled(x := found.train[0]):
        found.notes.append(
            f"features reach {np.abs(x).max():.4g}; a model that begins with "
            f"Normalize({x.shape[1]}) trains better on them, as those of nnscratch train do"
        )
    return (
        (found.train[0], numbers[: len(train)]),
        (found.test[0], numbers[len(train) :]),
        names,
    )


def _classes(
    found: Found, labels: NDArray[Any], place: Path
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The names of the classes, and every label as a number from 0 on."""
    if found.class_names is not None:
        names = tuple(printable(str(name)) for name in found.class_names)
        if labels.dtype.kind == "U":
            labels = _numbered(labels, found.class_names, place)
        if labels.min() < 0 or labels.max() >= len(names):
            raise ValueError(
                f"{place}: expected labels 0 to {len(names) - 1}, one for each of its class names, "
                f"found {labels.min()} to {labels.max()}"
            )
        return names, labels.astype(np.int64)
    kinds, numbers = np.unique(labels, return_inverse=True)
    if len(kinds) < 2:
        only = printable(str(kinds[0]))
        raise ValueError(f"{place}: every label is {only}; two classes are needed")
    if len(kinds) > max(20, len(labels) // 2):
        raise ValueError(
            f"{place}: {len(kinds)} different labels for {len(labels)} samples, which are no "
            "classes; name the column that holds them with label= (--label)"
        )
    if labels.dtype.kind in "iu" and not np.array_equal(kinds, np.arange(len(kinds))):
        found.notes.append(f"the labels {_some(kinds)} became 0 to {len(kinds) - 1}")
    return tuple(printable(str(kind)) for kind in kinds), numbers.astype(np.int64)


def badly_scaled(x: Any) -> bool:
    """Whether samples are numbers of a size that a network learns slowly from."""
    if isinstance(x, Images):
        return False
    largest = np.abs(x).max(initial=0)
    return bool(largest > LARGE or 0 < largest < 1 / LARGE)


def _numbered(labels: NDArray[Any], names: Sequence[str], place: Path) -> NDArray[np.int64]:
    """Labels that are names as their places among the names of the classes."""
    numbers = {str(name): number for number, name in enumerate(names)}
    if others := sorted(set(labels.tolist()) - numbers.keys()):
        raise ValueError(
            f"{place}: the label {printable(others[0])} is none of its class names, {_some(names)}"
        )
    return np.array([numbers[label] for label in labels.tolist()], np.int64)


def _checked(x: Any, labels: Any, place: Path, part: str) -> tuple[Any, NDArray[Any]]:
    """Samples and labels that fit, of numbers that can be computed with."""
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] > 1 and np.isin(labels, (0, 1)).all():
        labels = _of_one_hot(labels, place)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.ndim != 1 or len(labels) != len(x):
        raise ValueError(
            f"{place}: expected one label for each of the {len(x)} samples to {part} on, "
            f"found labels of shape {labels.shape}"
        )
    if not len(x):
        raise ValueError(f"{place}: there is no sample to {part} on")
    if labels.dtype.kind == "f" and (abs(labels) < 2**53).all() and (labels % 1 == 0).all():
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "S":
        labels = np.array([printable(label.decode("utf-8", "replace")) for label in labels])
    if labels.dtype.kind not in "iubU":
        raise ValueError(
            f"{place}: labels are whole numbers or text, found {labels.dtype}{_odd(labels, part)}"
        )
    if not isinstance(x, Images) and not np.isfinite(x).all():
        row = int(np.argmin(np.isfinite(x).reshape(len(x), -1).all(axis=1)))
        raise ValueError(f"{place}: sample {row} to {part} on holds NaN or infinity; leave it out")
    return x, labels.astype(np.int64) if labels.dtype.kind == "b" else labels


def _of_one_hot(rows: NDArray[Any], place: Path) -> NDArray[np.int64]:
    """The class of each row; a ValueError where a sample is of several, or of none."""
    counts = rows.astype(bool).sum(axis=1)
    odd = np.flatnonzero(counts != 1)
    if len(odd):
        raise ValueError(
            f"{place}: sample {odd[0]} is of {counts[odd[0]]} of the {rows.shape[1]} classes, and "
            "a row of labels has one 1; to train on several at once write a script with "
            "BCEWithLogits"
        )
    return rows.argmax(axis=1)


def _odd(labels: NDArray[Any], part: str) -> str:
    """Which label is the first that is no class, and what to do."""
    if labels.dtype.kind != "f":
        return "; save them as text, y.astype(str)"
    row = int(np.flatnonzero(~(labels % 1 == 0) | (abs(labels) >= 2**53))[0])
    label = f", {labels[row]} for sample {row} to {part} on"
    if np.isfinite(labels[row]):
        return f"{label}; for a regression write a script with MSELoss"
    return f"{label}; leave it out"


def _some(names: Sequence[Any] | NDArray[Any], most: int = 12) -> str:
    shown = ", ".join(printable(str(name)) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
