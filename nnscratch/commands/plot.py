"""nnscratch plot: draw the curves of one or several runs."""

from __future__ import annotations

import argparse
from typing import Any


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    plot = commands.add_parser(
        "plot",
        help="draw the curves of one or several runs",
        description="Draw loss and accuracy over the epochs; several runs are compared.",
        epilog="example: nnscratch plot runs/digits-mlp-1 runs/digits-mlp-2 --out compared.png",
    )
    plot.set_defaults(command=run, parser=plot)
    plot.add_argument("runs", metavar="DIR", nargs="+", help="the folder of a run")
    plot.add_argument("--out", metavar="FILE", help="default DIR/loss.png, of several runs.png")
    plot.add_argument("--log", action="store_true", help="logarithmic axis for the loss")


def run(options: argparse.Namespace) -> int:
    from pathlib import Path

    from nnscratch.history import History
    from nnscratch.plots import plot_history

    folders = [Path(name) for name in options.runs]
    histories = [History.from_csv(folder / "history.csv") for folder in folders]
    labels = [folder.resolve().name for folder in folders]
    out = options.out or (folders[0] / "loss.png" if len(folders) == 1 else Path("runs.png"))
    plot_history(*histories, labels=labels, log=options.log).savefig(out)
    print(f"wrote {out}")
    return 0
