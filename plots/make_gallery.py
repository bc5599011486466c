"""Redraw the pictures that the README shows: python plots/make_gallery.py

Trains what they show with the commands that the README names; half an hour in all.
"""

import tempfile
from pathlib import Path

import numpy as np

import nnscratch as nn
from nnscratch.cli import main as nnscratch
from nnscratch.runs import Config, Run

FOLDER = Path(__file__).parent
FASHION = (
    "train --data fashion-mnist --hidden 256 128 --activation gelu --dropout 0.1 "
    "--optimizer adamw --learning-rate 0.002 --schedule cosine --batch-size 128 --epochs 20"
)
FASHION_CNN = (
    "train --data fashion-mnist --model cnn --dropout 0.1 --optimizer adamw --learning-rate 0.003 "
    "--weight-decay 0.02 --schedule cosine --batch-size 128 --epochs 14 --shift 1 --flip "
    "--validation 0.05 --seed 0"
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


def convolutional_net(folder: Path) -> None:
    """What the trained net of a run learned, and where it errs."""
    run = Run(Config.read(folder))
    run.restore(folder)
    model, data = run.model.eval(), run.data
    x, y, names = data.x_test, data.y_test, data.class_names
    logits = np.concatenate([model.forward(part) for part in np.array_split(x, 20)])
    pictures = {
        "filters": nn.plots.plot_filters(model[0]),
        "feature_maps": nn.plots.plot_feature_maps(model, x[0], layer=2),
        "saliency": nn.plots.plot_saliency(model, x[:8], y[:8], names),
        "confusion": nn.plots.plot_confusion(logits, y, names),
        "mistakes": nn.plots.plot_predictions(x, logits, y, names, count=15),
    }
    for name, figure in pictures.items():
        figure.savefig(FOLDER / f"fashion_mnist_{name}.png")


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
        cnn = train(FASHION_CNN, Path(runs, "cnn"))
        cnn.plot(FOLDER / "fashion_mnist_cnn.png", title="fashion-mnist: cnn")
        convolutional_net(Path(runs, "cnn"))


if __name__ == "__main__":
    main()
