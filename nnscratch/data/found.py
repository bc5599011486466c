"""What was found in somebody's files, before the labels are numbers and the test is split off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_BYTES = 1 << 31  # of an array in memory
KINDS = (
    "an .npz file with x_train, y_train, x_test, y_test; a .csv file with a column of labels; "
    "a folder of IDX files; a folder with a folder of pictures for each class"
)


@dataclass
class Found:
    """What a reader found: samples and labels as they stand in the files.

    Attributes
    ----------
    train : (x, labels)
        Labels are integers or text, one for each sample.
    test : (x, labels) or None
        None where the files make no difference.
    class_names : sequence of str, optional
        Where the labels are 0, 1, ... and the files name them.
    notes : list of str
    """

    train: tuple[Any, Any]
    test: tuple[Any, Any] | None = None
    class_names: Sequence[str] | None = None
    notes: list[str] = field(default_factory=list)
