"""nnscratch sweep: train with every combination of settings, over several processes."""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnscratch.commands.options import COUNT, flag, one_line, shown

if TYPE_CHECKING:
    from nnscratch.commands.run_folder import Summary
    from nnscratch.commands.settings import Config

DRAWN = 6  # ways in the picture, the best ones
EXAMPLES = """\
examples:
  nnscratch sweep --learning-rate 0.01 0.03 0.1 --seed 0 1 2
  nnscratch sweep --hidden 256,128 64 --optimizer sgd adam -j 4 --out sizes
  nnscratch sweep --learning-rate 0.001 0.01 0.1 --dropout 0 0.2 0.5 --draw 4

Each run is a folder in DIR, as of nnscratch train. The same command again goes on where it was
stopped and repeats no finished run; runs that failed are tried again.
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    from nnscratch.commands.setting_options import add_settings

    sweep = commands.add_parser(
        "sweep",
        help="train with every combination of settings",
        description="Train once for each combination of the settings given; print a table, the "
        "best first, and draw the best ones. Each option takes several values; --hidden takes "
        "lists with commas.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sweep.set_defaults(command=run, parser=sweep)
    add_settings(sweep, several=True)
    output = sweep.add_argument_group("output")
    output.add_argument("--out", metavar="DIR", default="sweep", help="default sweep")
    output.add_argument(
        "-j", "--jobs", type=COUNT, metavar="N", help="runs at a time (default 1; all of a cluster)"
    )
    output.add_argument("--draw", type=COUNT, metavar="N", help="only N combinations, at random")
    output.add_argument("--dask", metavar="ADDRESS", help="on the workers of a dask cluster")


def run(options: argparse.Namespace) -> int:
    from nnscratch.commands.run_folder import read_results, summary_of
    from nnscratch.commands.runs import table
    from nnscratch.commands.sweep_jobs import alone_in, train_all
    from nnscratch.commands.training_run import Run

    try:
        configs = list(dict.fromkeys(_configs(options)))  # each once, since each has its folder
    except ValueError as error:
        options.parser.error(str(error))
    for config in {(each.data, each.root, each.label): each for each in configs}.values():
        Run(config)  # reads the data: what is missing is downloaded once, or said once
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    folders = [out / _name(config, options) for config in configs]
    with alone_in(out):
        failed, interrupted = train_all(configs, folders, options.jobs, options.dask)
    if interrupted:
        done = sum(read_results(folder) is not None for folder in folders)
        print(
            f"nnscratch: interrupted; {done} of {len(folders)} runs are finished, the same command "
            "goes on",
            file=sys.stderr,
        )
        return 1
    found = [summary_of(folder) for folder in folders if folder.name not in failed]
    if found:
        lines = table(found)
        print(lines)
        (out / "table.txt").write_text(lines + "\n", "utf-8")
        _draw(found, options, out / "sweep.png")
        print(f"saved in {out}: {len(found)} runs, table.txt, sweep.png")
    for name, reason in failed.items():
        print(f"nnscratch: error: {name} failed: {one_line(reason)}", file=sys.stderr)
    return 1 if failed else 0


def _configs(options: argparse.Namespace) -> Iterator[Config]:
    """Every combination; ValueError where one of them cannot be."""
    from nnscratch.commands.setting_options import settings_in
    from nnscratch.commands.settings import Config

    given = settings_in(options)
    every: Iterable[tuple[Any, ...]] = itertools.product(*given.values())
    if options.draw is not None:
        import numpy as np

        combinations = list(every)
        count = min(options.draw, len(combinations))
        rows = np.random.default_rng(0).choice(len(combinations), count, replace=False)
        every = [combinations[row] for row in sorted(rows)]
    for values in every:
        yield Config(**dict(zip(given, values, strict=True))).checked()


def _name(config: Config, options: argparse.Namespace) -> str:
    """A folder's name: the settings that vary, and a number that belongs to all of them."""
    from nnscratch.commands.setting_options import settings_in

    content = json.dumps(asdict(config), sort_keys=True).encode()
    number = hashlib.sha256(content).hexdigest()[:8]
    varied = [name for name, values in settings_in(options).items() if len(values) > 1]
    words = [f"{name.replace('_', '-')}={shown(getattr(config, name))}" for name in varied]
    plain = re.sub(r"[^\w.=+-]+", "-", "_".join(words))
    return f"{plain[:80]}_{number}" if plain else number


def _draw(found: Sequence[Summary], options: argparse.Namespace, path: Path) -> None:
    """The curves of the best settings, those of several seeds as one with a band."""
    from nnscratch.commands.setting_options import settings_in
    from nnscratch.plots import plot_comparison
    from nnscratch.training.history import History

    varied = [name for name, values in settings_in(options).items() if len(values) > 1]
    names = [name for name in varied if name != "seed"]
    ways: dict[str, list[History]] = {}
    for each in sorted(found, key=lambda each: each.order):
        label = ", ".join(shown(getattr(each.config, name)) for name in names) or "all"
        ways.setdefault(label, []).append(History.from_csv(each.folder / "history.csv"))
    best = dict(itertools.islice(ways.items(), DRAWN))
    part = (
        "valid" if all("valid_loss" in run for runs in best.values() for run in runs) else "train"
    )
    title = ", ".join(flag(name).strip("-") for name in names) or None
    plot_comparison(best, [f"{part}_loss", f"{part}_accuracy"], title=title).savefig(path)
