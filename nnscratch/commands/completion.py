"""Completion in the shell, by the package argcomplete: `eval "$(register-python-argcomplete
nnscratch)"`.

The shell starts the program with `_ARGCOMPLETE` set at every press of the key. Commands, options
and choices argcomplete reads from the parsers; here stands what else can be written.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from nnscratch.commands.choices import CHOICES, MODELS
from nnscratch.commands.settings import Config
from nnscratch.data.catalogue import SOURCES

Completer = Callable[..., list[str]]


def complete(parser: argparse.ArgumentParser) -> None:
    """Print what may follow, and end; without argcomplete there is nothing to be said."""
    try:
        import argcomplete
    except ImportError:
        return
    for action in _actions(parser):
        if (completer := _completer(action)) is not None:
            action.completer = completer  # type: ignore[attr-defined]  # argcomplete's
    argcomplete.autocomplete(parser, always_complete_options="long")


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a parser and of all commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in {id(p): p for p in action.choices.values()}.values():
                yield from _actions(inner)


def _completer(action: argparse.Action) -> Completer | None:
    """What completes an argument that has no fixed choices; None for a file."""
    if action.metavar == "DIR" and action.dest in ("run", "runs", "folders", "resume"):
        return _runs
    words = {"data": [*SOURCES], "model": [*MODELS], "name": [*SOURCES]}
    if action.dest == "where":
        return _conditions
    if action.dest in words and not action.choices:
        return lambda prefix, **_: _starting(prefix, [*words[action.dest], *_paths(prefix)])
    return None


def _runs(prefix: str, **_: Any) -> list[str]:
    """Folders, those below runs/ before one has begun to write."""
    found = [path for path in _paths(prefix) if path.endswith("/")]
    if not prefix:
        found += [str(path.parent) for path in sorted(Path("runs").glob("*/config.json"))]
    return found


def _conditions(prefix: str, **_: Any) -> list[str]:
    """NAME=, and behind it the choices."""
    name, equals, _value = prefix.partition("=")
    if equals:
        return _starting(prefix, [f"{name}={value}" for value in CHOICES.get(name, ())])
    return _starting(prefix, [f"{each.name}=" for each in fields(Config)])


def _paths(prefix: str) -> list[str]:
    """The files and folders that a prefix may grow into."""
    folder, start = (prefix.rpartition("/")[0] + "/", prefix.rpartition("/")[2])
    where = Path(folder if "/" in prefix else ".").expanduser()
    if not where.is_dir():
        return []
    before = folder if "/" in prefix else ""
    inside = sorted(path for path in where.iterdir() if path.name.startswith(start))
    return [
        f"{before}{path.name}{'/' if path.is_dir() else ''}"
        for path in inside
        if start or not path.name.startswith(".")
    ]


def _starting(prefix: str, words: list[str]) -> list[str]:
    return [word for word in words if word.startswith(prefix)]
