"""The command line: reads options, calls the library, says what came of it.

Exit status 0: done; 1: the job failed; 2: wrong usage. An error is one line on standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from nnscratch import __version__, compiled
from nnscratch.commands import (
    check,
    datasets,
    evaluate,
    export,
    homework,
    plot,
    predict,
    report,
    runs,
    sweep,
    train,
)
from nnscratch.commands.options import Parser, complain

COMMANDS = (train, evaluate, predict, plot, runs, sweep, report, export, datasets, check, homework)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:
        from nnscratch.commands.completion import complete

        complete(parser)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        options.parser.refuse(unknown)
    try:
        return options.command(options)
    except KeyboardInterrupt:
        print("nnscratch: interrupted", file=sys.stderr)
    except BrokenPipeError:  # the reader of our output has gone, as in `nnscratch ... | head -1`
        sys.stderr.close()
    except (OSError, ValueError, RuntimeError, ImportError, MemoryError) as error:
        complain(error)
    return 1


def _parser() -> Parser:
    parser = Parser(
        prog="nnscratch",
        description="Neural networks that read like their derivation.",
        epilog="nnscratch COMMAND --help explains a command, with examples.",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"nnscratch {__version__}, kernels: {compiled.kernels()}",
    )
    parser.set_defaults(command=lambda _: parser.error("which command?"), parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.register(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
