"""Where windows stand along an axis: kernel, stride, padding and dilation in one place.

    before = 1                      after = 2
    0 [x0 x1 x2 x3 x4 x5 x6 x7] 0 0      size = 3, dilation = 1, stride = 4
    |______|                             window 0 covers the places -1 ... 1
                |______|                 window 1 covers the places  3 ... 5
                            |______|     window 2 covers the places  7 ... 9

Correlation, its transpose and pooling all look through such windows, one `Windows` per axis.
How many zeros there are may depend on the length of the axis: `on` then says it in numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import index
from typing import Any, SupportsIndex

Padding = int | str | Sequence[int | tuple[int, int]]


@dataclass(frozen=True)
class Windows:
    """The windows along one axis.

    Parameters
    ----------
    size : int >= 1
        Elements that a window looks at.
    stride : int >= 1
        From the start of one window to that of the next.
    before, after : int >= 0
        Zeros that are put to the ends of the axis.
    dilation : int >= 1
        From one element of a window to the next.
    fit : "", "same" or "ceil"
        Zeros that follow from the length of the axis, see `on`.

    Examples
    --------
    >>> windows = Windows(size=3, stride=4, before=1, after=2)
    >>> windows.count(8), windows.start(2)
    (3, 7)
    """

    size: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    fit: str = ""

    @property
    def extent(self) -> int:
        """Places from the first element of a window to its last, both included."""
        return self.dilation * (self.size - 1) + 1

    def start(self, i: int) -> int:
        """The place of window i's first element; negative in the zeros before the axis."""
        return i * self.stride - self.before

    def count(self, length: int) -> int:
        """How many whole windows fit onto an axis of this length; 0 if none does."""
        room = length + self.before + self.after - self.extent
        return room // self.stride + 1 if room >= 0 else 0

    def on(self, length: int) -> Windows:
        """The same windows with all their zeros in numbers, on an axis of this length.

        "same" makes a window of every stride-th place, ⌈length / stride⌉ of them, and puts the
        odd zero to the end. "ceil" adds zeros at the end for a last window over what would be
        left of the axis, if it starts on the axis or on the zeros before it.

        >>> Windows(3, stride=2, fit="same").on(8)
        Windows(size=3, stride=2, before=0, after=1, dilation=1, fit='')
        >>> Windows(2, stride=2, fit="ceil").on(5).count(5)
        3
        """
        if not self.fit:
            return self
        before, after = self.before, self.after
        if self.fit == "same":
            last = (-(-length // self.stride) - 1) * self.stride
            zeros = max(last + self.extent - length, 0)
            before, after = zeros // 2, zeros - zeros // 2
        else:
            room = length + before + after - self.extent
            last = -(-room // self.stride) * self.stride  # where the last window starts
            if last < length + before:
                after = last + self.extent - length - before
        return replace(self, before=before, after=after, fit="")

    def seen(self, length: int, low: int, high: int) -> tuple[int, ...]:
        """For each window on an axis of this length, how many elements lie in low ... high - 1.

        >>> Windows(3, stride=2, before=1, after=1).seen(5, low=0, high=5)
        (2, 3, 2)
        """
        reach = range(0, self.extent, self.dilation)
        starts = [self.start(i) for i in range(self.count(length))]
        return tuple(sum(low <= start + e < high for e in reach) for start in starts)

    @property
    def least(self) -> int:
        """The shortest axis with a window on it."""
        if self.fit == "same":
            return 1
        return max(1, self.reach(1) - (self.stride - 1 if self.fit == "ceil" else 0))

    def reach(self, count: int) -> int:
        """The shortest axis that holds so many windows: the other way round than `count`."""
        return (count - 1) * self.stride + self.extent - self.before - self.after

    def inside(self, element: int, length: int) -> tuple[slice, slice]:
        """(windows, places): where element `element` of a window lies on the axis, not on zeros.

        The first slice counts windows, the second places; both have the same length.

        >>> Windows(size=3, before=1, after=1).inside(0, length=8)
        (slice(1, 8, None), slice(0, 7, 1))
        """
        offset = element * self.dilation - self.before
        first = max(0, -(offset // self.stride))  # the first window with its element >= 0
        last = min(self.count(length) - 1, (length - 1 - offset) // self.stride)
        if last < first:
            return slice(0, 0), slice(0, 0, self.stride)
        place = first * self.stride + offset
        stop = last * self.stride + offset + 1
        return slice(first, last + 1), slice(place, stop, self.stride)

    def mirrored(self, length: int) -> Windows | None:
        """Windows of stride 1 the other way round: what a place sees of those that see it.

        Their elements come from the last to the first; None where there are no such windows.

        >>> Windows(size=3, before=1).mirrored(length=8)
        Windows(size=3, stride=1, before=1, after=2, dilation=1, fit='')
        """
        reach = self.extent - 1
        before = reach - self.before
        after = length - self.count(length) + reach - before
        if self.stride > 1 or min(before, after) < 0:
            return None
        return Windows(self.size, 1, before, after, self.dilation)

    def seers(self, place: int, count: int) -> tuple[slice, slice]:
        """(elements, windows): which of `count` windows see a place, and with which element.

        The windows ascend; later windows see it with earlier elements, so that elements are
        counted from the end of a window.

        >>> Windows(size=3, before=1).seers(place=0, count=8)  # window 0 with its element 1
        (slice(1, 3, 1), slice(0, 2, 1))
        """
        offsets = (
            (element, place + self.before - element * self.dilation) for element in range(self.size)
        )
        found = [
            (self.size - 1 - element, offset // self.stride)
            for element, offset in offsets
            if offset % self.stride == 0 and 0 <= offset // self.stride < count
        ]
        if not found:
            return slice(0, 0), slice(0, 0)
        elements, windows = zip(*reversed(found), strict=True)
        return _as_slice(elements), _as_slice(windows)


@lru_cache(256)  # training asks for the same few in every step
def places_of_elements(windows: Windows, length: int) -> tuple[tuple[slice, slice], ...]:
    """`Windows.inside` of each element."""
    return tuple(windows.inside(element, length) for element in range(windows.size))


@lru_cache(256)
def seers_of_places(windows: Windows, length: int, count: int) -> tuple[tuple[slice, slice], ...]:
    """`Windows.seers` of each place."""
    return tuple(windows.seers(place, count) for place in range(length))


def _as_slice(numbers: Sequence[int]) -> slice:
    """Equally spaced, ascending numbers."""
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    return slice(numbers[0], numbers[-1] + 1, step)


def windows_per_axis(
    name: str,
    axes: int,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil: bool = False,
) -> tuple[Windows, ...]:
    """One `Windows` for each axis, from arguments as users write them.

    Parameters
    ----------
    name : str
        The class whose arguments these are, for the errors.
    axes : int
    kernel_size, stride, dilation : int or one per axis
    padding : int, one per axis, or "valid", "same", "full"
        An entry is an int for both ends or a pair (before, after). "valid" adds nothing;
        "same" makes as many windows as places, or with a stride ⌈places / stride⌉, and puts the
        odd zero to the end; "full" adds dilation · (kernel_size - 1) to each end, so that every
        overlap counts.
    ceil : bool
        Whether a last window may reach beyond the end of the axis.

    Raises
    ------
    ValueError
        A number is no positive int (no negative one, for padding), or there is not one per axis.

    Examples
    --------
    >>> windows_per_axis("Correlation2d", 2, (3, 4), padding="same")[1]
    Windows(size=4, stride=1, before=1, after=2, dilation=1, fit='')
    >>> windows_per_axis("Correlation1d", 1, 3, padding="smae")
    Traceback (most recent call last):
    ValueError: Correlation1d expected padding="valid", "same" or "full", received 'smae'
    """
    sizes = per_axis(name, "kernel_size", kernel_size, axes)
    strides = per_axis(name, "stride", stride, axes)
    dilations = per_axis(name, "dilation", dilation, axes)
    fit = "ceil" if ceil else ""
    if isinstance(padding, str):
        if padding not in ("valid", "same", "full"):
            raise ValueError(
                f'{name} expected padding="valid", "same" or "full", received {padding!r}'
            )
        reaches = [gap * (size - 1) for size, gap in zip(sizes, dilations, strict=True)]
        ends = [(reach, reach) if padding == "full" else (0, 0) for reach in reaches]
        if padding == "same":  # in numbers where they are the same on every axis
            if max(strides) > 1:
                fit = "same"
            else:
                ends = [(reach // 2, reach - reach // 2) for reach in reaches]
    else:
        ends = _paddings(name, padding, axes)
    return tuple(
        Windows(size, step, before, after, gap, fit)
        for size, step, (before, after), gap in zip(sizes, strides, ends, dilations, strict=True)
    )


def written_padding(axes: Sequence[Windows]) -> Any:
    """The padding of the axes as a user writes it: a name, an int, or one entry per axis."""
    if axes[0].fit == "same":
        return "same"
    ends = [(axis.before, axis.after) for axis in axes]
    if all(before == after for before, after in ends):
        return one_or_all([before for before, _ in ends])
    return ends[0] if len(ends) == 1 else tuple(ends)


def one_or_all(values: Sequence[Any]) -> Any:
    """The shortest way to write one value per axis: 3 for (3, 3), but (3, 5)."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def per_axis(
    name: str, argument: str, value: int | Sequence[int], axes: int, least: int = 1
) -> list[int]:
    """One int for each axis, from an argument that is an int for all or one per axis."""
    values = [value] * axes if isinstance(value, SupportsIndex) else value
    try:
        numbers = [index(number) for number in values]
    except TypeError:
        numbers = []
    if len(numbers) != axes or min(numbers) < least:
        wanted = ("a positive int" if least else "an int of at least 0") + (
            f" or {axes} of them, one per axis" if axes > 1 else ""
        )
        raise ValueError(f"{name} expected {argument} to be {wanted}, received {value!r}")
    return numbers


def _paddings(name: str, padding: Any, axes: int) -> list[tuple[int, int]]:
    if isinstance(padding, SupportsIndex):
        padding = [padding] * axes
    try:
        if (
            axes == 1
            and len(padding) == 2
            and all(isinstance(end, SupportsIndex) for end in padding)
        ):
            padding = [padding]  # on a single axis a pair can only be (before, after)
        ends = [
            (index(entry), index(entry))
            if isinstance(entry, SupportsIndex)
            else tuple(map(index, entry))
            for entry in padding
        ]
    except TypeError:
        ends = []
    if len(ends) != axes or any(len(pair) != 2 or min(pair) < 0 for pair in ends):
        wanted = "an int of at least 0, one per axis, or a pair (before, after) per axis"
        raise ValueError(f"{name} expected padding to be {wanted}, received {padding!r}")
    return ends  # type: ignore[return-value]  # pairs of ints, as was checked
