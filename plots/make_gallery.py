"""Redraw the pictures that the README and the documentation show.

python plots/make_gallery.py                      all of them; half an hour for the last one
python plots/make_gallery.py activations spirals  only these

What they show is trained with the commands that docs/ names, and with the examples.
homework_report.png is a browser's picture of students/NAME/report.html, 810 pixels wide, for a
solution of hw3 in which dW is transposed.
"""

import argparse
import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import checker
import numpy as np
import speed

import nnscratch as nn
from nnscratch.cli import main as nnscratch
from nnscratch.commands.settings import Config
from nnscratch.commands.training_run import Run
from nnscratch.examples import (
    autoencoder,
    batchnorm_effect,
    compare_optimizers,
    fashion_mnist,
    overfit_ten_samples,
    regression,
    spirals,
)

FOLDER = Path(__file__).resolve().parent
FASHION = (
    "train --data fashion-mnist --hidden 256 128 --activation gelu --dropout 0.1 "
    "--optimizer adamw --learning-rate 0.002 --schedule cosine --batch-size 128 --epochs 20"
)
FASHION_CNN = (
    "train --data fashion-mnist --model cnn --dropout 0.1 --optimizer adamw --learning-rate 0.003 "
    "--weight-decay 0.02 --schedule cosine --batch-size 128 --epochs 24 --shift 1 --flip "
    "--validation 0.05 --seed 0"
)


def train(command: str, folder: Path) -> nn.History:
    if nnscratch([*command.split(), "--out", str(folder)]) != 0:
        raise SystemExit(f"failed: nnscratch {command}")
    return nn.History.from_csv(folder / "history.csv")


def worked_example() -> None:
    """√(x² + exp(x²)) + cos(x² + exp(x²)) at x = 1."""
    x = nn.Input("x")
    a = nn.Square()(x, name="a")
    b = nn.Exp()(a, name="b")
    c = nn.Add()(a, b, name="c")
    graph = nn.Graph([x], nn.Add()(nn.Sqrt()(c, name="d"), nn.Cos()(c, name="e"), name="f"))
    graph.forward(1.0)
    graph.backward(1.0)
    nn.plots.draw_graph(graph).savefig(FOLDER / "worked_example.png")


def activations() -> None:
    nn.plots.plot_activations().savefig(FOLDER / "activations.png")


def vanishing_gradients() -> None:
    """Four layers of sigmoids whose weights do not suit them: it gets nowhere for long."""
    data, loss = nn.load_dataset("digits"), nn.SoftmaxCrossEntropy()
    x, y = data.x_train, data.y_train
    rng = np.random.default_rng(0)
    layers = [nn.Flatten(), nn.Linear(64, 100, rng=rng), nn.Sigmoid()]
    for outputs in (100, 100, 100):
        layers += [nn.Linear(100, outputs, rng=rng), nn.Sigmoid()]
    model = nn.Sequential(*layers, nn.Linear(100, 10, rng=rng))  # mlp would draw others
    nn.plots.plot_distributions(
        model, loss, x[:300], y[:300], title="four layers of sigmoids, before the first step"
    ).savefig(FOLDER / "distributions.png")
    optimizer = nn.SGD(model, learning_rate=0.2, momentum=0.9)
    trainer = nn.Trainer(model, loss, optimizer, progress=False, diagnose=True)
    history = trainer.fit(x, y, epochs=60, batch_size=32, rng=0)
    nn.plots.plot_gradient_norms(
        history.diagnosis, title="four layers of sigmoids: the norm of each layer's gradient"
    ).savefig(FOLDER / "gradient_norms.png")


def digits() -> None:
    with tempfile.TemporaryDirectory() as runs:
        history = train("train", Path(runs, "digits"))
    history.plot(FOLDER / "digits_mlp.png", title="digits: mlp 256-128")


def fashion_mnist_mlp() -> None:
    with tempfile.TemporaryDirectory() as runs:
        fashion = [train(f"{FASHION} --seed {seed}", Path(runs, str(seed))) for seed in range(3)]
    nn.plots.plot_history(
        *fashion,
        labels=[f"seed {seed}" for seed in range(3)],
        title="fashion-mnist: mlp 256-128, three seeds",
    ).savefig(FOLDER / "fashion_mnist_mlp.png")


def fashion_mnist_cnn() -> None:
    """The curves of the convolutional net, what it learned, and where it errs."""
    with tempfile.TemporaryDirectory() as folder:
        cnn = train(FASHION_CNN, Path(folder))
        run = Run(Config.read(Path(folder)))
        run.restore(Path(folder))
    cnn.plot(FOLDER / "fashion_mnist_cnn.png", title="fashion-mnist: cnn")
    model, data = run.model.eval(), run.data
    x, y, names = np.asarray(data.x_test), data.y_test, data.class_names
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


DRAWINGS: dict[str, Callable[[], object]] = {
    "checker": lambda: checker.draw(FOLDER / "checker.png"),
    "speed": lambda: speed.draw(FOLDER / "speed.png"),
    "worked_example": worked_example,
    "activations": activations,
    "vanishing_gradients": vanishing_gradients,
    "digits": digits,
    "spirals": spirals.main,
    "regression": regression.main,
    "autoencoder": autoencoder.main,
    "compare_optimizers": compare_optimizers.main,
    "overfit_ten_samples": overfit_ten_samples.main,
    "batchnorm_effect": batchnorm_effect.main,
    "fashion_mnist": fashion_mnist.main,
    "fashion_mnist_mlp": fashion_mnist_mlp,
    "fashion_mnist_cnn": fashion_mnist_cnn,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Redraw the pictures of the README and of docs/.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all unless given: {', '.join(DRAWINGS)}"
    )
    names = parser.parse_args().names or list(DRAWINGS)
    if unknown := [name for name in names if name not in DRAWINGS]:
        parser.error(f"no picture {', '.join(unknown)}; there are {', '.join(DRAWINGS)}")
    with contextlib.chdir(FOLDER):  # the examples draw into the current folder
        for name in names:
            DRAWINGS[name]()


if __name__ == "__main__":
    main()
