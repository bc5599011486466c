"""nnscratch check: the gradients of a layer in a file, and what is wrong with them."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from nnscratch.commands.options import COUNT, NUMBER

EXAMPLES = """\
examples:
  nnscratch check layers.py:ReLU
  nnscratch check 'layers.py:Linear(4, 3)' --input-shape 5 4
  nnscratch check 'layers.py:Embedding(10, 3)' --input 'int 0..9 (5,)'
  nnscratch check layers.py:dot_forward,dot_backward --input '(5, 4)' --input '(4, 3)'

exit status: 0 if every gradient is right, 1 if one is wrong
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    check = commands.add_parser(
        "check",
        help="check the gradients of a layer of your own, and hear what is wrong",
        description="Compare a layer's gradients with numeric ones; name the likely mistake.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.set_defaults(command=run, parser=check)
    check.add_argument(
        "target",
        metavar="FILE.py:Class",
        help="with arguments as in 'FILE.py:Class(4, n_out=3)' or 'FILE.py:Class(normal(4, 3))'; "
        "or FILE.py:forward,backward; or FILE.py:f, that returns (loss, gradient, ...)",
    )
    check.add_argument(
        "--input-shape",
        type=COUNT,
        nargs="+",
        action="append",
        metavar="N",
        help="shape of the input, once for each input (guessed for one input)",
    )
    check.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="TEXT",
        help="an input, once for each: '(5, 4)', 'int 0..9 (5,)', 'uniform 0..1 (5, 4)', "
        "'onehot 10 (5,)', or a literal such as \"{'stride': 2}\"",
    )
    check.add_argument("--seed", type=NUMBER, default=0, metavar="N", help="default 0")


def run(options: argparse.Namespace) -> int:
    from nnscratch.gradient_check import check_gradients
    from nnscratch.gradient_check.from_file import inputs_for, load_object, split_target

    try:
        split_target(options.target)
    except ValueError as error:
        options.parser.error(str(error))
    if options.input and options.input_shape:
        options.parser.error("give either --input or --input-shape, for all inputs")
    layer = load_object(options.target)
    inputs = inputs_for(layer, options.input_shape or (), options.input, options.seed)
    report = check_gradients(layer, *inputs, rng=options.seed)
    print(report.text(colour=sys.stdout.isatty()))
    return 0 if report.ok else 1
