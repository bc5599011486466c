"""`check_gradients`: run the passes, compare with numeric derivatives, name the mistake."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.gradient_check import probes
from nnscratch.gradient_check.comparison import Comparison
from nnscratch.gradient_check.conventions import MISSING
from nnscratch.gradient_check.draws import Draw, copied, halved, is_float, redrawn, run
from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.mistakes.context import Context
from nnscratch.gradient_check.report import Finding, Report
from nnscratch.gradient_check.subject import Subject, global_random_state_kept

DRAWS = 3  # with the caller's own
VERDICTS = ("pass", "undecidable", "fail")


def check_gradients(layer: Any, *inputs: Any, dy: Any = None, rng: Any = 0) -> Report:
    """Compare every gradient of a layer with numeric derivatives, and say what is wrong.

    Parameters
    ----------
    layer : object with forward and backward
        A layer, container, graph or loss of this package, or any other object; see the package's
        docstring for the ways to return gradients that are understood. It is copied first.
    *inputs : arrays
        As `forward` takes them. Integers, such as labels, have no gradient.
    dy : array, optional
        dL/dy, in the shape of y. Drawn at random unless given: a uniform dy hides mistakes.
    rng : int or numpy.random.Generator
        Draws dy and further inputs and parameters.

    Returns
    -------
    report : Report
        `report.ok`, and `print(report)` says why not.

    Examples
    --------
    >>> import nnscratch as nn
    >>> x = np.random.default_rng(0).normal(size=(7, 5))
    >>> print(check_gradients(nn.Linear(5, 3, rng=0), x))
    Linear(5, 3): no mistake
      dx  pass
      W   pass
      b   pass
    >>> class Cos(nn.Layer):
    ...     def forward_pass(self, x):
    ...         return np.cos(x), x
    ...     def backward_pass(self, dy, x):
    ...         return dy * np.sin(x)  # as [Operators] 3 prints it
    >>> report = check_gradients(Cos(), x)
    >>> report.ok, report.findings[0].code
    (False, 'sign')
    """
    with global_random_state_kept(), np.errstate(all="ignore"):
        return _Check(layer, inputs, dy, np.random.default_rng(rng), rng).report()


def assert_gradients(layer: Any, *inputs: Any, dy: Any = None, rng: Any = 0) -> None:
    """Raise AssertionError with the report unless `check_gradients` finds no mistake.

    Examples
    --------
    >>> import nnscratch as nn
    >>> assert_gradients(nn.Tanh(), np.ones((3, 4)))
    """
    report = check_gradients(layer, *inputs, dy=dy, rng=rng)
    if not report.ok:
        raise AssertionError(str(report))


class _Refused(ValueError):
    """The caller's arguments do not fit, which is no finding."""


