"""The command line: reads options, calls the library, says what came of it.

Exit status 0: done; 1: the job failed; 2: wrong usage. An error is one line on standard error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NoReturn

TRAIN_EXAMPLES = """\
examples:
  nnscratch train                                    the embedded digits, a few seconds
  nnscratch train --data fashion-mnist --epochs 20   clothes instead of digits
  nnscratch train --optimizer adam --hidden 64 64 --dropout 0.2 --out runs/small
  nnscratch train --resume runs/small --epochs 60    go on where it ended
"""

CHECK_EXAMPLES = """\
examples:
  nnscratch check layers.py:ReLU
  nnscratch check 'layers.py:Linear(4, 3)' --input-shape 5 4

exit status: 0 if every gradient is right, 1 if one is wrong
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.command(options)
    except KeyboardInterrupt:
        print("nnscratch: interrupted", file=sys.stderr)
    except BrokenPipeError:  # the reader of our output has gone, as in `nnscratch ... | head -1`
        sys.stderr.close()
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print("nnscratch: error:", " ".join(reason.split()), file=sys.stderr)
    except (ValueError, RuntimeError, ImportError, MemoryError) as error:
        print("nnscratch: error:", " ".join(str(error).split()), file=sys.stderr)
    return 1


def _train(options: argparse.Namespace) -> int:
    from dataclasses import fields, replace
    from pathlib import Path

    from nnscratch.runs import WITH_MOMENTUM, Config, Run, choose_folder

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
        run = Run(config)
        folder.mkdir(parents=True, exist_ok=True)
        config.write(folder)
        say(run.summary)
        resume = bool(options.resume) and (folder / "checkpoint.npz").exists()
        history = run.train(folder, resume, progress=not options.quiet)
        if history.stopped == "interrupted":
            done = f"{len(history)} finished epochs are saved"
            print(
                f"nnscratch: interrupted; {done}, go on with: nnscratch train --resume {folder}",
                file=sys.stderr,
            )
            return 1
        _, accuracy = run.test()
    say(f"saved in {folder}: model.npz, history.csv, loss.png")
    print(f"test accuracy {accuracy:.4f}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from nnscratch.runs import Config, Run

    run = Run(Config.read(options.run))
    run.restore(options.run)
    loss, accuracy = run.test()
    print(f"test loss {loss:.4f}")
    print(f"test accuracy {accuracy:.4f}")
    return 0


def _plot(options: argparse.Namespace) -> int:
    from pathlib import Path

    from nnscratch.history import History
    from nnscratch.plots import plot_history

    folders = [Path(run) for run in options.runs]
    histories = [History.from_csv(folder / "history.csv") for folder in folders]
    labels = [folder.resolve().name for folder in folders]
    out = options.out or (folders[0] / "loss.png" if len(folders) == 1 else Path("runs.png"))
    plot_history(*histories, labels=labels, log=options.log).savefig(out)
    print(f"wrote {out}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from nnscratch.gradient_check import check_gradients
    from nnscratch.gradient_check.from_file import inputs_for, load_object, split_target

    try:
        split_target(options.target)
    except ValueError as error:
        options.parser.error(str(error))
    layer = load_object(options.target)
    inputs = inputs_for(layer, options.input_shape or (), options.seed)
    report = check_gradients(layer, *inputs, rng=options.seed)
    print(report.text(colour=sys.stdout.isatty()))
    return 0 if report.ok else 1


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


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and whose options are written out."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


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


def _parser() -> _Parser:
    count = _number(int, lambda n: n >= 1, "a whole number of at least 1")
    seed = _number(int, lambda n: n >= 0, "a whole number of at least 0")
    rate = _number(float, lambda r: 0 < r < float("inf"), "a positive number")
    decay = _number(float, lambda r: 0 <= r < float("inf"), "a number of at least 0")
    share = _number(float, lambda p: 0 <= p < 1, "a share from 0 to below 1")

    parser = _Parser(
        prog="nnscratch",
        description="Neural networks that read like their derivation.",
        epilog="nnscratch COMMAND --help explains a command, with examples.",
    )
    parser.set_defaults(command=lambda _: parser.error("which command?"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    train = commands.add_parser(
        "train",
        help="train a network and save it with its curves",
        description="Train a network; save model, history and loss curve; print its accuracy.",
        epilog=TRAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.set_defaults(command=_train, parser=train)
    model = train.add_argument_group("data and model")
    model.add_argument("--data", metavar="NAME", help="digits or fashion-mnist (default digits)")
    model.add_argument("--root", metavar="DIR", help="the folder that holds the data's files")
    model.add_argument("--model", choices=["mlp", "cnn"], help="kind of network (default mlp)")
    model.add_argument(
        "--hidden", type=count, nargs="+", metavar="N", help="units per layer (default 256 128)"
    )
    model.add_argument(
        "--activation",
        choices=["relu", "leaky-relu", "elu", "gelu", "silu", "tanh", "sigmoid"],
        help="default relu",
    )
    model.add_argument("--dropout", type=share, metavar="P", help="share dropped (default 0)")
    steps = train.add_argument_group("training")
    steps.add_argument(
        "--optimizer",
        choices=["sgd", "adam", "adamw", "rmsprop", "adagrad"],
        help="default sgd",
    )
    steps.add_argument(
        "--learning-rate",
        type=rate,
        metavar="R",
        help="default 0.1 for sgd, 0.001 for adam and adamw, 0.01 for rmsprop and adagrad",
    )
    steps.add_argument("--momentum", type=share, metavar="M", help="default 0.9 for sgd, else 0")
    steps.add_argument(
        "--weight-decay", type=decay, metavar="D", help="default 0.01 for adamw, else 0"
    )
    steps.add_argument(
        "--schedule",
        choices=["constant", "step", "cosine"],
        help="of the learning rate (default constant); step: a tenth after each third",
    )
    steps.add_argument("--epochs", type=count, metavar="N", help="default 30")
    steps.add_argument("--batch-size", type=count, metavar="N", help="default 32")
    steps.add_argument(
        "--validation",
        type=share,
        metavar="P",
        help="share of the training data to validate on (default 0.1; 0 for none)",
    )
    steps.add_argument("--seed", type=seed, metavar="N", help="default 0")
    steps.add_argument(
        "--shift", type=seed, metavar="PIXELS", help="move images by up to so many (default 0)"
    )
    steps.add_argument(
        "--flip", action="store_true", default=None, help="mirror every other image, at random"
    )
    output = train.add_argument_group("output")
    output.add_argument("--out", metavar="DIR", help="folder to write (default runs/DATA-MODEL-N)")
    output.add_argument("--resume", metavar="DIR", help="go on with the run in a folder")
    output.add_argument("--threads", type=count, metavar="N", help="limit the processor's use")
    output.add_argument("--quiet", action="store_true", help="print only the test accuracy")

    evaluate = commands.add_parser(
        "evaluate",
        help="test a trained network again",
        description="Print the test loss and accuracy of a run.",
    )
    evaluate.set_defaults(command=_evaluate, parser=evaluate)
    evaluate.add_argument("run", metavar="DIR", help="the folder of a run")

    plot = commands.add_parser(
        "plot",
        help="draw the curves of one or several runs",
        description="Draw loss and accuracy over the epochs; several runs are compared.",
        epilog="example: nnscratch plot runs/digits-mlp-1 runs/digits-mlp-2 --out compared.png",
    )
    plot.set_defaults(command=_plot, parser=plot)
    plot.add_argument("runs", metavar="DIR", nargs="+", help="the folder of a run")
    plot.add_argument("--out", metavar="FILE", help="default DIR/loss.png, of several runs.png")
    plot.add_argument("--log", action="store_true", help="logarithmic axis for the loss")

    check = commands.add_parser(
        "check",
        help="check the gradients of a layer of your own, and hear what is wrong",
        description="Compare a layer's gradients with numeric ones; name the likely mistake.",
        epilog=CHECK_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.set_defaults(command=_check, parser=check)
    check.add_argument(
        "target", metavar="FILE.py:Class", help="with arguments as in 'FILE.py:Class(4, 3)'"
    )
    check.add_argument(
        "--input-shape",
        type=count,
        nargs="+",
        action="append",
        metavar="N",
        help="shape of the input, once for each input (guessed for one input)",
    )
    check.add_argument("--seed", type=seed, default=0, metavar="N", help="default 0")
    return parser


if __name__ == "__main__":
    sys.exit(main())
