"""`check_gradients`: run the passes, compare with numeric derivatives, name the mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnscratch.gradient_check import probes
from nnscratch.gradient_check.arguments import (
    as_leaves,
    call_in_words,
    error_in_words,
    name_in_words,
    raised_by_hand,
    weaknesses,
    with_given_params,
)
from nnscratch.gradient_check.choosing import (
    ADAPTER,
    choose,
    local_derivative,
    no_dy,
    refused,
    told_by_name,
)
from nnscratch.gradient_check.draws import Draw, run
from nnscratch.gradient_check.judging import Notes, judge
from nnscratch.gradient_check.methods import (
    Functions,
    methods_of,
    takes_target_first,
    value_and_gradient,
)
from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.randomness import global_random_state_kept
from nnscratch.gradient_check.report import Report
from nnscratch.gradient_check.subject import NotUnderstood, Subject
from nnscratch.kinds import checks_kinds

NO_ARRAY = (  # what is said where dy is used as an object, or a mapping, or wanted by its name
    "required keyword-only argument",
    "'numpy.ndarray' object has no attribute",
    "'float' object has no attribute",
    "only integers, slices (`:`), ellipsis",
)

__all__ = ["assert_gradients", "check_gradients"]


@checks_kinds
def check_gradients(layer: Any, *inputs: Any, dy: Any = None, rng: Any = 0) -> Report:
    """Compare every gradient of a layer with numeric derivatives, and say what is wrong.

    Parameters
    ----------
    layer : object with forward and backward, or a pair of functions
        A layer, container, graph or loss of this package, or any other object; see the package's
        docstring for the conventions that are understood. It is copied first.
    *inputs : arrays
        As `forward` takes them, lists and tuples of arrays too. Integers, such as labels, have
        no gradient.
    dy : array, optional
        dL/dy, in the shape of y; a tuple for several outputs. Drawn at random unless given: a
        uniform dy hides mistakes.
    rng : int or numpy.random.Generator
        Draws dy and further inputs and parameters.

    Returns
    -------
    report : Report
        `report.ok`, and `print(report)` says why not.

    Raises
    ------
    ValueError
        There is nothing to call, or no way is known to call it; the message says how to adapt it.

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


@checks_kinds
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


