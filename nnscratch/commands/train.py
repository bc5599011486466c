"""nnscratch train: train a network and save it with its curves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nnscratch.commands.options import COUNT, Parser, flag
from nnscratch.files import printable, remove_unfinished

if TYPE_CHECKING:
    from nnscratch.commands.settings import Config

SLOW = 1.5  # times as long on several threads as on one, from which a word is said
EXAMPLES = """\
examples:
  nnscratch train                                    the embedded digits, a few seconds
  nnscratch train --data fashion-mnist --epochs 20   clothes instead of digits
  nnscratch train --data photos/ --model cnn         your own: a folder of pictures per class
  nnscratch train --optimizer adam --hidden 64 64 --dropout 0.2 --out runs/small
  nnscratch train --resume runs/small --epochs 60    go on where it ended
  nnscratch train --learning-rate 5 --diagnose       hear what is wrong
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    from nnscratch.commands.setting_options import add_settings

    train = commands.add_parser(
        "train",
        help="train a network and save it with its curves",
        description="Train a network; save model, history and loss curve; print its accuracy.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.set_defaults(command=run, parser=train)
    add_settings(train)
    output = train.add_argument_group("output")
    output.add_argument("--out", metavar="DIR", help="folder to write (default runs/DATA-MODEL-N)")
    output.add_argument("--resume", metavar="DIR", help="go on with the run in a folder")
    output.add_argument("--threads", type=COUNT, metavar="N", help="limit the processor's use")
    output.add_argument(
        "--workers",
        type=_workers,
        default=1,
        metavar="N",
        help="share each minibatch among processes; auto tries whether that pays (default 1)",
    )
    output.add_argument(
        "--mpi",
        action="store_true",
        help="share each minibatch among MPI ranks: mpiexec -n 4 nnscratch train --mpi",
    )
    output.add_argument(
        "--diagnose", action="store_true", help="say what looks wrong with the training, and why"
    )
    output.add_argument("--quiet", action="store_true", help="print only the test accuracy")


def _workers(text: str) -> int | str:
    return text if text == "auto" else COUNT(text)


def run(options: argparse.Namespace) -> int:
    from nnscratch.commands.ranks import on_ranks, refuse_ranks

    if options.mpi:
        return on_ranks(partial(_train, options))
    refuse_ranks(options.parser)
    return _train(options)


def _train(options: argparse.Namespace, communicator: Any = None) -> int:
    """Train; of several MPI ranks the first one speaks and writes."""
    from nnscratch.commands.failure import failure_of
    from nnscratch.commands.ranks import in_turn, once
    from nnscratch.commands.run_folder import claim_folder
    from nnscratch.commands.training_run import Run

    leads = communicator is None or communicator.rank == 0
    config = once(communicator, partial(_config, options))
    say: Callable[..., None] = print if not options.quiet else lambda *_: None
    if not options.quiet and options.threads is None and communicator is None:
        _warn_of_threads()
    with _threads(options.threads):
        job = in_turn(communicator, partial(Run, config))

        def claimed() -> tuple[Path, bool]:
            resumed = Path(options.resume) if options.resume else None
            folder = resumed or claim_folder(options.out, job.config)
            remove_unfinished(folder)
            return folder, resumed is not None and (folder / "checkpoint.npz").exists()

        folder, resume = once(communicator, claimed)
        say("\n".join([*map(printable, job.data.notes), job.summary]))
        history = job.train(
            folder, resume, not options.quiet, options.diagnose, options.workers, communicator
        )
        if not leads:
            return 0
        if options.quiet and history.diagnosis is not None:  # else the trainer has said it
            print(history.diagnosis, file=sys.stderr)
        if history.stopped == "interrupted":
            done = f"{len(history)} finished epochs are saved"
            print(
                f"nnscratch: interrupted; {done}, go on with: nnscratch train --resume {folder}",
                file=sys.stderr,
            )
            return 1
        results = job.finish(folder, history)
    say(f"saved in {folder}: model.npz, history.csv, loss.png, results.json")
    failure = failure_of(job, results, history)
    if failure:
        print(f"nnscratch: {failure}", file=sys.stderr)
    print(f"test accuracy {results.test_accuracy:.4f}")
    return 1 if failure.startswith("the loss became constant") else 0


def _config(options: argparse.Namespace) -> Config:
    """The settings asked for, or those of the run to go on with."""
    from dataclasses import replace

    from nnscratch.commands.setting_options import settings_in
    from nnscratch.commands.settings import Config

    given, parser = settings_in(options), cast("Parser", options.parser)
    if options.mpi and (options.workers != 1 or options.diagnose):
        parser.error("--mpi shares the work by itself; leave out --workers and --diagnose")
    if options.threads is not None and options.workers not in (1, "auto"):
        parser.error("--workers leaves one thread to each process; leave out --threads")
    if options.resume:
        if rest := sorted(given.keys() - {"epochs"} | ({"out"} if options.out else set())):
            flags = ", ".join(map(flag, rest))
            parser.error(f"--resume keeps the settings of the run; leave out {flags}")
        stored = Config.read(options.resume)
        config = replace(stored, **given)
        if config != stored and stored.schedule != "constant":
            parser.error(
                f"the {stored.schedule} schedule was planned for {stored.epochs} epochs, and its "
                "rates would change; leave out --epochs, or train anew"
            )
        return config
    try:
        return Config(**given).checked()
    except ValueError as error:
        parser.error(str(error))


def _warn_of_threads() -> None:
    """Say once what threads cost on a machine whose cores are busy."""
    from nnscratch.commands.slowdown import slowdown
    from nnscratch.machine import threads

    ratio = slowdown()
    if ratio > SLOW:
        print(
            f"nnscratch: the cores are busy: products take {ratio:.1f} times as long on "
            f"{threads()} threads as on one; --threads 1 is faster",
            file=sys.stderr,
        )


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
