"""A text -> its characters as numbers: a vocabulary, and windows that ask for each next one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnscratch.data.digits import embedded
from nnscratch.files import read_text
from nnscratch.kinds import array_of, checks_kinds, received

MOST = 1 << 28  # bytes of a text
SONNETS = "sonnets/sonnets.txt"


@checks_kinds
def text(path: str | os.PathLike[str] | None = None) -> Text:
    """Read a text in UTF-8; without a path twenty sonnets of Shakespeare's, which are embedded.

    Raises
    ------
    OSError
        There is no such file.
    ValueError
        It is no regular file, not UTF-8, empty, or has more than 256 MB.

    Examples
    --------
    >>> sonnets = text()
    >>> sonnets.content[:36]
    'From fairest creatures we desire inc'
    >>> len(sonnets.vocabulary)
    59
    """
    if path is not None:
        content = read_text(path, MOST)
        if not content:
            raise ValueError(f"{os.fspath(path)} is empty; a text needs characters")
        return Text(content)
    with embedded(SONNETS) as file:
        return Text(read_text(file, MOST))


class Text:
    """Characters and their numbers.

    Parameters
    ----------
    content : str

    Attributes
    ----------
    content : str
    vocabulary : tuple of str
        Each character of the content once, in the order of their code points; its place is its
        number.
    codes : int64 array (characters,)
        The content in numbers.

    Examples
    --------
    >>> short = Text("banana")
    >>> short.vocabulary, short.codes
    (('a', 'b', 'n'), array([1, 0, 2, 0, 2, 0]))
    >>> x, y = short.windows(3)
    >>> [short.decode(row) for row in x], [short.decode(row) for row in y]
    (['ban'], ['ana'])
    """

    @checks_kinds
    def __init__(self, content: str) -> None:
        points = np.frombuffer(content.encode("utf-32-le", "surrogatepass"), "<u4")
        kinds, codes = np.unique(points, return_inverse=True)
        self.content, self.codes = content, codes.astype(np.int64)
        self.vocabulary = tuple(chr(point) for point in kinds)
        self._numbers = {character: number for number, character in enumerate(self.vocabulary)}

    def encode(self, content: Iterable[str]) -> NDArray[np.int64]:
        """Characters as numbers; ValueError where one is not in the vocabulary."""
        try:
            characters = [str(each) for each in content]
        except TypeError:
            raise ValueError(f"Text.encode expected text, received {received(content)}") from None
        if unknown := sorted(set(characters) - self._numbers.keys()):
            raise ValueError(
                f"the vocabulary has no {unknown[0]!r}; that of this Text is "
                f"{''.join(self.vocabulary)!r}"
            )
        return np.array([self._numbers[each] for each in characters], np.int64)

    def decode(self, codes: ArrayLike) -> str:
        """Numbers as characters."""
        codes, k = array_of("Text.decode", codes), len(self.vocabulary)
        if codes.size and (codes.dtype.kind not in "iu" or not 0 <= codes.min() <= codes.max() < k):
            raise ValueError(
                f"Text.decode expected whole numbers below {k}, the size of the vocabulary, "
                f"received {received(codes)}"
            )
        return "".join(self.vocabulary[code] for code in codes.ravel())

    @checks_kinds
    def windows(
        self, length: int, step: int | None = None, one_hot: bool = False
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Pieces of the text, and the same pieces one character further on.

        Parameters
        ----------
        length : int
            Characters in a piece.
        step : int, optional
            From the beginning of one to that of the next; `length`, unless given, so that each
            character is asked for once. What is left at the end is dropped.
        one_hot : bool
            Whether x has a 1 at each character's number, or the numbers, as an `Embedding` takes.

        Returns
        -------
        x : int64 array (pieces, length), or float32 (pieces, length, vocabulary)
        y : int64 array (pieces, length)

        Raises
        ------
        ValueError
            The text is not longer than a piece.
        """
        step = length if step is None else step
        if length < 1 or step < 1 or len(self.codes) <= length:
            raise ValueError(
                f"windows expected a length from 1 to {len(self.codes) - 1} and a step of at least "
                f"1, received {length} and {step}; the text has {len(self.codes)} characters"
            )
        pieces = np.lib.stride_tricks.sliding_window_view(self.codes, length + 1)[::step]
        x, y = pieces[:, :-1].copy(), pieces[:, 1:].copy()
        return self.one_hot(x) if one_hot else x, y

    def one_hot(self, codes: ArrayLike) -> NDArray[np.float32]:
        """Numbers of any shape as float32 rows with a single 1, along a new last axis."""
        codes = np.asarray(codes)
        rows = np.zeros((*codes.shape, len(self.vocabulary)), np.float32)
        np.put_along_axis(rows, codes[..., np.newaxis], 1, axis=-1)
        return rows

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"Text of {len(self):,} characters, {len(self.vocabulary)} different ones"
