"""What an item of an assignment is made of: a check, or several with points of their own.

A check is a generator function of (student, rng) that yields comparisons, with what it needs to
know beside. `layer_items`, `loss_items` and `function_items` make the usual ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnscratch.grading.verdicts import TOLERANCE, Comparison

Run = Callable[[Any, np.random.Generator], Iterator[Comparison]]


@dataclass(frozen=True)
class Check:
    """How one thing is tried.

    Attributes
    ----------
    run : generator function of (student, rng)
    target : str
        The class or function of the student's that it judges.
    given : mapping of str to layer class, function or text
        What names of the student's file mean here: the library's layers and functions in place of
        those that earlier items judge. They run in the grader; a text is the source of a module
        that defines the name, which runs beside the student's code and can be read by it.
    beside : mapping of str to bytes
        Files that lie beside the student's code.
    tolerance : float
        Share of the largest element by which arrays may differ.
    together : bool
        It runs the student's own classes together, so that any mistake may lose it.
    """

    run: Run
    target: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, bytes] = field(default_factory=dict)
    tolerance: float = TOLERANCE
    together: bool = False

    @property
    def files(self) -> dict[str, bytes]:
        """What lies beside the student's files: the given sources too."""
        texts = {name: text for name, text in self.given.items() if isinstance(text, str)}
        sources = {f"given_{name}.py": text.encode() for name, text in texts.items()}
        return sources | dict(self.beside)

    def __call__(self, student: Any, rng: np.random.Generator) -> Iterator[Comparison]:
        """Give what is given, and run."""
        student.made = student.give(self.given)
        yield from self.run(student, rng)


def check(target: str, **options: Any) -> Callable[[Run], Check]:
    """Make a check of a generator function; options as in `Check`.

    Examples
    --------
    >>> @check("double", tolerance=1e-4)
    ... def double(student, rng):
    ...     yield compare("y", student.function("double", 3.0), 6.0)
    >>> double.target, double.tolerance
    ('double', 0.0001)
    """
    return lambda run: Check(run, target, **options)
