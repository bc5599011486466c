"""What the commands' parsers have in common: errors in one line, spelling, kinds of numbers."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from nnscratch.data.catalogue import SOURCES
from nnscratch.data.datasets import is_path
from nnscratch.files import printable
from nnscratch.words import OPTIONS


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line with the nearest word, and that abbreviates
    nothing.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {one_line(message)}; see {self.prog} --help\n")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """End with the options that this command does not have, and what may have been meant."""
        known = [name for action in self._actions for name in action.option_strings]
        words = [word.partition("=")[0] for word in unknown if word.startswith("-")]
        hints = [nearest(word, known) for word in words]
        self.error(f"unrecognized arguments: {' '.join(unknown)}{''.join(hints)}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            names = [str(choice) for choice in action.choices]
            there = f"there is {', '.join(names)}{nearest(str(value), names)}"
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}; {there}")


def nearest(word: str, known: Sequence[str]) -> str:
    """What was probably meant by a word that is not known, as an end of the message, or "".

    Examples
    --------
    >>> nearest("adamm", ["sgd", "adam"])
    ' (did you mean adam?)'
    >>> nearest("--lr", ["--epochs", "--learning-rate"])
    ' (did you mean --learning-rate?)'
    """
    plain = word.lower().replace("_", "-")
    if OPTIONS.get(plain) in known:
        return f" (did you mean {OPTIONS[plain]}?)"
    initials = {
        "--" + "".join(part[0] for part in k.strip("-").split("-") if part): k for k in known
    }
    found = get_close_matches(plain, known, 1) or [k for k in known if k.startswith(plain)]
    found = [initials[plain]] if plain in initials else found
    return f" (did you mean {found[0]}?)" if found else ""


def one_line(text: str) -> str:
    """A message in one line that a terminal shows as it is."""
    return printable(" ".join(text.split()))


def complain(error: BaseException) -> None:
    """Say in one line on standard error what went wrong."""
    reason = str(error)
    if isinstance(error, OSError) and error.filename:
        reason = f"{error.filename}: {error.strerror}"
    print("nnscratch: error:", one_line(reason), file=sys.stderr)


def flag(name: str) -> str:
    """A setting's option: learning_rate as --learning-rate."""
    return "--" + name.replace("_", "-")


def with_options(message: str) -> str:
    """A message of the library's whose arguments are said as options.

    Examples
    --------
    >>> with_options("lower the learning rate, or clip the gradients (clip_norm=1.0)")
    'lower the learning rate, or clip the gradients (--clip-norm 1.0)'
    """
    return re.sub(r"\((\w+)=([\w.]+)\)", lambda found: f"({flag(found[1])} {found[2]})", message)


def shown(value: Any) -> str:
    """A setting's value as it would be written as an option."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


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


def LIST(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """An argparse type: values of a kind with commas between them."""
    return lambda text: tuple(kind(part) for part in text.split(","))


def ONOFF(text: str) -> bool:
    """An argparse type: yes or no."""
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"expected yes or no, received {text!r}")
    return text == "yes"


def DATA(text: str) -> str:
    """An argparse type: the name of a data set, or the path of one's own, made a whole one."""
    if not is_path(text):
        if text not in SOURCES:
            there = f"there is {', '.join(SOURCES)}{nearest(text, list(SOURCES))}"
            raise argparse.ArgumentTypeError(f"unknown data set {text!r}; {there}, or a path")
        return text
    if not Path(text).exists():
        raise argparse.ArgumentTypeError(f"there is no file or folder {text}")
    return str(Path(text).absolute())
