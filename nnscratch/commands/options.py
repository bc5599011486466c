"""What the commands' parsers have in common: errors in one line, and kinds of numbers."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and whose options are written out."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def _number(kind: Callable[[str], Any], accept: Callable[[Any], bool], what: str) -> Any:
    """An argparse type: a number of that kind that is accepted, else 'expected WHAT'."""

    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not accept(value):
            raise argparse.ArgumentTypeError(f"expected {what}, received {text!r}")
        return value

    return convert


COUNT = _number(int, lambda n: n >= 1, "a whole number of at least 1")
NUMBER = _number(int, lambda n: n >= 0, "a whole number of at least 0")
RATE = _number(float, lambda r: 0 < r < float("inf"), "a positive number")
AMOUNT = _number(float, lambda r: 0 <= r < float("inf"), "a number of at least 0")
SHARE = _number(float, lambda p: 0 <= p < 1, "a share from 0 to below 1")
