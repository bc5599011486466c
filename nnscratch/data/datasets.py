"""Files -> arrays with a name: finds the files of a data set and makes them ready for a network.

The data's path: the files found here are read by `idx.py`; the arrays that leave go through
`splits.py` and `minibatches.py` into the first layer.
"""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.idx import load_idx

DIGITS_CLASSES = tuple("0123456789")
DIGITS_TRAIN = 1437  # of 1797; the other 360 are the test
DIGITS_WHITE = 16  # a pixel counts the set bits of a 4x4 block

FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
FASHION_MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

NAMES = ("digits", "fashion-mnist")


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and labels, to train on and to test on.

    Attributes
    ----------
    x_train, x_test : numpy.ndarray of float32, shape (samples, 1, height, width)
        Images in [0, 1], C-contiguous.
    y_train, y_test : numpy.ndarray of int64, shape (samples,)
        Labels, 0 to ``len(class_names) - 1``.
    class_names : tuple of str
        What each label means.
    name : str
        The data set's name.
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    class_names: tuple[str, ...]
    name: str

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}, x_train {self.x_train.shape}, y_train {self.y_train.shape}, "
            f"x_test {self.x_test.shape}, y_test {self.y_test.shape}, "
            f"{len(self.class_names)} classes)"
        )


def load_dataset(
    name: str, root: str | os.PathLike[str] | None = None, split: str | None = None
) -> Dataset:
    """Load a data set by its name.

    Parameters
    ----------
    name : str
        ``"digits"``: 1797 handwritten digits of 8x8 pixels, part of the package.
        ``"fashion-mnist"``: 70000 pictures of clothes of 28x28 pixels, 60000 to train on.
    root : str or os.PathLike, optional
        Look only here: in the folder itself, then in its subfolder of the data set's name. None
        looks in the user's cache (``$XDG_CACHE_HOME/nnscratch`` or ``~/.cache/nnscratch``), then
        where the system's packages put data (``/usr/share/datasets``). `digits` needs no folder
        and takes no notice of it.
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
        `x_train, y_train, x_test, y_test` (images float32 in [0, 1] of shape (N, 1, H, W), labels
        int64), `class_names` and `name`. New arrays at each call.

    Raises
    ------
    ValueError
        Unknown `name` or `split`, or a file that does not hold what it should.
    FileNotFoundError
        Files are missing; the message says which, where they were looked for, how to get them.

    Examples
    --------
    >>> load_dataset("digits")
    Dataset('digits', x_train (1437, 1, 8, 8), y_train (1437,),
    x_test (360, 1, 8, 8), y_test (360,), 10 classes)
    """
    if name == "digits":
        return _load_digits(split)
    if name == "fashion-mnist":
        if split is not None:
            raise ValueError(
                f"load_dataset: fashion-mnist has one split only, received split={split!r}; "
                "leave split out"
            )
        return _load_fashion_mnist(root)
    raise ValueError(_unknown("data set", name, NAMES))


def _load_digits(split: str | None) -> Dataset:
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
        raise ValueError(_unknown("split of digits", split, ("writers",)) + "; or leave split out")
    return Dataset(
        x_train=_scale(images[train], DIGITS_WHITE),
        y_train=labels[train].astype(np.int64),
        x_test=_scale(images[test], DIGITS_WHITE),
        y_test=labels[test].astype(np.int64),
        class_names=DIGITS_CLASSES,
        name="digits",
    )


def _load_fashion_mnist(root: str | os.PathLike[str] | None) -> Dataset:
    train_images, train_labels, test_images, test_labels = _find_fashion_mnist(root)
    x_train, y_train = _load_pair(train_images, train_labels, 28, len(FASHION_MNIST_CLASSES))
    x_test, y_test = _load_pair(test_images, test_labels, 28, len(FASHION_MNIST_CLASSES))
    return Dataset(x_train, y_train, x_test, y_test, FASHION_MNIST_CLASSES, "fashion-mnist")


def _find_fashion_mnist(root: str | os.PathLike[str] | None) -> list[Path]:
    """Return the four files, all from the first folder that has them all."""
    folders = _folders("fashion-mnist", root)
    looked = []
    for folder in folders:
        found = [_with_or_without_gz(folder / file) for file in FASHION_MNIST_FILES]
        files = [path for path in found if path is not None]
        if len(files) == len(FASHION_MNIST_FILES):
            return files
        missing = [
            file for file, path in zip(FASHION_MNIST_FILES, found, strict=True) if path is None
        ]
        reason = f"lacks {', '.join(missing)}" if folder.is_dir() else "no such folder"
        looked.append(f"{folder} ({reason})")
    raise FileNotFoundError(
        f"load_dataset: fashion-mnist needs the files {', '.join(FASHION_MNIST_FILES)}, "
        f"each with or without .gz; looked in {'; '.join(looked)}. On Debian and Ubuntu "
        f"`apt install dataset-fashion-mnist` installs them; or put all four into {folders[0]}; "
        "or name their folder with root="
    )


def _folders(name: str, root: str | os.PathLike[str] | None) -> list[Path]:
    if root is not None:
        return [Path(root), Path(root) / name]
    folders = [Path("/usr/share/datasets") / name]
    # An empty or relative XDG_CACHE_HOME does not count, says the XDG Base Directory Specification.
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():
        try:
            cache = Path.home() / ".cache"
        except RuntimeError:  # a user without a home, as in some containers
            return folders
    return [cache / "nnscratch" / name, *folders]


def _with_or_without_gz(path: Path) -> Path | None:
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.is_file():
            return candidate
    return None


def _load_pair(
    images_path: Path, labels_path: Path, side: int, classes: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Read images and their labels, and check that each file is the one its name says."""
    remedy = "put the data set's own file in its place"
    images, labels = load_idx(images_path), load_idx(labels_path)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (side, side):
        raise ValueError(
            f"{images_path}: expected uint8 images of shape (samples, {side}, {side}), "
            f"found {images.dtype} of shape {images.shape}; {remedy}"
        )
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise ValueError(
            f"{labels_path}: expected uint8 labels of shape (samples,), "
            f"found {labels.dtype} of shape {labels.shape}; {remedy}"
        )
    if len(labels) != len(images):
        raise ValueError(
            f"{labels_path}: expected {len(images)} labels, one for each image of {images_path}, "
            f"found {len(labels)}; put the two files of the same set side by side"
        )
    if labels.max(initial=0) >= classes:
        row = int(np.argmax(labels >= classes))
        raise ValueError(
            f"{labels_path}: expected labels 0 to {classes - 1}, "
            f"found {labels[row]} in row {row}; {remedy}"
        )
    return _scale(images, 255), labels.astype(np.int64)


def _scale(images: NDArray[Any], white: int) -> NDArray[np.float32]:
    """Bytes 0..white of shape (N, H, W) -> float32 in [0, 1] of shape (N, 1, H, W)."""
    return np.divide(images, np.float32(white), dtype=np.float32)[:, np.newaxis]


def _embedded(file: str) -> AbstractContextManager[Path]:
    """Give the path of a file of `datasets/`, which an installed package calls `_datasets`."""
    from importlib import resources  # slow to import

    try:
        folder: Any = resources.files("nnscratch._datasets")
    except ModuleNotFoundError:  # a checkout on sys.path, not installed
        folder = Path(__file__).parents[2] / "datasets"
    return resources.as_file(folder.joinpath(*file.split("/")))


def _unknown(kind: str, given: object, names: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # only for the message

    close = get_close_matches(str(given).lower(), names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"load_dataset: unknown {kind} {given!r}; there is {', '.join(names)}{hint}"
