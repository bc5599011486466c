"""Part three intertwined spirals: a linear classifier cannot, a net with two hidden layers can.

python -m nnscratch.examples.spirals      a few seconds
"""

import numpy as np

import nnscratch as nn


def train(model: nn.Sequential, data: nn.data.Dataset, epochs: int) -> float:
    optimizer = nn.Adam(model, learning_rate=0.01)
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, progress=False)
    trainer.fit(data.x_train, data.y_train, epochs=epochs, batch_size=32, rng=0)
    return nn.accuracy(model.eval().forward(data.x_test), data.y_test)


def main(epochs: int = 100) -> dict[str, float]:
    data = nn.load_dataset("spirals")
    rng = np.random.default_rng(0)
    models = {
        "linear": nn.Sequential(nn.Linear(2, 3, rng=rng)),
        "net": nn.mlp([2, 64, 64, 3], activation=nn.Tanh, rng=rng),
    }
    found = {}
    for name, model in models.items():
        found[name] = train(model, data, epochs)
        print(f"{name:6}  test accuracy {found[name]:.4f}")
        # The background is what the model says, the points are what it has not seen
        title = f"spirals: {name}, on the test points"
        figure = nn.plots.plot_decision_boundary(model, data.x_test, data.y_test, title=title)
        figure.savefig(f"spirals_{name}.png")
        print(f"drawn: spirals_{name}.png")
    return found


if __name__ == "__main__":
    main()
