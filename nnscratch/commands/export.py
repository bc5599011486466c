"""nnscratch export: a trained network for another program."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnscratch.commands.settings import Config
    from nnscratch.layers import Layer

ENDINGS = (".onnx", ".safetensors", ".npz")
EXAMPLES = """\
examples:
  nnscratch export runs/digits-mlp-1 digits.onnx          for onnxruntime and its kin
  nnscratch export runs/digits-mlp-1 digits.safetensors   for torch: model.load_state_dict(
                                                          safetensors.torch.load_file(...))
  nnscratch export runs/digits-mlp-1 digits.npz           for nn.load_model and np.load

The first two need the packages onnx and safetensors: pip install 'nnscratch[onnx,safetensors]'.
"""


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    export = commands.add_parser(
        "export",
        help="write a trained network for another program",
        description="Write the network of a run to a file, whose ending says in which format.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    export.set_defaults(command=run, parser=export)
    export.add_argument("run", metavar="DIR", help="the folder of a run")
    export.add_argument("file", metavar="FILE", help=f"ends in {', '.join(ENDINGS)}")


def run(options: argparse.Namespace) -> int:
    path = Path(options.file)
    if path.suffix not in ENDINGS:
        *some, last = ENDINGS
        found = f"{options.file!r}" if path.suffix else f"{options.file!r} without an ending"
        options.parser.error(f"FILE ends in {', '.join(some)} or {last}, received {found}")

    from nnscratch.commands.training_run import trained_model

    config, model = trained_model(options.run)
    _write(model, config, path)
    weights = sum(array.size for array in model.params.values())
    print(f"wrote {path}: {len(model.params)} arrays, {weights} weights")
    return 0


def _write(model: Layer, config: Config, path: Path) -> None:
    import numpy as np

    from nnscratch import interop
    from nnscratch.checkpoint import save

    if path.suffix == ".onnx":
        interop.onnx.export(model, path, np.zeros((1, *config.source.shape), np.float32))
    else:
        save(model, path)
