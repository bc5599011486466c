"""Items made from a function of the library, or any other that is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnscratch.grading.checks import Check
from nnscratch.grading.draws import Case, drawn
from nnscratch.grading.evidence import case_of, compare
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
        Of the same arguments.
    cases : mapping of str to sequence of inputs
        By the name of the case what it receives, each a Draw or a tuple of Draws (see draws.py);
        other arguments than arrays are given as they are.
    mistakes : function of a Case, optional
        What the function's own mistakes would give, by code.
    context : function of a Case, optional
        Options of `compare`, which make further mistakes recognizable.
    batch : int
    """

    name: str
    right: Callable[..., Any]
    cases: Mapping[str, Any]
    mistakes: Callable[[Case], Mapping[str, Any]] = lambda case: {}
    context: Callable[[Case], Mapping[str, Any]] = lambda case: {}
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
                right = self.right(*arguments)
                case = Case(arguments, right)
                got = student.function(self.name, *arguments)
                title = f"{self.name}, {name}" if name else self.name
                found = compare(title, got, right, self.mistakes(case), **self.context(case))
                yield replace(found, case=case_of(arguments, None, {}))


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
