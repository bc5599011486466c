"""Train a multilayer perceptron on the digits, with the loop written out by hand."""

import numpy as np

import nnscratch as nn


def main() -> float:
    rng = np.random.default_rng(0)
    data = nn.load_dataset("digits")
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 128, rng=rng, initializer=nn.initializers.he_normal),
        nn.ReLU(),
        nn.Linear(128, 10, rng=rng),
    )
    loss = nn.SoftmaxCrossEntropy()
    optimizer = nn.SGD(model, learning_rate=0.1, momentum=0.9)
    for epoch in range(1, 21):
        for x, y in nn.minibatches(data.x_train, data.y_train, batch_size=64, rng=rng):
            logits = model.forward(x)
            value = loss.forward(logits, y)
            _, grads = model.backward(loss.backward())
            optimizer.step(grads)
        print(f"epoch {epoch:2}  loss of the last batch {value:.4f}")
    accuracy = nn.accuracy(model.forward(data.x_test), data.y_test)
    print(f"test accuracy {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    main()
