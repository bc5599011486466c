"""What items are written with: the student's array beside the library's, and what else it could be.

An item yields comparisons. `compare` takes the right array; `Reference` computes it, and what
the usual mistakes would give, with a layer of the library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnscratch.gradient_check.draws import Draw, draw_dy, run, write
from nnscratch.gradient_check.mistakes.causes import CAUSES, explain
from nnscratch.gradient_check.mistakes.what_if import alternatives
from nnscratch.gradient_check.numeric import Numeric
from nnscratch.gradient_check.report import Finding
from nnscratch.gradient_check.subject import Subject
from nnscratch.grading.verdicts import Comparison, Mistake, Named

__all__ = [
    "Comparison",
    "Mistake",
    "Reference",
    "as_it_was",
    "claim",
    "compare",
    "consequence",
    "draw_dy",
    "equal",
    "unchanged",
]


def compare(
    name: str,
    got: Any,
    expected: Any,
    hypotheses: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    array: str = "",
    **context: Any,
) -> Comparison:
    """The student's array beside the right one.

    Parameters
    ----------
    name : str
        As the task writes it: "y", "dW". All comparisons of one name are judged together.
    got : object
        What came back.
    expected : array or number
        NaN where nothing can be said, as at a kink.
    hypotheses : mapping, optional
        By code what a mistake would give: an array, a list of arrays, or a `Mistake`.
    tolerance : float, optional
        Share of the largest element by which they may differ; default the item's.
    array : str, optional
        "dx", "dx[1]" or a parameter's name, where it is a gradient.
    **context
        `inputs`, `dy`, `y`, `params`, `others` as in `gradient_check.Context`: each makes more
        mistakes recognizable.

    Raises
    ------
    ValueError
        A code that `gradient_check.CAUSES` does not know came without words.

    Examples
    --------
    >>> from nnscratch.grading.verdicts import judge
    >>> x = np.array([[0.5, -1.0, 2.0], [1.5, 3.0, -0.5]])
    >>> judge([compare("y", 2 * x, x**2, {"doubled": Mistake(2 * x, "2x is not x²")})])[0].code
    'doubled'
    """
    mistakes = {
        code: value if isinstance(value, Mistake) else Mistake(value)
        for code, value in (hypotheses or {}).items()
    }
    for code, mistake in mistakes.items():
        if code not in CAUSES and not mistake.cause:
            raise ValueError(f"{name}: the code {code!r} is new; give a Mistake with its cause")
    around = Named(array=array or name, shown=name, **context)
    expected = np.asarray(expected, np.float64)
    return Comparison(name, got, expected, around, mistakes, tolerance=tolerance)


def claim(name: str, holds: bool, code: str, cause: str, remedy: str = "") -> Comparison:
    """A verdict on something that is no array, such as an order or a refusal.

    Examples
    --------
    >>> claim("check(cos)", False, "accepts_wrong", "a wrong derivative was accepted").claim.code
    'accepts_wrong'
    """
    words = f"{cause}: {remedy}" if remedy else cause
    finding = Finding(name, "pass") if holds else Finding(name, "fail", code, words)
    mistakes = {code: Mistake(np.empty(0), cause, remedy)}
    return Comparison(name, None, np.empty(0), mistakes=mistakes, claim=finding)


def consequence(
    name: str, got: Any, expected: Any, code: str, words: str, tolerance: float | None = None
) -> Comparison:
    """An array that is right unless something before it was done wrong, which has that code."""
    expected = np.asarray(expected, np.float64)
    around = Named(shown=name)
    return Comparison(name, got, expected, around, tolerance=tolerance, otherwise=(code, words))


def as_it_was(name: str, now: Any, before: Any, code: str, words: str) -> Comparison:
    """A consequence of a later call unless an array is still what it was."""
    found = claim(name, equal(now, before), code, words)
    return replace(found, otherwise=(code, words))


def equal(a: Any, b: Any) -> bool:
    """Whether two replies are the same numbers; False for what are no arrays."""
    try:
        return bool(np.array_equal(np.asarray(a), np.asarray(b)))
    except (TypeError, ValueError):  # lists of other lengths
        return False


def unchanged(name: str, got: Any, before: np.ndarray) -> Comparison:
    """`mutated_params` unless an array is what it was before the calls."""
    same = equal(got, before)
    cause, remedy = explain("mutated_params", name, "forward or backward").split(": ", 1)
    return claim(name, same, "mutated_params", cause, remedy)


class Reference:
    """A layer or loss of the library beside the student's, with the calls so far.

    Parameters
    ----------
    layer : Layer or Loss
        Is copied, and computes in float64.
    tolerance : float, optional
        As in `compare`.

    Attributes
    ----------
    params : dict of str to array

    Examples
    --------
    >>> import nnscratch as nn
    >>> from nnscratch.grading.verdicts import judge
    >>> ours, rng = Reference(nn.Tanh()), np.random.default_rng(0)
    >>> x, dy = rng.normal(size=(4, 3)), draw_dy(rng, (4, 3))
    >>> judge(list(ours.gradients({"dx": dy}, x, dy=dy)))[0].code
    'missing_derivative'
    """

    def __init__(self, layer: Any, tolerance: float | None = None) -> None:
        self.subject = Subject(layer)
        self.tolerance = tolerance
        self._inputs: list[Sequence[Any]] = []
        self._sums: dict[str, np.ndarray] = {}
        self._values: list[np.ndarray] = []

    @property
    def params(self) -> dict[str, np.ndarray]:
        return {name: array.copy() for name, array in self.subject.params.items()}

    def set(self, name: str, value: np.ndarray) -> None:
        """Give a parameter other values, here and for all later comparisons."""
        self.subject.write(name, value)

    def forward(self, *inputs: Any) -> Any:
        """The library's y."""
        subject = self.subject.fresh()
        write(subject, self.subject.params)
        ys = subject.forward([_float64(x) for x in inputs])
        return ys[0] if len(ys) == 1 else tuple(ys)

    def backward(self, *inputs: Any, dy: Any = None) -> dict[str, np.ndarray]:
        """The library's gradients at the inputs, by name."""
        return dict(self._draw(inputs, dy).got)

    def value(
        self,
        got: Any,
        *inputs: Any,
        name: str = "y",
        hypotheses: Mapping[str, Any] | None = None,
    ) -> Comparison:
        """The student's y beside the library's; a name with a d in front is a gradient's."""
        expected = np.array(self.forward(*inputs), np.float64)
        stale = {"stale_cache": self._values or [expected]}
        self._values = [*self._values, expected]
        found = compare(
            name,
            got,
            expected,
            hypotheses,
            self.tolerance,
            # of another array than any input or parameter: hypotheses on gradients do not apply
            array=f"value {name}",
            alternatives=stale,
        )
        return replace(found, case=case_of(inputs, None, self.params))

    def gradients(
        self,
        got: Mapping[str, Any],
        *inputs: Any,
        dy: Any = None,
        hypotheses: Mapping[str, Mapping[str, Any]] | None = None,
        shown: Mapping[str, str] | None = None,
        where: str = "",
    ) -> Iterator[Comparison]:
        """The student's gradients beside the library's.

        Parameters
        ----------
        got : mapping
            "dx" ("dx[0]", "dx[1]") and the library's names of the parameters, in the order in
            which they shall be told.
        *inputs : arrays
            What the student's forward received.
        dy : array, optional
            What its backward received; 1 for a loss.
        hypotheses : mapping of mappings
            For a gradient's name the hypotheses as in `compare`.
        shown : mapping of str to str
            The gradients' names as the task writes them; default dx and, for W, dW.
        where : str
            Joined to the names.
        """
        titles = {name: _title(name) for name in [*got, *self.subject.params]} | dict(shown or {})
        draw = self._draw(inputs, dy)
        stale = self._stale(inputs, draw)
        for name, received in got.items():
            expected = np.asarray(draw.got[name], np.float64)
            past = self._sums.get(name)
            summed = expected if past is None or past.shape != expected.shape else expected + past
            self._sums[name] = summed
            found = compare(
                titles[name] + where,
                received,
                expected,
                (hypotheses or {}).get(name),
                self.tolerance,
                array="dx" if draw.subject.is_loss else name,
                inputs=draw.inputs,
                dy=draw.dy,
                y=np.asarray(draw.y, np.float64),
                params=draw.params,
                others={_key(n, titles): g for n, g in draw.got.items() if n != name},
                returned={_key(n, titles): g for n, g in got.items() if n != name},
                alternatives={
                    "accumulated": [summed],
                    "stale_cache": [g[name] for g in stale] or [expected],
                },
            )
            given = None if draw.subject.is_loss else draw.dy
            yield replace(
                _with_numeric(found, draw, name), case=case_of(inputs, given, draw.params)
            )
        self._inputs.append(draw.inputs)

    def _draw(self, inputs: Sequence[Any], dy: Any) -> Draw:
        if dy is None and not self.subject.is_loss:
            raise ValueError(f"{self.subject.object}: dy is 1 for losses only; draw one")
        rng = np.random.default_rng(0)
        dy = 1.0 if dy is None else dy
        return run(self.subject, [_float64(x) for x in inputs], rng, self.subject.params, dy)

    def _stale(self, inputs: Sequence[Any], draw: Draw) -> list[dict[str, Any]]:
        """The gradients with this dy and the cache of an earlier call."""
        shapes = [np.shape(x) for x in inputs]
        return [
            dict(self._draw(earlier, draw.dy).got)
            for earlier in self._inputs
            if [np.shape(x) for x in earlier] == shapes
        ]


def case_of(inputs: Sequence[Any], dy: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """What the student's code was given, by names to be typed."""
    names = ["x"] if len(inputs) == 1 else [f"input_{i + 1}" for i in range(len(inputs))]
    return dict(zip(names, inputs, strict=True)) | ({} if dy is None else {"dy": dy}) | dict(params)


def _title(name: str) -> str:
    return name if name.startswith("dx") else f"d{name}"


def _key(name: str, titles: Mapping[str, str]) -> str:
    """What a gradient is the gradient of, as words about it say: W, or u for a dx called du."""
    return titles[name].removeprefix("d") if titles[name] != name else name


def _with_numeric(comparison: Comparison, draw: Draw, name: str) -> Comparison:
    """Join the hypotheses that take numeric differences of the library's layer."""

    def late() -> Mapping[str, Sequence[np.ndarray]]:
        rng = np.random.default_rng(0)
        with np.errstate(all="ignore"):
            found = Numeric(draw).elements(name, rng)
            return alternatives(draw, name, found, rng)

    return replace(comparison, late=late)


def _float64(x: Any) -> Any:
    return x.astype(np.float64) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
