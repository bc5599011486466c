"""nnscratch train: train a network and save it with its curves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from nnscratch.commands.options import AMOUNT, COUNT, NUMBER, RATE, SHARE

EXAMPLES = """\
examples:
  nnscratch train                                    the embedded digits, a few seconds
  nnscratch train --data fashion-mnist --epochs 20   clothes instead of digits
  nnscratch train --optimizer adam --hidden 64 64 --dropout 0.2 --out runs/small
  nnscratch train --resume runs/small --epochs 60    go on where it ended
  nnscratch train --learning-rate 5 --diagnose       hear what is wrong
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    train = commands.add_parser(
        "train",
        help="train a network and save it with its curves",
        description="Train a network; save model, history and loss curve; print its accuracy.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.set_defaults(command=run, parser=train)
    model = train.add_argument_group("data and model")
    model.add_argument(
        "--data",
        metavar="NAME",
        help="digits (the default), mnist, fashion-mnist, kmnist, cifar10, spirals or moons; "
        "downloaded if missing, see nnscratch datasets",
    )
    model.add_argument("--root", metavar="DIR", help="the folder that holds the data's files")
    model.add_argument("--model", choices=["mlp", "cnn"], help="kind of network (default mlp)")
    model.add_argument(
        "--hidden", type=COUNT, nargs="+", metavar="N", help="units per layer (default 256 128)"
    )
    model.add_argument(
        "--activation",
        choices=["relu", "leaky-relu", "elu", "gelu", "silu", "tanh", "sigmoid"],
        help="default relu",
    )
    model.add_argument("--dropout", type=SHARE, metavar="P", help="share dropped (default 0)")
    steps = train.add_argument_group("training")
    steps.add_argument(
        "--optimizer",
        choices=["sgd", "adam", "adamw", "rmsprop", "adagrad"],
        help="default sgd",
    )
    steps.add_argument(
        "--learning-rate",
        type=RATE,
        metavar="R",
        help="default 0.1 for sgd, 0.001 for adam and adamw, 0.01 for rmsprop and adagrad",
    )
    steps.add_argument("--momentum", type=SHARE, metavar="M", help="default 0.9 for sgd, else 0")
    steps.add_argument(
        "--weight-decay", type=AMOUNT, metavar="D", help="default 0.01 for adamw, else 0"
    )
    steps.add_argument(
        "--schedule",
        choices=["constant", "step", "cosine"],
        help="of the learning rate (default constant); step: a tenth after each third",
    )
    steps.add_argument("--epochs", type=COUNT, metavar="N", help="default 30")
    steps.add_argument("--batch-size", type=COUNT, metavar="N", help="default 32")
    steps.add_argument(
        "--validation",
        type=SHARE,
        metavar="P",
        help="share of the training data to validate on (default 0.1; 0 for none)",
    )
    steps.add_argument("--seed", type=NUMBER, metavar="N", help="default 0")
    steps.add_argument(
        "--shift", type=NUMBER, metavar="PIXELS", help="move images by up to so many (default 0)"
    )
    steps.add_argument(
        "--flip", action="store_true", default=None, help="mirror every other image, at random"
    )
    output = train.add_argument_group("output")
    output.add_argument("--out", metavar="DIR", help="folder to write (default runs/DATA-MODEL-N)")
    output.add_argument("--resume", metavar="DIR", help="go on with the run in a folder")
    output.add_argument("--threads", type=COUNT, metavar="N", help="limit the processor's use")
    output.add_argument(
        "--workers",
        type=COUNT,
        default=1,
        metavar="N",
        help="share each minibatch among processes; for convolutional nets without BatchNorm "
        "and Dropout (default 1)",
    )
    output.add_argument(
        "--diagnose", action="store_true", help="say what looks wrong with the training, and why"
    )
    output.add_argument("--quiet", action="store_true", help="print only the test accuracy")


def run(options: argparse.Namespace) -> int:
    from dataclasses import fields, replace
    from pathlib import Path

    from nnscratch.commands.runs import WITH_MOMENTUM, Config, Run, choose_folder

    names = {field.name for field in fields(Config)}
    given = {k: v for k, v in vars(options).items() if k in names and v is not None}
    if options.resume:
        if rest := sorted(given.keys() - {"epochs"} | ({"out"} if options.out else set())):
            flags = ", ".join("--" + name.replace("_", "-") for name in rest)
            options.parser.error(f"--resume keeps the settings of the run; leave out {flags}")
        config = replace(Config.read(options.resume), **given)
        folder = Path(options.resume)
    else:
        config = replace(Config(), **given)
        if config.momentum is not None and config.optimizer not in WITH_MOMENTUM:
            options.parser.error(f"--momentum is for {' and '.join(WITH_MOMENTUM)}")
        if config.weight_decay is not None and config.optimizer == "adagrad":
            options.parser.error("--weight-decay is not for adagrad")
        folder = choose_folder(options.out, config)
    say: Callable[..., None] = print if not options.quiet else lambda *_: None

    with _threads(options.threads):
        job = Run(config)
        folder.mkdir(parents=True, exist_ok=True)
        config.write(folder)
        say(job.summary)
        resume = bool(options.resume) and (folder / "checkpoint.npz").exists()
        history = job.train(folder, resume, not options.quiet, options.diagnose, options.workers)
        if options.quiet and history.diagnosis is not None:  # else the trainer has said it
            print(history.diagnosis, file=sys.stderr)
        if history.stopped == "interrupted":
            done = f"{len(history)} finished epochs are saved"
            print(
                f"nnscratch: interrupted; {done}, go on with: nnscratch train --resume {folder}",
                file=sys.stderr,
            )
            return 1
        _, accuracy = job.test()
    say(f"saved in {folder}: model.npz, history.csv, loss.png")
    print(f"test accuracy {accuracy:.4f}")
    return 0


def _threads(count: int | None) -> Any:
    """Limit the threads of the matrix products, where that is asked for."""
    if count is None:
        return nullcontext()
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise ImportError(
            "--threads needs the package threadpoolctl; pip install 'nnscratch[fast]'"
        ) from None
    return threadpool_limits(count)