class _Check:
    """One call of `check_gradients`: what it was given, and what it found so far."""

    def __init__(
        self, layer: Any, inputs: Sequence[Any], dy: Any, rng: np.random.Generator, seed: Any
    ) -> None:
        if isinstance(layer, tuple) and len(layer) == 2 and all(map(callable, layer)):
            layer = Functions(*layer)
        if isinstance(layer, type):
            raise ValueError(f"check_gradients expected an object; write {layer.__name__}(...)")
        if not isinstance(layer, Functions) and methods_of(layer) is None:
            layer = value_and_gradient(layer, inputs)
        if why := refused(layer, inputs):
            raise ValueError(
                "check_gradients expected an object with forward and backward, or a pair of "
                "functions (forward, backward), or one that returns (loss, gradient, ...), "
                f"received {name_in_words(layer)} {why}"
            )
        self.layer, self.rng = layer, rng
        self.dy = tuple(dy) if isinstance(dy, list) and len(dy) > 1 else dy
        self.inputs, self.structure = as_leaves(inputs)
        layer = self.layer = with_given_params(layer, self.inputs)
        self.target_first = takes_target_first(layer, self.inputs, self.structure)
        if self.target_first:  # what is checked is the gradient by the prediction: dx
            self._exchange_inputs()
        self.tensors = any(hasattr(x, "detach") for x in inputs)
        self.result = Report(name_in_words(layer), reproduce=call_in_words(inputs, dy, seed))
        self.notes = Notes()

    def _exchange_inputs(self) -> None:
        for order in (self.inputs, self.structure):
            order[:2] = order[1::-1]

    def report(self) -> Report:
        chosen = self.first_draw()
        if chosen is not None:
            subject, draw = chosen
            if subject.manner.goes_on:
                words = "forward goes on from the call before; each is checked from the first state"
                self.notes.warn(words)
            if not subject.copied:
                words = "the object cannot be copied, so it is checked itself"
                self.notes.warn(words)
            call = subject.manner.call
            if call.outputs is not None and call.outputs < call.cached:
                words = f"backward takes no gradient of output {call.outputs}, so none goes there"
                self.notes.warn(words)
            if call.dx_last:
                words = "backward returns the gradient by the first input last, after the others"
                self.notes.warn(words)
            if self.target_first:
                words = "forward takes the target first; dx is the gradient by the prediction"
                self.notes.warn(words)
            if any(rate < 0 for rate in subject.manner.updates.values()):
                self.notes.warn("backward adds what it is given: an error target - output, not dy")
            if self._understood(subject, draw):
                self.notes.warnings += weaknesses(draw, self.dy)
                judge(self.notes, subject, draw, self.rng)
                self.other_mode(subject, draw)
            self.notes.sort(list(draw.got))
        self.result.findings = list(self.notes.findings.values())
        self.result.warnings = self.notes.warnings
        return self.result

    # The steps -----------------------------------------------------------------------------

    def first_draw(self) -> tuple[Subject, Draw] | None:
        """The caller's own numbers; a finding where the passes do not get through."""
        names = ["dx" if len(self.inputs) == 1 else "dx[0]"]
        try:
            seed = int(self.rng.integers(1 << 31))
            given = self.layer, self.inputs, self.structure, None, seed
            subject, draw = choose(*given, self.target_first)
            if self.target_first and not subject.is_loss:  # two inputs with such names
                self._exchange_inputs()
                self.target_first = False
                subject, draw = choose(*given)
            names += list(subject.params)
            if self.dy is not None:
                self._check_dy(draw)
                draw = run(subject, self.inputs, self.rng, dy=self.dy)
            if not probes.repeated_forward(subject, self.inputs):
                words = explain("random_forward", "")
                for name in draw.got:
                    self.notes.add(name, "undecidable", "random_forward", words)
                return None
        except (NotUnderstood, _Refused):
            raise
        except Exception as error:
            self._failed(error, names)
            return None
        if self._integers_as_numbers(draw):
            return self.first_draw()
        return subject, draw

    def _failed(self, error: Exception, names: list[str]) -> None:
        """The findings where a pass raises."""
        stage, words = getattr(error, "stage", "backward"), error_in_words(error)
        if self.tensors:
            raise NotUnderstood(
                f"not understood: tensors are passed as NumPy arrays, and {stage} raised {words}; "
                "torch.autograd.gradcheck checks what computes with tensors"
            ) from error
        if stage == "backward" and not told_by_name(self.layer):
            words = f"not understood: backward takes no dy by its name, and raised {words}"
            self._not_understood(words, "layer.backward(...)", names[0])
            return
        if stage == "backward" and any(told in str(error) for told in NO_ARRAY):
            words = f"not understood: backward takes no array as dy by its place; it raised {words}"
            self._not_understood(words, "layer.backward(...)", names[0])
            return
        unwritten = isinstance(error, NotImplementedError)
        code, what = (
            ("not_implemented", stage) if unwritten else ("exception", f"{stage} raised {words}")
        )
        params = getattr(self.layer, "params", None)
        listed = [str(key) for key in params] if isinstance(params, Mapping) else []
        for name in dict.fromkeys(names + listed):
            self.notes.add(name, "fail", code, explain(code, name, what))

    def _check_dy(self, draw: Draw) -> None:
        shapes = [y.shape for y in draw.ys]
        given = list(self.dy) if isinstance(self.dy, tuple) and len(shapes) > 1 else [self.dy]
        found = [np.shape(d) if d is not None else shape for d, shape in
                 zip(given, shapes, strict=False)]  # fmt: skip
        if len(given) != len(shapes) or found != shapes:
            words = ", ".join(map(str, found)), ", ".join(map(str, shapes))
            raise _Refused(f"dy has shape {words[0]}, expected that of y, {words[1]}")

    def _understood(self, subject: Subject, draw: Draw) -> bool:
        """Whether backward is given a dy that it takes as one."""
        method = subject.methods[1]
        if no_dy(subject, draw):
            words = f"{method} takes no dy; if it returns f'(x), multiply by dy"
        elif local_derivative(subject, draw):
            words = f"what {method} takes is no dy: twice of it gives not twice the result"
        else:
            return True
        name = "dx" if "dx" in draw.got else "dx[0]"
        words = f"not understood: {words}"
        self._not_understood(words, f"dy * layer.{method}(...)", name, subject.methods[0])
        return False

    def _not_understood(
        self, words: str, backward: str, name: str, forward: str = "forward"
    ) -> None:
        adapted = ADAPTER.format(forward=f"layer.{forward}(*inputs)", backward=backward)
        message = f"{explain('not_understood', '', words)}\n{adapted}"
        self.notes.add(name, "undecidable", "not_understood", message)

    def _integers_as_numbers(self, draw: Draw) -> bool:
        """Integers with a gradient are meant as numbers: go on with them as floats."""
        changed = False
        for i, x in enumerate(self.inputs):
            got = draw.got.get("dx" if len(draw.inputs) == 1 else f"dx[{i}]")
            integers = isinstance(x, np.ndarray) and x.dtype.kind in "iub"
            if integers and probes.is_number(got) and np.asarray(got).shape == x.shape:
                if not np.any(got):
                    continue
                self.inputs[i] = x.astype(np.float64)
                self.notes.warn(f"input {i} holds integers; taken as real numbers")
                changed = True
        return changed

    def other_mode(self, subject: Subject, draw: Draw) -> None:
        """Training and evaluation, where they differ."""
        other = subject.in_other_mode()
        if other is None:
            return
        try:
            dy = draw.dys if len(draw.dys) > 1 else draw.dy
            second = run(other, draw.inputs, self.rng, dy=dy)
        except Exception as error:
            words = f"in {other.mode_name} mode: {error_in_words(error)}"
            if raised_by_hand(error) and not subject.ours:
                self.notes.warn(f"not compared {words}")
                return
            self.notes.add(next(iter(draw.got)), "fail", "exception", words)
            return
        unchanged = all(map(probes.alike, second.ys, draw.ys)) and all(
            probes.alike(second.got.get(name), got) for name, got in draw.got.items()
        )
        if not unchanged:
            judge(self.notes, other, second, self.rng, f"in {other.mode_name} mode: ")


class _Refused(ValueError):
    """The caller's arguments do not fit, which is no finding."""
