"""A folder with a folder of pictures for each class -> images and labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.found import KINDS, MOST_BYTES, Found
from nnscratch.data.images import Images
from nnscratch.data.picture_files import open_picture, picture_size, pictures_in
from nnscratch.data.pictures import fitted, opaque
from nnscratch.files import printable

LONGEST = 64  # pixels of a side; larger pictures are shrunk, as those of the known data sets are
TESTS = ("test", "val", "valid", "validation")  # folders of samples to test on, the first there is


def read_picture_folder(folder: Path, label: str | None) -> Found:
    """Pictures in FOLDER/CLASS/, or in FOLDER/train/CLASS/ and FOLDER/test/CLASS/.

    Where there is no test, but validation data (FOLDER/val/), these are the test.

    All become images of one size, the commonest one, at most 64 pixels high and wide: cut to its
    proportions in the middle, then shrunk. They are grey if all of them are.
    """
    roots, told = _roots(folder)
    parts = [
        [(path, inner.name) for inner in _folders(root) for path in pictures_in(inner)]
        for root in roots
    ]
    skipped = [f"{path}" for root in roots for path in _others(root)]
    sizes: Counter[tuple[int, int]] = Counter()
    for part in parts:
        for path, name in list(part):
            try:
                sizes[picture_size(path)] += 1
            except (OSError, ValueError):
                part.remove((path, name))
                skipped.append(str(path))
    if not all(parts):
        loose = "; its pictures lie in no folder of a class" if pictures_in(folder) else ""
        raise ValueError(f"{folder} holds no pictures in folders; expected {KINDS}{loose}")
    (height, width), notes = _common_size(sizes)
    notes = told + notes
    if sum(map(len, parts)) * height * width * 3 > MOST_BYTES:
        raise ValueError(f"{folder} holds {sum(map(len, parts))} pictures, too many")
    pixels = [_pixels([path for path, _ in part], height, width, skipped) for part in parts]
    kept = [[name for path, name in part if str(path) not in skipped] for part in parts]
    if all((each[:, :1] == each).all() for each in pixels):
        pixels = [np.ascontiguousarray(each[:, :1]) for each in pixels]
    if skipped:
        notes.append(f"skipped {len(skipped)} files, the first is {printable(skipped[0])}")
    found = [(Images(each), names) for each, names in zip(pixels, kept, strict=True)]
    return Found(found[0], found[1] if len(found) > 1 else None, notes=notes)


def _roots(folder: Path) -> tuple[list[Path], list[str]]:
    """The folders that hold those of the classes, to train and to test on; what is said of it."""
    found = {path.name.lower(): path for path in _folders(folder)}
    train = found.pop("train", None)
    test = next((found.pop(name) for name in TESTS if name in found), None)
    if train is None or (test is None and found):  # these are classes
        return [folder], []
    if test is None:
        return [train], []
    told = [] if test.name.lower() == "test" else [f"the test is the folder {test.name}"]
    told += [f"skipped the folder {printable(path.name)}" for path in found.values()]
    return [train, test], told


def _folders(root: Path) -> list[Path]:
    """The folders of the classes, hidden ones left out."""
    inside = (path for path in root.iterdir() if not path.name.startswith("."))
    return sorted(path for path in inside if path.is_dir())


def _others(root: Path) -> list[Path]:
    """What lies beside the pictures; hidden files are not worth a word."""
    every = [path for inner in _folders(root) for path in sorted(inner.iterdir())]
    pictures = {path for inner in _folders(root) for path in pictures_in(inner)}
    return [path for path in every if path not in pictures and not path.name.startswith(".")]


def _common_size(sizes: Counter[tuple[int, int]]) -> tuple[tuple[int, int], list[str]]:
    """The size that all pictures are brought to, and what is said of it."""
    (height, width), count = sizes.most_common(1)[0]
    shrink = max(1.0, max(height, width) / LONGEST)
    size = max(1, round(height / shrink)), max(1, round(width / shrink))
    others = sizes.total() - count
    if size == (height, width) and not others:
        return size, []
    most = f"{count} of {sizes.total()} pictures are {height} x {width}"
    return size, [f"{most}; all are brought to {size[0]} x {size[1]}"]


def _pixels(
    paths: Sequence[Path], height: int, width: int, skipped: list[str]
) -> NDArray[np.uint8]:
    """The pictures as bytes (samples, 3, height, width); what cannot be read joins the skipped."""
    found = []
    for path in paths:
        try:
            picture = fitted(opaque(open_picture(path)), height, width)
        except (OSError, ValueError):
            skipped.append(str(path))
        else:
            found.append(np.rint(255 * picture).astype(np.uint8).transpose(2, 0, 1))
    return np.array(found, np.uint8).reshape(-1, 3, height, width)
