"""nnscratch runs: a table of runs, the best first."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnscratch.commands.options import complain, nearest, one_line, shown

if TYPE_CHECKING:
    from nnscratch.commands.run_folder import Summary

ALWAYS = ("data", "model", "hidden")  # settings that every table shows, in one column
LEFT_OUT = ("root", "shape", "class_names", "label", "normalize")
EXAMPLES = """\
examples:
  nnscratch runs                             all below runs/
  nnscratch runs sweep                       those of a sweep
  nnscratch runs --where optimizer=adam --where data=fashion-mnist

They are in the order of the accuracy on the validation data, or of the test where there are none;
what is not finished stands last. The settings are those in which they differ.
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    runs = commands.add_parser(
        "runs",
        help="compare runs in a table, the best first",
        description="Print a table of runs: what they were, and how well they did.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    runs.set_defaults(command=run, parser=runs)
    runs.add_argument(
        "folders", metavar="DIR", nargs="*", default=["runs"], help="runs, or folders of runs"
    )
    runs.add_argument(
        "--where",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="only those with this setting; may be given several times",
    )


def run(options: argparse.Namespace) -> int:
    found, faults = find_runs(options.folders)
    wanted = [_condition(text, options) for text in options.where]
    for fault in faults:
        complain(fault)
    if not found:
        where = ", ".join(options.folders)
        raise ValueError(f"there is no run in {where}; nnscratch train makes one")
    for name, value in wanted:
        there = sorted({_shown(each, name) for each in found})
        found = [each for each in found if _shown(each, name) == value]
        if not found:
            raise ValueError(f"no run has {name}={value}; there is {', '.join(there)}")
    print(table(found))
    return 1 if faults else 0


def find_runs(names: Sequence[str]) -> tuple[list[Summary], list[Exception]]:
    """The runs in folders, and what kept others from being read.

    Raises
    ------
    FileNotFoundError
        A folder is missing.
    """
    from nnscratch.commands.run_folder import summary_of

    found: list[Summary] = []
    faults: list[Exception] = []
    for folder in map(Path, names):
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}; nnscratch train makes runs/")
        inside = sorted(path for path in folder.iterdir() if (path / "config.json").exists())
        for place in [folder] if (folder / "config.json").exists() else inside:
            try:
                found.append(summary_of(place))
            except (OSError, ValueError) as error:
                faults.append(error)
    return found, faults


def table(found: Sequence[Summary]) -> str:
    """The runs, the best first, with the settings in which they differ."""
    from nnscratch.commands.settings import Config
    from nnscratch.display.text import text_table

    names = [each.name for each in fields(Config) if each.name not in (*ALWAYS, *LEFT_OUT)]
    differing = [name for name in names if len({_shown(each, name) for each in found}) > 1]
    if all(each.results is None or each.results.epochs == each.config.epochs for each in found):
        differing = [name for name in differing if name != "epochs"]  # which stand there already
    headers = ["run", "trained", "valid", "test", "epochs", "seconds", *differing]
    rows = [
        [str(each.folder), *_measures(each), *(_shown(each, name) for name in differing)]
        for each in sorted(found, key=lambda each: each.order)
    ]
    return text_table(headers, [[one_line(cell) for cell in row] for row in rows])


def _measures(each: Summary) -> list[str]:
    from nnscratch.commands.training_run import title_of

    title, results = title_of(each.config), each.results
    valid = "-" if math.isnan(each.valid_accuracy) else f"{each.valid_accuracy:.4f}"
    if results is None:
        return [f"{title}, not finished", valid, "-", "-", "-"]
    return [
        title,
        valid,
        f"{results.test_accuracy:.4f}",
        str(results.epochs),
        f"{results.seconds:.1f}",
    ]


def _condition(text: str, options: argparse.Namespace) -> tuple[str, str]:
    from nnscratch.commands.settings import Config

    name, equals, value = text.partition("=")
    name = name.strip().lstrip("-").replace("-", "_")
    known = [each.name for each in fields(Config)]
    if not equals or name not in known:
        options.parser.error(f"--where expects NAME=VALUE, received {text!r}{nearest(name, known)}")
    return name, value.strip()


def _shown(each: Summary, name: str) -> str:
    value = getattr(each.config, name)
    return "-" if value is None else shown(value)
