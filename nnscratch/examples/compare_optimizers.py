"""Train the same net with five optimizers, three seeds each, and compare their curves.

python -m nnscratch.examples.compare_optimizers      half a minute
"""

from collections.abc import Callable

import nnscratch as nn

# Each with a learning rate that suits it: at one rate for all, the comparison would be of rates
OPTIMIZERS: dict[str, Callable[[nn.Layer], nn.optimizers.Optimizer]] = {
    "SGD": lambda model: nn.SGD(model, learning_rate=0.1),
    "SGD, momentum 0.9": lambda model: nn.SGD(model, learning_rate=0.1, momentum=0.9),
    "Adagrad": lambda model: nn.Adagrad(model, learning_rate=0.03),
    "RMSprop": lambda model: nn.RMSprop(model, learning_rate=0.001),
    "Adam": lambda model: nn.Adam(model, learning_rate=0.003),
}


def main(epochs: int = 20, seeds: int = 3) -> dict[str, float]:
    data = nn.load_dataset("digits")
    runs: dict[str, list[nn.History]] = {}
    found = {}
    for name, make in OPTIMIZERS.items():
        runs[name] = []
        for seed in range(seeds):
            model = nn.mlp([64, 128, 64, 10], rng=seed)
            trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), make(model), progress=False)
            runs[name] += [
                trainer.fit(
                    data.x_train,
                    data.y_train,
                    validation=(data.x_test, data.y_test),
                    epochs=epochs,
                    batch_size=64,
                    rng=seed,
                )
            ]
        found[name] = sum(run["valid_accuracy"][-1] for run in runs[name]) / seeds
        loss = sum(run["train_loss"][-1] for run in runs[name]) / seeds
        print(f"{name:17}  training loss {loss:.4f}  validation accuracy {found[name]:.4f}")
    figure = nn.plots.plot_comparison(
        runs, log=True, title=f"digits: median and range of {seeds} seeds"
    )
    figure.savefig("compare_optimizers.png")
    print("drawn: compare_optimizers.png")
    return found


if __name__ == "__main__":
    main()
