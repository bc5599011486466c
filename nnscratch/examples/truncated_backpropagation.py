"""Follow noisy sines in pieces of a few steps, with and without the state carried over.

Gradients go back no further than the beginning of a piece ("truncated backpropagation through
time"), so that a step costs the same however long the sequence is.

python -m nnscratch.examples.truncated_backpropagation      a few seconds
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

import nnscratch as nn
from nnscratch.plots.panels import open_panel, panels

PIECE, STEPS = 5, 100  # steps of a piece, and of a whole sequence


class Carrying(nn.Layer):
    """A recurrent layer that begins each piece with the state at the end of the one before."""

    def __init__(self, layer: nn.Layer) -> None:  # with return_state=True
        self.inner = layer
        self.state: Any = None  # at the beginning of the sequences

    def forward_pass(self, x: np.ndarray) -> tuple[np.ndarray, Any]:
        (y, self.state), cache = self.inner.forward_pass(x, self.state)
        return y, cache

    def backprop(self, dy: np.ndarray, cache: Any, out: Any = None, need_dx: bool = True) -> Any:
        dx, grads = self.inner.backprop((dy, None), cache, need_dx=need_dx)
        dx = dx[0] if isinstance(dx, tuple) else dx  # that of the state is cut off here
        return dx, {f"inner.{name}": grad for name, grad in grads.items()}


def pieces(x: np.ndarray, y: np.ndarray, carrying: Carrying, carry: bool) -> Iterator[Any]:
    """Minibatches: all sequences side by side, piece after piece."""
    for start in range(0, x.shape[1], PIECE):
        if start == 0 or not carry:
            carrying.state = None
        yield x[:, start : start + PIECE], y[:, start : start + PIECE]


def predictions(x: np.ndarray, y: np.ndarray, carry: bool, epochs: int, seed: int) -> np.ndarray:
    """Of the last third of the sequences, by a net that has learned from the others."""
    carrying = Carrying(nn.GRU(1, 32, return_state=True, rng=seed))
    model = nn.Sequential(carrying, nn.Linear(32, 1, rng=seed))
    trainer = nn.Trainer(model, nn.MSELoss(), nn.Adam(model, 0.005), clip_norm=1.0, progress=False)
    trainer.fit(lambda: pieces(x[:-32], y[:-32], carrying, carry), epochs=epochs)
    new = pieces(x[-32:], y[-32:], carrying, carry)
    return np.concatenate([model.forward(piece) for piece, _ in new], axis=1)


def main(epochs: int = 120, seed: int = 0) -> dict[str, float]:
    x, y = nn.data.sequences.sines(96, STEPS, noise=0.3, rng=seed)
    ways = {"carried over": True, "begun anew": False}
    predicted = {name: predictions(x, y, carry, epochs, seed) for name, carry in ways.items()}
    found = {name: float(np.sqrt(np.mean((p - y[-32:]) ** 2))) for name, p in predicted.items()}
    sheet = panels("truncated_backpropagation", 1, 1, 8, 3)
    open_panel(axes := sheet.places[0], "step", "")
    axes.plot(x[-32, :, 0], ".", color="0.7", label="what is seen")
    axes.plot(y[-32, :, 0], color="0.3", label="what comes next")
    for name, values in predicted.items():
        axes.plot(values[0, :, 0], label=f"predicted, state {name}")
    axes.legend(fontsize=8, ncols=2)
    sheet.head(f"a sine that was not learned, in pieces of {PIECE} steps")
    sheet.figure.savefig("truncated_backpropagation.png")
    print("drawn: truncated_backpropagation.png")
    print(", ".join(f"error {error:.3f} with the state {name}" for name, error in found.items()))
    return found


if __name__ == "__main__":
    main()
