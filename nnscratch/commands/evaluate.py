"""nnscratch evaluate: test a trained network again."""

from __future__ import annotations

import argparse
from typing import Any


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    evaluate = commands.add_parser(
        "evaluate",
        help="test a trained network again",
        description="Print the test loss and accuracy of a run.",
    )
    evaluate.set_defaults(command=run, parser=evaluate)
    evaluate.add_argument("run", metavar="DIR", help="the folder of a run")


def run(options: argparse.Namespace) -> int:
    from nnscratch.commands.settings import Config
    from nnscratch.commands.training_run import Run

    job = Run(Config.read(options.run))
    job.restore(options.run)
    loss, accuracy = job.test()
    print(f"test loss {loss:.4f}")
    print(f"test accuracy {accuracy:.4f}")
    return 0
