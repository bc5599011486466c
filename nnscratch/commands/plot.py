"""nnscratch plot: draw the curves of one or several runs, what a run confuses, what it learned."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

EXAMPLES = """\
examples:
  nnscratch plot runs/digits-mlp-1                     its curves again, as runs/.../loss.png
  nnscratch plot runs/digits-mlp-1 runs/digits-mlp-2 --out compared.png
  nnscratch plot runs/digits-mlp-1 --confusion         which class it takes for which
  nnscratch plot runs/digits-mlp-1 --weights           what its first layer looks for

--confusion runs the network on the test images, which takes a moment; --weights is for networks
that were trained on images.
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    plot = commands.add_parser(
        "plot",
        help="draw the curves of one or several runs, its confusions or its weights",
        description="Draw loss and accuracy over the epochs; several runs are compared.\n"
        "Or draw the confusion matrix or the first layer's weights of one run.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    plot.set_defaults(command=run, parser=plot)
    plot.add_argument("runs", metavar="DIR", nargs="+", help="the folder of a run")
    plot.add_argument(
        "--out",
        metavar="FILE",
        help="default DIR/loss.png, DIR/confusion.png or DIR/weights.png; of several runs.png",
    )
    plot.add_argument("--log", action="store_true", help="logarithmic axis for the loss")
    what = plot.add_mutually_exclusive_group()
    what.add_argument(
        "--confusion", action="store_true", help="draw the confusion matrix on the test images"
    )
    what.add_argument(
        "--weights", action="store_true", help="draw the weights of the first layer as images"
    )


def run(options: argparse.Namespace) -> int:
    of_a_run = "--confusion" if options.confusion else "--weights" if options.weights else None
    if of_a_run and len(options.runs) > 1:
        options.parser.error(f"{of_a_run} is of one run, received {len(options.runs)} folders")
    if of_a_run and options.log:
        options.parser.error(f"--log is for curves, not for {of_a_run}")
    folders = [Path(name) for name in options.runs]
    if options.confusion:
        figure, name = _confusion(folders[0]), "confusion.png"
    elif options.weights:
        figure, name = _weights(folders[0]), "weights.png"
    else:
        figure, name = _curves(folders, options.log), "loss.png"
    out = options.out or (folders[0] / name if len(folders) == 1 else Path("runs.png"))
    figure.savefig(out)
    print(f"wrote {out}")
    return 0


def _curves(folders: list[Path], log: bool) -> Any:
    from nnscratch.commands.settings import Config
    from nnscratch.plots import plot_history
    from nnscratch.training.history import History

    sources = [Config.read(folder).source.name for folder in folders]
    for folder in folders:
        if not (folder / "history.csv").exists():
            raise FileNotFoundError(
                f"the run in {folder} has no curves: no epoch of it was finished; train it with "
                f"nnscratch train --resume {folder}, or anew"
            )
    histories = [History.from_csv(folder / "history.csv") for folder in folders]
    labels = [folder.resolve().name for folder in folders]
    if len(set(sources)) > 1:
        labels = [f"{label} ({name})" for label, name in zip(labels, sources, strict=True)]
        every = ", ".join(dict.fromkeys(sources))
        print(f"nnscratch: these runs are on different data ({every})", file=sys.stderr)
    return plot_history(*histories, labels=labels, log=log)


def _confusion(folder: Path) -> Any:
    from nnscratch.commands.settings import Config
    from nnscratch.commands.training_run import Run
    from nnscratch.plots import plot_confusion

    job = Run(Config.read(folder))
    job.restore(folder)
    return plot_confusion(job.scores(), job.data.y_test, job.data.class_names, job.title)


def _weights(folder: Path) -> Any:
    from nnscratch.commands.choices import short_model
    from nnscratch.commands.training_run import first_filters, title_of, trained_model
    from nnscratch.plots import plot_filters

    config, model = trained_model(folder)
    shape = config.source.shape
    if len(shape) != 3:
        raise ValueError(
            f"{folder} was trained on {config.source.name}, which has no images; "
            "draw its curves without --weights"
        )
    found = first_filters(model, shape)
    if found is None:
        raise ValueError(f"the first weights of {short_model(config.model)} are no images")
    first, image_shape = found
    title = f"{title_of(config)}: weights of its first layer"
    return plot_filters(first, title, image_shape, colour=shape[0] == 3)
