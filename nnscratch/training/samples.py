"""What a model is trained on: arrays of samples, or minibatches that somebody else makes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import index
from typing import Any, NamedTuple

import numpy as np

from nnscratch.data.images import Images, samples_of, subset
from nnscratch.data.minibatches import gather, rows_of_batches
from nnscratch.data.splits import stratified_split

NAMES = {"fit": "the training data", "validation": "the validation data"}


class Batch(NamedTuple):
    """Some samples: x and y are arrays, or tuples of them for several inputs or outputs.

    Where they are a part of a minibatch, `whole` says how many samples that has; where they were
    taken from a data set, `numbers` says which of its samples they are.
    """

    x: Any
    y: Any
    weight: np.ndarray | None = None
    whole: int | None = None
    numbers: np.ndarray | None = None

    @property
    def size(self) -> int:
        """How many samples the minibatch has."""
        return self.length if self.whole is None else self.whole

    @property
    def length(self) -> int:
        """How many of them are here."""
        return len(self.x[0] if isinstance(self.x, tuple) else self.x)


class Samples:
    """Inputs, targets and weights with one row for each sample.

    Parameters
    ----------
    x, y : array, or tuple of arrays
        For several inputs of the model, or several outputs.
    weight : array (samples,), optional
    who : str
        Whose argument this is, for messages.

    Attributes
    ----------
    name : str
        What messages call them.

    Raises
    ------
    ValueError
        There is no sample, the arrays differ in length, or one is masked, sparse or no array of
        numbers.
    """

    def __init__(self, x: Any, y: Any, weight: Any = None, who: str = "fit") -> None:
        self.x, self.y = _each(x, "x", who), _each(y, "y", who)
        if isinstance(weight, (dict, str)):
            raise ValueError(
                f"{who} expected sample_weight as one number for each sample, received "
                f"{type(weight).__name__}; weights of classes are the loss's: class_weights=[...]"
            )
        self.weight = None if weight is None else _samples(weight, "sample_weight", who)
        self.name = NAMES.get(who, "the data")
        self._numbers: np.ndarray | None = None  # in the data set that these are a part of
        lengths = [len(part) for part in self._columns()]
        if len(set(lengths)) > 1:
            remedy = "give all of them the same first axis"
            if isinstance(x, list) and x and np.ndim(x[0]) > 1:
                remedy = "several inputs are a tuple, x=(u, v)"
            raise ValueError(
                f"{who} expected x and y with one row for each sample, received {lengths} rows; "
                f"{remedy}"
            )
        self.count: int | None = lengths[0] if lengths else 0
        if not self.count:
            raise ValueError(f"there is no sample: {who} expected at least one, and x is empty")

    def batches(
        self,
        size: int,
        rng: np.random.Generator | None = None,
        join_single: bool = False,
        skip: int = 0,
    ) -> Iterator[Batch]:
        """The batches of an epoch, but for the first `skip`, in an order drawn at this call."""
        assert self.count is not None
        rows = rows_of_batches(self.count, size, rng, join_single=join_single)
        return map(self.rows, rows[skip:])

    def rows(self, rows: np.ndarray) -> Batch:
        """Some of the samples, copied."""
        x, y, weight = self.x, self.y, self.weight
        return Batch(
            gather(x, rows) if type(x) is not tuple else _gathered(x, rows),
            gather(y, rows) if type(y) is not tuple else _gathered(y, rows),
            None if weight is None else gather(weight, rows),
            numbers=rows if self._numbers is None else self._numbers[rows],
        )

    def first(self, count: int) -> Batch:
        return self.rows(np.arange(min(count, self.count or 0)))

    def split(self, share: float, rng: np.random.Generator) -> tuple[Samples, Samples]:
        """(the rest, the held-out share), stratified where the targets are labels of classes."""
        assert self.count is not None
        held_out = round(share * self.count) if 0 < share < 1 else 0
        if not 0 < share < 1 or not 0 < held_out < self.count:
            raise ValueError(
                f"validation is (x, y) or a share of the samples between 0 and 1, received "
                f"{share} of {self.count}"
            )
        y = self.y
        classes = not isinstance(y, tuple) and y.ndim == 1 and y.dtype.kind in "iub"
        labels = y if classes else np.zeros(self.count, int)
        rest, held = stratified_split(labels, held_out, rng)
        return self._part(rest), self._part(held)

    def _part(self, rows: np.ndarray) -> Samples:
        part = copy.copy(self)
        part.x, part.y, part.weight = (
            tuple(subset(each, rows) for each in of)
            if isinstance(of, tuple)
            else None
            if of is None
            else subset(of, rows)
            for of in (self.x, self.y, self.weight)
        )
        part.count, part._numbers = len(rows), rows
        return part

    def _columns(self) -> list[Any]:
        parts = [*self.x] if isinstance(self.x, tuple) else [self.x]
        parts += [*self.y] if isinstance(self.y, tuple) else [self.y]
        return parts + ([] if self.weight is None else [self.weight])


class Stream:
    """Minibatches made by a function, or held in a sequence, anew for each epoch.

    Parameters
    ----------
    source : function without arguments that returns an iterable, or an iterable
        Of (x, y) or (x, y, weight).

    Raises
    ------
    ValueError
        The source can be walked through only once, or yields something else.
    """

    count: int | None = None
    name = "the minibatches"

    def __init__(self, source: Callable[[], Iterable[Any]] | Iterable[Any]) -> None:
        if isinstance(source, Iterator):
            raise ValueError(
                f"fit expected minibatches that can be had in every epoch, received a "
                f"{type(source).__name__}, which is used up after one; pass the function that "
                "makes it, without calling it"
            )
        if not callable(source) and not isinstance(source, Iterable):
            raise ValueError(
                f"fit expected y, or as x an iterable of (x, y) minibatches, received "
                f"{type(source).__name__} alone"
            )
        self.source = source

    def batches(
        self,
        size: int,
        rng: np.random.Generator | None = None,
        join_single: bool = False,
        skip: int = 0,
    ) -> Iterator[Batch]:
        """The minibatches of an epoch as they come, but for the first `skip`."""
        made = self.source() if callable(self.source) else self.source
        if not isinstance(made, Iterable):
            raise ValueError(
                f"fit expected a function that returns minibatches (x, y), it returned "
                f"{type(made).__name__}"
            )
        return map(self._checked, islice(made, skip, None))

    def first(self, count: int) -> Batch:
        found = next(self.batches(count), None)
        if found is None:
            raise ValueError("fit received no minibatch; the iterable is empty")
        return found

    @staticmethod
    def _checked(batch: Any) -> Batch:
        if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
            raise ValueError(
                f"fit expected minibatches (x, y) or (x, y, weight), received "
                f"{type(batch).__name__}{f' of {len(batch)}' if isinstance(batch, tuple) else ''}"
            )
        samples = Samples(*batch)
        return Batch(samples.x, samples.y, samples.weight)


def samples_for(x: Any, y: Any, weight: Any = None) -> Samples | Stream:
    """What `fit` was given: arrays with targets, or minibatches without."""
    if y is None:
        if isinstance(x, np.ndarray):
            raise ValueError("fit received x without y: pass fit(x, y), or minibatches (x, y)")
        if weight is not None:
            raise ValueError(
                "fit takes sample_weight beside arrays x and y; let minibatches be (x, y, weight)"
            )
        return Stream(x)
    return Samples(x, y, weight)


def inputs_of(x: Any, who: str) -> tuple[Any, ...]:
    """One or several inputs, with equally many rows."""
    found = _each(x, "x", who)
    inputs = found if isinstance(found, tuple) else (found,)
    if len({len(part) for part in inputs}) != 1:
        raise ValueError(
            f"{who} expected inputs with one row for each sample, received "
            f"{[len(part) for part in inputs]} rows"
        )
    return inputs


def checked_size(batch_size: Any) -> int:
    """A batch size, or a ValueError."""
    try:
        size = index(batch_size)
    except TypeError:
        size = 0
    if size < 1:
        raise ValueError(
            f"expected batch_size of at least 1, a whole number, received {batch_size!r}"
        )
    return size


def _gathered(arrays: tuple[Any, ...], rows: np.ndarray) -> tuple[Any, ...]:
    return tuple(gather(array, rows) for array in arrays)


def _each(given: Any, name: str, who: str) -> Any:
    """An array, or each of a tuple of arrays, checked."""
    if isinstance(given, tuple):
        return tuple(_samples(part, f"{name}[{i}]", who) for i, part in enumerate(given))
    return _samples(given, name, who)


def _samples(array: Any, name: str, who: str) -> Any:
    """Samples along the first axis, or a ValueError that names the argument."""
    if isinstance(array, np.ma.MaskedArray):
        raise ValueError(
            f"{who} expected {name} without a mask, which would be ignored; "
            f"leave these samples out, or fill them: {name}.filled(0)"
        )
    if not isinstance(array, Images) and hasattr(array, "toarray"):
        raise ValueError(
            f"{who} expected {name} as a dense array, received {type(array).__name__}; "
            f"pass {name}.toarray()"
        )
    try:
        found: Any = samples_of(array)
    except ValueError:  # rows of unequal length
        found = np.empty(0, object)
    if found.dtype.kind not in "fiub" or not found.ndim:
        raise ValueError(
            f"{who} expected {name} as an array of numbers with one row for each sample, received "
            f"{_described(array, found, name)}"
        )
    return found


def _described(given: Any, found: np.ndarray, name: str) -> str:
    """What something is that is no array of numbers, and how to make one of it."""
    kind = f"{found.dtype} of shape {found.shape}"
    if found.dtype.kind in "US" or (found.size and isinstance(found.flat[0], str)):
        if name.startswith("x"):
            return (
                f"{kind}; make numbers of text that says some, x.astype(np.float32), and number "
                "names by numbers = np.unique(names, return_inverse=True)[1]"
            )
        return f"{kind}; number classes by classes, labels = np.unique(names, return_inverse=True)"
    if isinstance(given, (np.ndarray, list, tuple)):
        return f"{kind}; give all samples one shape and convert them: np.array(x, np.float32)"
    if isinstance(given, Iterator):
        return f"a {type(given).__name__}; make an array of it: np.array(list(x))"
    return f"a {type(given).__name__}; pass arrays, or a tuple of them for several inputs"
