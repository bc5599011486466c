"""nnscratch datasets: what data sets there are, and how to get one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnscratch.data.sources import Source

EXAMPLES = """\
examples:
  nnscratch datasets             list them: size, licence, origin, and whether they are here
  nnscratch datasets mnist       download one, if it is not here
  nnscratch datasets kmnist --root data      into data/kmnist; train with --root data
  nnscratch datasets photos/     read your own and say what it holds, as train --data photos/ would

A download is checked by its SHA-256 and goes into ~/.cache/nnscratch, or where XDG_CACHE_HOME
says. `nnscratch train --data NAME` downloads too.
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    datasets = commands.add_parser(
        "datasets",
        help="list the data sets, or download one",
        description="Without a name, list the data sets; with one, download it if it is missing.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    datasets.set_defaults(command=run, parser=datasets)
    datasets.add_argument(
        "name", metavar="NAME", nargs="?", help="the data set to get, or the path of your own"
    )
    datasets.add_argument(
        "--label", metavar="NAME", help="the column of a CSV file that holds the labels"
    )
    datasets.add_argument(
        "--root", metavar="DIR", help="look here and download into DIR/NAME (default the cache)"
    )


def run(options: argparse.Namespace) -> int:
    from nnscratch.data.catalogue import NAMES, SOURCES, unknown
    from nnscratch.data.datasets import is_path

    own = options.name is not None and is_path(options.name)
    if options.label is not None and not own:
        options.parser.error("--label is of a CSV file of one's own; leave it out")
    if options.root is not None and own:
        options.parser.error(f"--root is of downloaded files, not of {options.name}; leave it out")
    if options.name is None:
        _list(options.root)
    elif own:
        _describe(options.name, options.label)
    elif options.name not in SOURCES:
        message = unknown("data set", options.name, NAMES)
        options.parser.error(message.removeprefix("load_dataset: "))
    else:
        _get(options.name, options.root)
    return 0


def _list(root: str | None) -> None:
    from nnscratch.data.catalogue import SOURCES

    width = max(map(len, SOURCES))
    for source in SOURCES.values():
        lines = [
            f"{source.about}; {source.train} to train on, {source.test} to test on",
            _origin(source),
            _state(source, root),
        ]
        for name, line in zip((source.name, "", ""), lines, strict=True):
            print(f"{name:{width}}  {line}")


def _describe(path: str, label: str | None) -> None:
    from nnscratch.data import load_dataset

    data = load_dataset(Path(path), label=label)
    print(f"{data.name}: {len(data.y_train)} to train on, {len(data.y_test)} to test on")
    print(f"samples of shape {data.x_train.shape[1:]}")
    for note in data.notes:
        print(note)


def _get(name: str, root: str | None) -> None:
    from nnscratch.data.catalogue import source_of
    from nnscratch.data.files import fetch_dataset, files_here, megabytes

    source = source_of(name)
    here = files_here(source, root) is not None
    folder = fetch_dataset(name, root)
    print(f"{name}: {source.about}; {source.train} to train on, {source.test} to test on")
    print(f"samples of shape {source.shape}, {len(source.class_names)} classes: ", end="")
    print(", ".join(source.class_names))
    print(_origin(source))
    if folder is None or here:
        print(_state(source, root))
    else:
        print(f"downloaded into {folder}, {megabytes(source.size)}, and checked")


def _origin(source: Source) -> str:
    """Size, terms and where it comes from."""
    from nnscratch.data.files import megabytes

    size = [megabytes(source.size)] if source.files else []
    licence = f"licence {source.licence}" if source.licence else "no licence stated"
    return ", ".join([*size, licence, source.page]) if source.page else "generated"


def _state(source: Source, root: str | None) -> str:
    from nnscratch.data.files import files_here

    if not source.files:
        return "always here"
    found = files_here(source, root)
    if found is None:
        return f"not here; nnscratch datasets {source.name} downloads it"
    return f"here, in {found[0].parent}"
