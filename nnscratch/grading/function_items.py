"""Items made from a function of the library, or any other that is right."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnscratch.grading.checks import Check
from nnscratch.grading.draws import Case, drawn
from nnscratch.grading.evidence import case_of, compare
from nnscratch.grading.remote import entry
from nnscratch.grading.student import Student
from nnscratch.grading.verdicts import TOLERANCE, Comparison


@dataclass(frozen=True)
class FunctionItems:
    """The check of one function.

    Attributes
    ----------
    name : str
        The student's function.
    right : callable
        Of the same arguments; a failing case is shown by their names. Where it returns a dict, so
        must the student's, and each entry is compared under its key.
    cases : mapping of str to sequence of inputs
        By the name of the case what it receives, each a Draw or a tuple of Draws (see draws.py);
        other arguments than arrays are given as they are.
    mistakes : function of a Case, optional
        What the function's own mistakes would give, by code; of several results by name and code.
    context : function of a Case, optional
        Options of `compare`, which make further mistakes recognizable; of several results by name.
    names : tuple of str
        Of the results, where the function returns a tuple.
    batch : int
    """

    name: str
    right: Callable[..., Any]
    cases: Mapping[str, Any]
    mistakes: Callable[[Case], Mapping[str, Any]] = lambda case: {}
    context: Callable[[Case], Mapping[str, Any]] = lambda case: {}
    names: tuple[str, ...] = ()
    batch: int = 4
    given: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = TOLERANCE

    def value(self) -> Check:
        """What the function returns."""
        return Check(self._value, self.name, self.given, tolerance=self.tolerance)

    def _value(self, student: Student, rng: np.random.Generator) -> Iterator[Comparison]:
        for name, several in self.cases.items():
            for inputs in several:
                arguments = drawn(inputs, rng, self.batch)
                case = Case(arguments, self.right(*arguments))
                many = len(self.names) or None
                got = student.function(self.name, *arguments, unpack=many)
                given = _given(self.right, arguments)
                for found in self._compared(f", {name}" if name else "", case, got):
                    yield replace(found, case=given)

    def _compared(self, where: str, case: Case, got: Any) -> Iterator[Comparison]:
        right, mistakes, context = case.y, self.mistakes(case), self.context(case)
        around: dict[str, Any] = {}
        if self.names:
            right, got = (dict(zip(self.names, found, strict=True)) for found in (right, got))
            around = {"others": _by_key(right), "returned": _by_key(got)}
        if not isinstance(right, dict):
            yield compare(self.name + where, got, right, mistakes, **context)
            return
        for name, expected in right.items():
            received = entry(got, name, f"what {self.name} returned")
            options = {"array": f"value {name}", **around, **context.get(name, {})}
            yield compare(name + where, received, expected, mistakes.get(name), **options)


def _by_key(results: Mapping[str, Any]) -> dict[str, Any]:
    """By what each is the gradient of, as words about it say: W for dW."""
    return {n if n.startswith("dx") else n.removeprefix("d"): a for n, a in results.items()}


def _given(function: Callable[..., Any], arguments: Sequence[Any]) -> dict[str, Any]:
    """The arguments by their names, those inside a dict by their keys."""
    try:
        names = list(inspect.signature(function).parameters)
    except ValueError:  # one that is not written in Python
        names = []
    if len(names) != len(arguments):
        return case_of(arguments, None, {})
    given: dict[str, Any] = {}
    for name, argument in zip(names, arguments, strict=True):
        given |= argument if isinstance(argument, dict) else {name: argument}
    return given


def function_items(
    name: str, right: Callable[..., Any], cases: Mapping[str, Any], **options: Any
) -> FunctionItems:
    """The check of a function; options as in `FunctionItems`.

    Examples
    --------
    >>> from nnscratch.grading.draws import normal
    >>> function_items("softplus", lambda x: np.log1p(np.exp(x)), {"": [normal(3)]}).name
    'softplus'
    """
    return FunctionItems(name, right, cases, **options)
