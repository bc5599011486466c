"""Three layers of 100 sigmoids, with and without BatchNorm: the first figure of its paper.

Ioffe and Szegedy trained on MNIST; here it is the embedded digits, which makes it a matter of
seconds. See *Batch normalization* (2015), section 4.1.

python -m nnscratch.examples.batchnorm_effect      a few seconds
"""

import numpy as np

import nnscratch as nn

EVERY = 20  # steps from one look at the nets to the next


def net(batch_norm: bool, rng: np.random.Generator) -> nn.Sequential:
    layers: list[nn.Layer] = [nn.Flatten()]
    for inputs in (64, 100, 100):
        layers += [nn.Linear(inputs, 100, rng=rng)]
        layers += [nn.BatchNorm(100)] if batch_norm else []
        layers += [nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Linear(100, 10, rng=rng))


def main(steps: int = 2000) -> dict[str, float]:
    data = nn.load_dataset("digits")
    loss = nn.SoftmaxCrossEntropy()
    accuracies: dict[str, list[float]] = {}
    inputs: dict[str, list[np.ndarray]] = {}
    for name in ("without BatchNorm", "with BatchNorm"):
        rng = np.random.default_rng(0)
        model = net(name == "with BatchNorm", rng)
        optimizer = nn.SGD(model, learning_rate=0.5)
        accuracies[name], inputs[name] = [], []
        for step in range(steps + 1):
            if step % EVERY == 0:
                model.eval()
                accuracies[name] += [nn.accuracy(model.forward(data.x_test), data.y_test)]
                # What one sigmoid of the last hidden layer receives, for every test image
                inputs[name] += [model[:-2].forward(data.x_test)[:, 0]]
                model.train()
            batch = rng.choice(len(data.x_train), 60, replace=False)
            loss.forward(model.forward(data.x_train[batch]), data.y_train[batch])
            _, grads = model.backward(loss.backward())
            optimizer.step(grads)
        reached = np.flatnonzero(np.array(accuracies[name]) >= 0.9)
        when = f"after {reached[0] * EVERY} steps" if len(reached) else "not reached"
        print(f"{name:17}  test accuracy {accuracies[name][-1]:.4f}; 0.9 {when}")

    nn.plots.plot_percentiles(
        inputs,
        steps=np.arange(0, steps + 1, EVERY),
        what="input of a sigmoid, test images",
        accuracy=accuracies,
    ).savefig("batchnorm_effect.png")
    print("drawn: batchnorm_effect.png")
    return {name: values[-1] for name, values in accuracies.items()}


if __name__ == "__main__":
    main()
