"""An autoencoder whose decoder is its encoder, transposed: one matrix, used twice.

python -m nnscratch.examples.tied_autoencoder      a few seconds
"""

from typing import Any

import numpy as np

import nnscratch as nn

CODE = 16  # numbers that are left of an image


class Transposed(nn.Layer):
    """y = h W + b with the W of another layer, which that layer uses as x Wᵀ.

    The other layer stands in an attribute, so its W is among the params here too. In a model that
    holds both it is listed once, and its gradient is the sum of what both uses give.
    """

    def __init__(self, linear: nn.Linear) -> None:
        self.linear = linear
        self.params = {"b": np.zeros(linear.in_features, np.float32)}

    def forward_pass(self, h: Any) -> tuple[np.ndarray, Any]:
        return h @ self.linear.params["W"] + self.params["b"], h

    def backward_pass(self, dy: np.ndarray, h: Any) -> np.ndarray:
        return dy @ self.linear.params["W"].T

    def gradient_pass(self, dy: np.ndarray, h: Any) -> dict[str, np.ndarray]:
        return {"b": dy.sum(axis=0), "linear.W": h.T @ dy}


def autoencoder(tied: bool, rng: np.random.Generator) -> nn.Sequential:
    encoder = nn.Linear(64, CODE, bias=False, rng=rng)
    decoder = Transposed(encoder) if tied else nn.Linear(CODE, 64, rng=rng)
    layers = [nn.Flatten(), encoder, nn.Tanh(), decoder, nn.Reshape((-1, 1, 8, 8))]
    return nn.Sequential(*layers)


def main(epochs: int = 60) -> dict[str, tuple[int, float]]:
    data = nn.load_dataset("digits")
    rows, found = {"digit": data.x_test}, {}
    for name, tied in (("tied", True), ("two matrices", False)):
        model = autoencoder(tied, np.random.default_rng(0))
        assert nn.check_gradients(model, data.x_train[:5]).ok  # both uses of W add up
        trainer = nn.Trainer(model, nn.MSELoss(), nn.Adam(model, 0.003), progress=False)
        trainer.fit(data.x_train, data.x_train, epochs=epochs, batch_size=32, rng=0)
        rows[name] = nn.predict(model, data.x_test)
        weights = sum(array.size for array in model.params.values())
        error = float(np.mean((rows[name] - data.x_test) ** 2))
        found[name] = weights, error
        print(f"{name:12}  {weights} weights  mean squared error of a pixel {error:.4f}")
    title = f"digits never seen in training, from {CODE} numbers"
    nn.plots.plot_image_rows(rows, title=title).savefig("tied_autoencoder.png")
    print("drawn: tied_autoencoder.png")
    return found


if __name__ == "__main__":
    main()
