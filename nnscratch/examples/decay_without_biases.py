"""Weight decay that spares the biases: ridge regression, whose intercept is not made smaller.

python -m nnscratch.examples.decay_without_biases      a few seconds
"""

from typing import Any

import numpy as np

import nnscratch as nn

FEATURES, SAMPLES, DECAY, MEAN = 40, 50, 0.3, 20.0

WAYS: dict[str, dict[str, Any]] = {
    "no decay": {},
    "decay of everything": {"weight_decay": DECAY},
    "biases spared": {"weight_decay": DECAY, "groups": {"*b": {"weight_decay": 0.0}}},
}


def ridge(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(W, b) of the smallest loss + decay/2 |W|², by its formula: b is free where x is centred."""
    centred, mean = x - x.mean(axis=0), y.mean(axis=0)
    W = np.linalg.solve(centred.T @ centred + len(x) * DECAY * np.eye(x.shape[1]), centred.T @ y).T
    return W, mean - W @ x.mean(axis=0)


def main(epochs: int = 600) -> dict[str, float]:
    rng = np.random.default_rng(0)
    true_W = rng.normal(size=(FEATURES, 1)) / np.sqrt(FEATURES)  # what is to be found

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=(count, FEATURES))
        return x, MEAN + x @ true_W + 0.5 * rng.normal(size=(count, 1))

    (x, y), held_out = drawn(SAMPLES), drawn(1000)
    runs, found = {}, {}
    for name, settings in WAYS.items():
        model = nn.Linear(FEATURES, 1, rng=0).astype("f8")
        optimizer = nn.SGD(model, learning_rate=0.05, momentum=0.9, **settings)
        trainer = nn.Trainer(model, nn.MSELoss(), optimizer, progress=False)
        runs[name] = [trainer.fit(x, y, held_out, epochs=epochs, batch_size=SAMPLES, rng=0)]
        b = float(model.params["b"][0])
        found[name] = float(np.sqrt(2 * runs[name][0]["valid_loss"][-1]))
        print(f"{name:20}  b {b:6.3f}  off by {found[name]:.3f} on new samples")
    W, intercept = ridge(x, y)
    apart = max(np.abs(model.params["W"] - W).max(), np.abs(model.params["b"] - intercept).max())
    print(f"from ridge regression's formula the last one is {apart:.1e} apart")
    found["apart"] = float(apart)
    figure = nn.plots.plot_comparison(runs, columns=["valid_loss"], log=True)
    figure.savefig("decay_without_biases.png")
    print("drawn: decay_without_biases.png")
    return found


if __name__ == "__main__":
    main()
