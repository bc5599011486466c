"""The first test of any new net: can it learn ten samples by heart?

A net and a loop that are right bring the loss of ten samples to almost 0 within seconds. If they
do not, the mistake is in the model, the loss or the loop, and no more data or time will help.

python -m nnscratch.examples.overfit_ten_samples      a few seconds
"""

import numpy as np

import nnscratch as nn


def right(rng: np.random.Generator) -> nn.Sequential:
    return nn.mlp([64, 32, 10], rng=rng)


def relu_behind_the_logits(rng: np.random.Generator) -> nn.Sequential:
    """Scores below 0 are cut off, and with them the gradients that would lift them."""
    return nn.Sequential(*nn.mlp([64, 32, 10], rng=rng), nn.ReLU())


def starts_at_zero(rng: np.random.Generator) -> nn.Sequential:
    """Every hidden unit is 0 and gets the gradient 0: only the last bias can learn."""
    model = nn.mlp([64, 32, 10], rng=rng)
    for array in model.params.values():
        array[...] = 0
    return model


def overfit(model: nn.Sequential, x: np.ndarray, y: np.ndarray, steps: int) -> list[float]:
    loss, optimizer = nn.SoftmaxCrossEntropy(), nn.Adam(model, learning_rate=0.01)
    losses = []
    for _ in range(steps):  # all ten at once: no batches, no noise, no regularization
        losses.append(loss.forward(model.forward(x), y))
        _, grads = model.backward(loss.backward())
        optimizer.step(grads)
    return losses


def main(steps: int = 300) -> dict[str, float]:
    data = nn.load_dataset("digits")
    x, y = data.x_train[:10], data.y_train[:10]
    print(f"guessing among 10 classes has the loss {np.log(10):.3f}")
    runs, last = {}, {}
    for build in (right, relu_behind_the_logits, starts_at_zero):
        name = build.__name__.replace("_", " ")
        losses = overfit(build(np.random.default_rng(1)), x, y, steps)
        runs[name], last[name] = {"train_loss": losses}, losses[-1]
        verdict = "fine" if losses[-1] < 0.01 else "cannot overfit: look for the mistake"
        print(f"{name:23}  loss after {steps} steps {losses[-1]:.4f}  {verdict}")
    figure = nn.plots.plot_comparison(
        runs, ["train_loss"], log=True, title="ten samples, learned by heart or not"
    )
    figure.savefig("overfit_ten_samples.png")
    print("drawn: overfit_ten_samples.png")
    return last


if __name__ == "__main__":
    main()
