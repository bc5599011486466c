"""The settings of a run on the command line: an option for each, and those that were given."""

from __future__ import annotations

import argparse
from dataclasses import Field, fields
from typing import Any

from nnscratch.commands.choices import CHOICES, takers
from nnscratch.commands.options import LIST, ONOFF, flag, shown
from nnscratch.commands.own_model import MODEL
from nnscratch.commands.settings import Config


def add_settings(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Add an option for each setting, in its group, with its default in the help.

    With several values each option takes a list of them, and what is a list itself is one with
    commas: --hidden 256,128 64.
    """
    groups: dict[str, Any] = {}
    for each in offered():
        details = each.metadata
        title = details["group"]
        group = groups.get(title) or groups.setdefault(title, parser.add_argument_group(title))
        options = {"help": _help(each.name), **details["options"]}
        if details["kind"] is bool and several:
            options |= {"type": ONOFF, "nargs": "+", "metavar": "yes|no"}
        elif details["kind"] is bool:
            options["action"] = "store_true"
        else:
            options["type"] = details["kind"]
            if several and "nargs" in options:
                options |= {"type": LIST(details["kind"]), "metavar": "N,N"}
            if several:
                options["nargs"] = "+"
        if each.name in CHOICES and details["kind"] is not MODEL:
            options |= {"choices": sorted(CHOICES[each.name])}
        group.add_argument(flag(each.name), default=None, **options)


def settings_in(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given as options, by name."""
    values = {each.name: getattr(options, each.name) for each in offered()}
    given = {name: value for name, value in values.items() if value is not None}
    return {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}


def offered() -> list[Field[Any]]:
    """The settings that are options; the others are known of one's own data once it is read."""
    return [each for each in fields(Config) if each.metadata["group"]]


def _help(name: str) -> str:
    each = next(each for each in fields(Config) if each.name == name)
    what, of = each.metadata["help"], each.metadata["of"]
    if of:
        groups: dict[str, list[str]] = {}
        for choice, default in takers(of, name).items():
            groups.setdefault(shown(default), []).append(choice)
        values = [f"{value} for {', '.join(choices)}" for value, choices in groups.items()]
        default = "; ".join(values)
    else:
        default = "" if each.default in (None, "") or each.default is False else shown(each.default)
    return " ".join(filter(None, [what, f"(default {default})" if default else ""]))
