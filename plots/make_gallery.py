"""Redraw the pictures that the README shows: python plots/make_gallery.py

Trains what they show with the commands that the README names; some minutes in all.
"""

import tempfile
from pathlib import Path

import nnscratch as nn
from nnscratch.cli import main as nnscratch

FOLDER = Path(__file__).parent
FASHION = (
    "train --data fashion-mnist --hidden 256 128 --activation gelu --dropout 0.1 "
    "--optimizer adamw --learning-rate 0.002 --schedule cosine --batch-size 128 --epochs 20"
)


def train(command: str, folder: Path) -> nn.History:
    if nnscratch([*command.split(), "--out", str(folder)]) != 0:
        raise SystemExit(f"failed: nnscratch {command}")
    return nn.History.from_csv(folder / "history.csv")


def worked_example() -> nn.Graph:
    """√(x² + exp(x²)) + cos(x² + exp(x²)) at x = 1."""
    x = nn.Input("x")
    a = nn.Square()(x, name="a")
    b = nn.Exp()(a, name="b")
    c = nn.Add()(a, b, name="c")
    graph = nn.Graph([x], nn.Add()(nn.Sqrt()(c, name="d"), nn.Cos()(c, name="e"), name="f"))
    graph.forward(1.0)
    graph.backward(1.0)
    return graph


def main() -> None:
    nn.plots.draw_graph(worked_example()).savefig(FOLDER / "worked_example.png")
    with tempfile.TemporaryDirectory() as runs:
        digits = train("train", Path(runs, "digits"))
        digits.plot(FOLDER / "digits_mlp.png", title="digits: mlp 256-128")
        fashion = [train(f"{FASHION} --seed {seed}", Path(runs, str(seed))) for seed in range(3)]
        nn.plots.plot_history(
            *fashion,
            labels=[f"seed {seed}" for seed in range(3)],
            title="fashion-mnist: mlp 256-128, three seeds",
        ).savefig(FOLDER / "fashion_mnist_mlp.png")


if __name__ == "__main__":
    main()
