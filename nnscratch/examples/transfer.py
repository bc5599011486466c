"""What was learned from the digits 0 to 4 serves for 5 to 9, and a frozen body forgets nothing.

python -m nnscratch.examples.transfer      a few seconds
"""

import copy
from typing import Any

import numpy as np

import nnscratch as nn

Samples = tuple[np.ndarray, np.ndarray]


def body(rng: np.random.Generator) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding="same", rng=rng),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),  # 288 numbers
    )


def train(model: nn.Layer, samples: Samples, held_out: Samples, epochs: int) -> nn.History:
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.Adam(model, 0.003), progress=False)
    return trainer.fit(*samples, held_out, epochs=epochs, batch_size=32, rng=0)


def main(epochs: int = 12) -> dict[str, tuple[float, float]]:
    data, rng = nn.load_dataset("digits"), np.random.default_rng(0)

    def those(x: Any, y: np.ndarray, first: int) -> Samples:
        chosen = (y >= first) & (y < first + 5)
        return x[chosen], y[chosen] - first

    low, low_test = those(data.x_train, data.y_train, 0), those(data.x_test, data.y_test, 0)
    high, high_test = those(data.x_train, data.y_train, 5), those(data.x_test, data.y_test, 5)

    learned, old_head = body(rng), nn.Linear(288, 5, rng=rng)
    before = train(nn.Sequential(learned, old_head), low, low_test, epochs)
    print(f"the digits 0 to 4 are learned: {before['valid_accuracy'][-1]:.4f} of others are right")

    bodies = {
        "a frozen body, a new head": copy.deepcopy(learned).freeze(),
        "the body learns on": copy.deepcopy(learned),
        "a body drawn anew": body(np.random.default_rng(1)),
    }
    runs, found = {}, {}
    for name, base in bodies.items():
        model = nn.Sequential(base, nn.Linear(288, 5, rng=2))
        runs[name] = [history := train(model, high, high_test, epochs)]
        # Is the body still one that the head of the other digits can read?
        x, y = low_test
        old = nn.accuracy(nn.predict(nn.Sequential(base, old_head), x), y)
        found[name] = history["valid_accuracy"][-1], old
        trained = sum(model.params[key].size for key in model.trained)
        print(f"{name:25}  {trained} weights in {sum(history['seconds']):.1f} s: 5 to 9 ", end="")
        print(f"{found[name][0]:.4f}, 0 to 4 by the old head {old:.4f}")
    nn.plots.plot_comparison(runs, title="learning the digits 5 to 9").savefig("transfer.png")
    print("drawn: transfer.png")
    return found


if __name__ == "__main__":
    main()