class _Check:
    """One call of `check_gradients`: what it was given, and what it found so far."""

    def __init__(
        self, layer: Any, inputs: Sequence[Any], dy: Any, rng: np.random.Generator, seed: Any
    ) -> None:
        for method in ("forward", "backward"):
            if not callable(getattr(layer, method, None)):
                raise ValueError(
                    f"check_gradients expected an object with forward and backward, received "
                    f"{_name(layer)} without {method}"
                )
        if isinstance(layer, type):
            raise ValueError(f"check_gradients expected an object; write {layer.__name__}(...)")
        self.layer, self.dy, self.rng = layer, dy, rng
        self.inputs = [_as_float64(x) for x in inputs]
        self.result = Report(subject=_name(layer), reproduce=_call(inputs, dy, seed))
        self.findings: dict[str, Finding] = {}

    def report(self) -> Report:
        subject = Subject(self.layer)
        if not subject.copied:
            self.result.warnings.append("the object cannot be copied, so it is checked itself")
        draw = self.first_draw(subject)
        if draw is not None:
            self.result.warnings += list(_weaknesses(draw, self.dy))
            self.every_array(subject, draw)
            self.other_mode(subject, draw)
        self.result.findings = list(self.findings.values())
        return self.result

    def note(self, name: str, verdict: str, code: str, message: str) -> None:
        """Keep the gravest finding of an array, and of equal ones the first."""
        known = self.findings.get(name)
        if known is None or VERDICTS.index(verdict) > VERDICTS.index(known.verdict):
            self.findings[name] = Finding(name, verdict, code, message)

    # The steps -----------------------------------------------------------------------------

    def first_draw(self, subject: Subject) -> Draw | None:
        """The caller's own numbers; a finding where the passes do not get through."""
        names = [*(["dx"] if len(self.inputs) == 1 else ["dx[0]"]), *subject.params]
        stage = "forward"
        try:
            if not probes.repeated_forward(subject, self.inputs):
                for name in names:
                    self.note(name, "undecidable", "random_forward", explain("random_forward", ""))
                return None
            y = subject.fresh().forward([copied(x) for x in self.inputs])
            stage = "backward"
            if self.dy is not None and np.shape(self.dy) != y.shape:
                raise _Refused(f"dy has shape {np.shape(self.dy)}, expected that of y, {y.shape}")
            draw = run(subject, self.inputs, self.rng, dy=self.dy)
        except _Refused:
            raise
        except NotImplementedError:
            for name in names:
                self.note(name, "fail", "not_implemented", explain("not_implemented", name, stage))
            return None
        except Exception as error:
            words = f"{stage} raised {_error(error)}"
            for name in names:
                self.note(name, "fail", "exception", explain("exception", name, words))
            return None
        if self._integers_as_numbers(draw):
            return self.first_draw(subject)
        subject.is_loss = draw.subject.is_loss
        return draw

    def _integers_as_numbers(self, draw: Draw) -> bool:
        """Integers with a gradient are meant as numbers: go on with them as floats."""
        changed = False
        for i, x in enumerate(self.inputs):
            got = draw.got.get("dx" if len(draw.inputs) == 1 else f"dx[{i}]")
            integers = isinstance(x, np.ndarray) and x.dtype.kind in "iub"
            if integers and probes.is_number(got) and np.any(got):
                self.inputs[i] = x.astype(np.float64)
                self.result.warnings.append(f"input {i} holds integers; taken as real numbers")
                changed = True
        return changed

    def every_array(self, subject: Subject, draw: Draw, mode: str = "") -> None:
        """Mutation, values, history, large numbers: the first that fails is told."""
        for name in draw.got:
            x = draw.array(name) if name in draw.params or name.startswith("dx") else None
            if not is_float(x):
                self._no_gradient(name, draw)
        checked = [n for n in draw.got if n in draw.params or n.startswith("dx")]
        checked = [n for n in checked if is_float(draw.array(n))]
        written = list(probes.written_to(draw))
        for name, code, what in written:
            self.note(name, "fail", code, mode + explain(code, Context(name).name, what))
        draws = [draw, *self.more_draws(subject, draw)]
        comparison = Comparison(draws, self.rng)
        for name in checked:
            finding = comparison.finding(name)
            self.note(
                name, finding.verdict, finding.code, finding.message and mode + finding.message
            )
        calls = probes.second_backward(draw), probes.history(subject, self.inputs, self.rng)
        for probe in calls if not written else ():  # what is written to differs in the next call
            for name, code, what in probe:
                message = explain(code, Context(name).name, what) + (f" ({what})" if what else "")
                self.note(name, "fail", code, mode + message)
        self._large(subject, draw, mode)
        words = "the object computes in float32, so only coarse mistakes show"
        if comparison.coarse and words not in self.result.warnings:
            self.result.warnings.append(words)

    def _no_gradient(self, name: str, draw: Draw) -> None:
        got = draw.got[name]
        if name not in draw.params and not name.startswith("dx"):
            self.note(name, "fail", "type", f"backward returned more than the gradients: {name}")
        elif got is None or got is MISSING or (probes.is_number(got) and not np.any(got)):
            self.note(name, "pass", "", "")
        else:
            self.note(name, "fail", "type", "integers have no gradient: return None")

    def more_draws(self, subject: Subject, draw: Draw) -> Iterator[Draw]:
        """Other inputs, parameters and dy of the same shapes, and half of the batch."""
        batches: list[list[Any] | None] = [list(draw.inputs)] * (DRAWS - 1)
        for i, inputs in enumerate([*batches, halved(draw.inputs)]):
            if inputs is None:
                continue
            targets = 1 if draw.subject.is_loss else len(inputs)
            moved = [
                redrawn(self.rng, x) if is_float(x) and j < targets else x
                for j, x in enumerate(inputs)
            ]
            params = {name: redrawn(self.rng, a) for name, a in draw.params.items()}
            for attempt in (moved, inputs) if i < DRAWS - 1 else (moved,):
                try:
                    found = run(subject, attempt, self.rng, params)
                except Exception:  # outside the domain, or no half of a batch
                    continue
                if np.isfinite(found.y).all() or not np.isfinite(draw.y).all():
                    yield found
                    break

    def _large(self, subject: Subject, draw: Draw, mode: str) -> None:
        if not draw.got or not is_float(draw.inputs[0]):
            return
        place = probes.large_inputs(subject, draw.inputs)
        if place is None:
            return
        name = next(iter(draw.got))
        message = f"at 1000 x, {explain('non_finite', place)}"
        if getattr(self.layer, "layers", ()) or hasattr(self.layer, "steps"):
            self.result.warnings.append(message)
        else:
            self.note(name, "fail", "non_finite", mode + message)

    def other_mode(self, subject: Subject, draw: Draw) -> None:
        """Training and evaluation, where they differ."""
        other = subject.in_other_mode()
        if other is None:
            return
        try:
            second = run(other, draw.inputs, self.rng, dy=draw.dy)
        except Exception as error:
            words = f"in {other.mode_name} mode: {_error(error)}"
            self.note(next(iter(draw.got)), "fail", "exception", words)
            return
        unchanged = probes.alike(second.y, draw.y) and all(
            probes.alike(second.got.get(name), got) for name, got in draw.got.items()
        )
        if not unchanged:
            self.every_array(other, second, f"in {other.mode_name} mode: ")


