"""Items made from a class of the library: a layer's or a loss's y, dx and gradients.

What every item must try is written here, once: several batch sizes, a size twice; the parameters
that `__init__` built, then others; two objects whose calls are interleaved; backward twice;
whether x, dy and the parameters are left alone and what was returned is never written to again; a
case in which a numeric derivative takes too long; numbers at which a naive formula overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from nnscratch.gradient_check.draws import draw_dy
from nnscratch.grading.checks import Check
from nnscratch.grading.draws import Case, Large, drawn
from nnscratch.grading.evidence import (
    Mistake,
    Reference,
    as_it_was,
    case_of,
    compare,
    consequence,
)
from nnscratch.grading.faults import Fault
from nnscratch.grading.pair import Pair, begun
from nnscratch.grading.student import Student
from nnscratch.grading.verdicts import TOLERANCE, Comparison

FORWARDS = 50  # how often a backward may call forward; a numeric derivative does thousands of times
Hypotheses = Callable[[Case], Mapping[str, Mapping[str, Any]]]
NOT_SHOWN = ("built_values", "a new object computes with other parameters than it shows")
STALE_PARAMS = (
    "the parameters of __init__ are used, though self.params holds others now",
    "read self.params afresh in every call",
)
SECOND = (
    "second_backward",
    "after a second backward the gradients differ: backward may not change what forward stored",
)
SHARED = (
    "shared_state",
    "two objects of the class disturb each other: keep everything on self, nothing on the class",
)
ONLY_LARGE = ("values_differ", "right in small cases only: does it depend on the sizes?")
OVERWRITTEN = (
    "overwritten",
    "what was returned is written to by a later call: return a new array each time",
)


@dataclass(frozen=True)
class LayerItems:
    """The checks of one class.

    Attributes
    ----------
    name : str
        The student's class.
    make : callable
        The library's class, or a function of the same arguments that returns its object.
    inputs : Draw or tuple of Draw
        What forward receives (see draws.py).
    args : tuple
        Of both constructors.
    large : Large or None
        Give one wherever a derivative is asked for.
    extreme : tuple of inputs
        Where a naive formula overflows.
    also : mapping of str to inputs
        Further cases by their names, such as shapes that broadcast.
    mistakes : function of a Case, optional
        What the class's own mistakes would give: for "y", "dx" ("dx[0]", ...) and each
        parameter's name a mapping of codes to `Mistake`.
    names : tuple of str
        y and dx as the task writes them.
    batches : tuple of int
    given : mapping
        As in `Check`.
    is_loss, returns_grads : bool
        As in `Pair`.
    """

    name: str
    make: Callable[..., Any]
    inputs: Any
    args: tuple[Any, ...] = ()
    large: Large | None = None
    extreme: tuple[Any, ...] = ()
    also: Mapping[str, Any] = field(default_factory=dict)
    mistakes: Hypotheses = lambda case: {}
    names: tuple[str, ...] = ("y", "dx")
    batches: tuple[int, ...] = (4, 4, 7)
    given: Mapping[str, Any] = field(default_factory=dict)
    is_loss: bool = False
    returns_grads: bool = False
    tolerance: float = TOLERANCE

    def value(self) -> Check:
        """What forward returns."""
        return self._check(self._value)

    def dx(self) -> Check:
        """The gradient by the input, or by each of the inputs."""
        count = len(self.names) - 1
        wanted = ["dx"] if count == 1 else [f"dx[{i}]" for i in range(count)]
        return self._check(lambda student, rng: self._gradients(student, rng, wanted))

    def grads(self, *params: str) -> Check:
        """The gradients by these parameters."""
        return self._check(lambda student, rng: self._gradients(student, rng, params))

    def _check(self, run: Any) -> Check:
        return Check(run, self.name, self.given, tolerance=self.tolerance)

    # y ---------------------------------------------------------------------------------------

    def _value(self, student: Student, rng: np.random.Generator) -> Iterator[Comparison]:
        pair = self._pair(student)
        y = self.names[0]
        yield from pair.built(self.name)
        built = pair.params
        first = self._drawn(pair, rng, self.batches[0])
        got, kept = pair.value(first.inputs)
        if built:
            yield consequence(f"{y} of a new {self.name}", got, first.y, *NOT_SHOWN)
        for batch in self.batches:
            pair.draw_params(rng)
            case = self._drawn(pair, rng, batch)
            yield self._judged(pair, case, pair.value(case.inputs)[0], built)
            yield from pair.params_unchanged()
        yield as_it_was(f"{y} of an earlier call", kept.value(pair.most), got, *OVERWRITTEN)
        for name, inputs in self.also.items():
            other = self._pair(student)
            for _ in range(2):
                case = self._drawn(other, rng, self.batches[0], inputs)
                yield self._judged(other, case, other.value(case.inputs)[0], where=f" for {name}")
        for inputs in self.extreme:
            case = self._drawn(pair, rng, self.batches[0], inputs)
            got, _ = pair.value(case.inputs)
            mistakes = self.mistakes(case).get("y (large x)")
            found = compare(f"{y} (large x)", got, case.y, mistakes)
            yield replace(found, case=case_of(case.inputs, None, case.params))

    def _judged(
        self,
        pair: Pair,
        case: Case,
        got: Any,
        built: Mapping[str, Any] | None = None,
        where: str = "",
    ) -> Comparison:
        mistakes = dict(self.mistakes(case).get("y", {}))
        if built:
            mistakes["stale_params"] = Mistake(self._stale(built, case), *STALE_PARAMS)
        return pair.ours.value(got, *case.inputs, name=self.names[0] + where, hypotheses=mistakes)

    def _stale(self, built: Mapping[str, Any], case: Case) -> list[Any]:
        """What y would be with some or all of the parameters that `__init__` made.

        Those that start as constants are not told from those that are left out, unless all are.
        """
        found = []
        for count in range(1, len(built) + 1):
            for names in combinations(built, count):
                if count == len(built) or any(np.ptp(built[name]) for name in names):
                    stale = Reference(self.make(*self.args))
                    for name in built:
                        stale.set(name, built[name] if name in names else case.params[name])
                    found.append(stale.forward(*case.inputs))
        return found

    # Gradients -------------------------------------------------------------------------------

    def _gradients(
        self, student: Student, rng: np.random.Generator, wanted: Sequence[str]
    ) -> Iterator[Comparison]:
        pair = self._pair(student, begin_alike=True)
        kept, y = None, None
        for batch in self.batches:
            pair.draw_params(rng)
            case = self._drawn(pair, rng, batch)
            kept = pair.forward(case.inputs)
            y = None if kept is None else kept.value(pair.most)
            yield from self._compared(pair, case, wanted)
            if not wanted[0].startswith("dx"):
                yield from pair.params_unchanged()
        if kept is not None:
            now = kept.value(pair.most)
            yield as_it_was(f"{self.names[0]} after backward", now, y, *OVERWRITTEN)
        yield from self._called_again(pair, case, wanted, rng)
        yield from self._interleaved(student, wanted, rng)
        for name, inputs in self.also.items():
            other = self._pair(student)
            for _ in range(2):
                case = self._drawn(other, rng, self.batches[0], inputs)
                other.forward(case.inputs)
                yield from self._compared(other, case, wanted, f" for {name}")
        if self.large is not None:
            yield from self._in_large(student, wanted, rng)
        for inputs in self.extreme:
            case = self._drawn(pair, rng, self.batches[0], inputs)
            pair.forward(case.inputs)
            got = pair.gradients(wanted, case.dy)
            right = pair.ours.backward(*case.inputs, dy=case.dy)
            for name in wanted:
                found = compare(f"{self._shown(name)} (large x)", got[name], right[name])
                yield replace(found, case=case_of(case.inputs, case.dy, case.params))

    def _compared(
        self, pair: Pair, case: Case, wanted: Sequence[str], where: str = ""
    ) -> Iterator[Comparison]:
        got = pair.gradients(wanted, case.dy)
        shown = {name: self._shown(name) for name in self._all(pair)}
        yield from pair.ours.gradients(
            got, *case.inputs, dy=case.dy, hypotheses=self.mistakes(case), shown=shown, where=where
        )

    def _called_again(
        self, pair: Pair, case: Case, wanted: Sequence[str], rng: np.random.Generator
    ) -> Iterator[Comparison]:
        """A second and a third backward of one forward, with another dy where there is one."""
        pair.put_params()
        pair.forward(case.inputs)
        for _ in range(3):
            pair.put_params()  # that these are left alone is tried elsewhere
            dy = case.dy if self.is_loss else draw_dy(rng, np.shape(case.y))
            right = pair.ours.backward(*case.inputs, dy=dy)
            got = pair.gradients(wanted, dy)
            for name in wanted:
                title = f"{self._shown(name)} of a second backward"
                yield consequence(title, got[name], right[name], *SECOND)

    def _interleaved(
        self, student: Student, wanted: Sequence[str], rng: np.random.Generator
    ) -> Iterator[Comparison]:
        """Forward of both objects, then backward of both."""
        pairs = [self._pair(student), self._pair(student)]
        cases = []
        for pair, batch in zip(pairs, (self.batches[0], self.batches[-1]), strict=True):
            pair.draw_params(rng)
            cases.append(self._drawn(pair, rng, batch))
            pair.forward(cases[-1].inputs)
        for pair, case in zip(pairs, cases, strict=True):
            titles = {name: f"{self._shown(name)} of two objects" for name in wanted}
            try:
                got = pair.gradients(wanted, case.dy)
            except Fault as fault:  # alone it did not fail
                yield as_it_was(titles[wanted[0]], False, True, SHARED[0], f"{fault}\n{SHARED[1]}")
                continue
            right = pair.ours.backward(*case.inputs, dy=case.dy)
            for name, title in titles.items():
                yield consequence(title, got[name], right[name], *SHARED)

    def _in_large(
        self, student: Student, wanted: Sequence[str], rng: np.random.Generator
    ) -> Iterator[Comparison]:
        assert self.large is not None
        pair = self._pair(student, self.large.args or self.args)
        pair.draw_params(rng)
        case = self._drawn(pair, rng, self.large.batch, self.large.inputs)
        pair.forward(case.inputs, writes=True)
        got = pair.gradients(wanted, case.dy, FORWARDS, writes=True)
        right = pair.ours.backward(*case.inputs, dy=case.dy)
        for name in wanted:
            yield consequence(f"{self._shown(name)} (large)", got[name], right[name], *ONLY_LARGE)

    # Numbers and names -----------------------------------------------------------------------

    def _pair(
        self, student: Student, args: tuple[Any, ...] | None = None, begin_alike: bool = False
    ) -> Pair:
        args = self.args if args is None else args
        theirs, ours = student.new(self.name, *args), self.make(*args)
        return Pair(
            theirs,
            Reference(begun(ours, theirs) if begin_alike else ours),
            is_loss=self.is_loss,
            returns_grads=self.returns_grads,
        )

    def _drawn(self, pair: Pair, rng: np.random.Generator, batch: int, inputs: Any = None) -> Case:
        arrays = drawn(self.inputs if inputs is None else inputs, rng, batch)
        y = np.asarray(pair.ours.forward(*arrays))
        dy = None if self.is_loss else draw_dy(rng, y.shape)
        return Case(arrays, y, dy, pair.params)

    def _all(self, pair: Pair) -> list[str]:
        count = len(self.names) - 1
        return [*(["dx"] if count == 1 else [f"dx[{i}]" for i in range(count)]), *pair.params]

    def _shown(self, name: str) -> str:
        """dx[0] and dx[1] as the task calls them; dW for the parameter W."""
        if not name.startswith("dx"):
            return f"d{name}"
        return self.names[1 + (int(name[3:-1]) if name != "dx" else 0)]


def layer_items(name: str, make: Callable[..., Any], **options: Any) -> LayerItems:
    """The checks of a layer; options as in `LayerItems`.

    Examples
    --------
    >>> import nnscratch as nn
    >>> from nnscratch.grading.draws import normal
    >>> layer = layer_items("Tanh", nn.Tanh, inputs=normal(5))
    >>> layer.value().target
    'Tanh'
    """
    return LayerItems(name, make, **options)


def loss_items(name: str, make: Callable[..., Any], **options: Any) -> LayerItems:
    """The checks of a loss: its value by `value()`, its gradient by the first input by `dx()`."""
    return LayerItems(name, make, is_loss=True, names=("loss", "dx"), **options)
