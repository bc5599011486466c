"""What the commands of homework share: the assignment, the sandbox, faults of the grader."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

FAULT = 3  # the exit status of a fault of the grader, which is never a grade


def chosen_assignment(options: argparse.Namespace, name: str) -> Any:
    from nnscratch.grading.spec import find

    try:
        return find(name)
    except ValueError as error:
        options.parser.error(str(error))


def chosen_level(options: argparse.Namespace) -> int:
    """The sandbox's level: the best that this machine gives, or a lower one that was asked for."""
    from nnscratch.grading.sandbox.slot import detect_level

    detected = detect_level()
    if options.sandbox is None:
        return detected.level
    if options.sandbox > detected.level:
        reasons = "; ".join(detected.reasons)
        raise ValueError(f"sandbox level {options.sandbox} is not to be had here: {reasons}")
    return int(options.sandbox)


def told(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command, where a fault of the grader is status 3 and one line."""

    def command(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except RuntimeError as error:
            from nnscratch.grading.sandbox.errors import SandboxError
            from nnscratch.grading.spec import GraderFault

            if not isinstance(error, (GraderFault, SandboxError)):
                raise
            print("nnscratch: fault of the grader:", " ".join(str(error).split()), file=sys.stderr)
            return FAULT

    return command