def _as_float64(x: Any) -> Any:
    if isinstance(x, (list, tuple, float, int, np.generic)) and not isinstance(x, bool):
        x = np.asarray(x)
    if isinstance(x, np.ndarray):
        return x.astype(np.float64) if x.dtype.kind == "f" else x.copy()
    return x


def _error(error: Exception) -> str:
    """The error in words, with the line that raised it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"


def _name(layer: Any) -> str:
    if "__repr__" not in {name for c in type(layer).__mro__[:-1] for name in vars(c)}:
        return f"{type(layer).__name__}()" if not isinstance(layer, type) else layer.__name__
    return " ".join(repr(layer).split())


def _call(inputs: Sequence[Any], dy: Any, seed: Any) -> str:
    names = ["x"] if len(inputs) == 1 else [f"x{i}" for i in range(len(inputs))]
    shapes = ", ".join(f"{n} of shape {np.shape(x)}" for n, x in zip(names, inputs, strict=True))
    given = "" if dy is None else ", dy=dy"
    seed = seed if isinstance(seed, (int, np.integer)) else "rng"
    return f"check_gradients(layer, {', '.join(names)}{given}, rng={seed})  # {shapes}"


def _weaknesses(draw: Draw, dy: Any) -> Iterator[str]:
    """What could hide a mistake in the numbers that the caller chose."""
    if dy is not None and np.size(dy) > 1 and np.ptp(np.asarray(dy, np.float64)) == 0:
        yield "dy is uniform, which hides mistakes in softmax, normalization and sums; omit dy"
    elif dy is None and not draw.subject.takes_dy and draw.y.size > 1:
        yield "backward takes no dy, so dy is 1 everywhere, which hides mistakes"
    arrays = [x for x in draw.inputs if isinstance(x, np.ndarray) and x.ndim]
    if arrays and len(arrays[0]) == 1 and arrays[0].ndim > 1:
        yield "the batch is 1, which hides sums over it; pass more samples"
    for name, array in [*((f"input {i}", x) for i, x in enumerate(arrays)), *draw.params.items()]:
        sizes = [n for n in array.shape if n != 1]
        if len(sizes) != len(set(sizes)):
            yield f"sizes of {name} {array.shape} coincide, which hides transposes and wrong axes"
