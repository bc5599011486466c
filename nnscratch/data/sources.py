"""What a data set is before it is read: its samples, its terms, where its files are, who reads it.

The sets themselves stand in `catalogue.py`; `files.py` finds or fetches their files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

REMEDY = "put the data set's own file in its place"

Pair = tuple[Any, NDArray[Any]]  # samples and their labels


@dataclass(frozen=True)
class RemoteFile:
    """A file as its publisher offers it."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Framing:
    """How the makers of a data set placed what their images show.

    Attributes
    ----------
    box : (height, width)
        What it is shrunk into, its proportions kept.
    by_mass : bool
        Whether its centre of mass is put into the middle of the image, or that of its outline.
    pen : float
        Whether it is drawn with a pen, on which then everything is either ink or paper, and how
        thick the strokes are at least, as a share of the box's height; 0 for other images.
    """

    box: tuple[int, int]
    by_mass: bool = False
    pen: float = 0.0


@dataclass(frozen=True)
class Source:
    """A data set before it is read.

    Attributes
    ----------
    name : str
    about : str
        What it shows, in a few words.
    shape : tuple of int
        Of one sample: (channels, height, width), or (2,) for points.
    train, test : int
        How many samples there are.
    class_names : tuple of str
    licence, page : str
        The terms, "" if none are stated, and where its makers describe it, "" if it is generated.
    files : tuple of RemoteFile
        None for what is embedded or generated.
    mirrors : tuple of str
        Addresses to which a file's name is appended, tried in this order.
    package : str
        The Debian package that installs it, where there is one.
    read : function of (source, paths, split)
        Gives the pairs (x, y) to train and to test on; paths are those of the files.
    splits : tuple of str
        The names of other splits than its usual one.
    framing : Framing, optional
        How a picture of one's own is placed; without it whole pictures are shrunk.
    """

    name: str
    about: str
    shape: tuple[int, ...]
    train: int
    test: int
    class_names: tuple[str, ...]
    licence: str = ""
    page: str = ""
    files: tuple[RemoteFile, ...] = ()
    mirrors: tuple[str, ...] = ()
    package: str = ""
    read: Callable[[Source, Sequence[Path], str | None], tuple[Pair, Pair]] | None = None
    splits: tuple[str, ...] = ()
    framing: Framing | None = None

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)

    def check_labels(self, labels: NDArray[Any], path: Path) -> None:
        """Refuse labels that name no class of the set."""
        classes = len(self.class_names)
        if labels.max(initial=0) >= classes:
            row = int(np.argmax(labels >= classes))
            raise ValueError(
                f"{path}: expected labels 0 to {classes - 1}, "
                f"found {labels[row]} in row {row}; {REMEDY}"
            )
