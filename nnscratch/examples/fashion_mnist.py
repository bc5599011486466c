"""Train an MLP on Fashion-MNIST; look at its first weights and at its surest mistakes.

python -m nnscratch.examples.fashion_mnist      half a minute; the data is found or downloaded
"""

import sys

import numpy as np

import nnscratch as nn


def main(epochs: int = 10, samples: int = 60000) -> float:
    rng = np.random.default_rng(0)
    try:
        data = nn.load_dataset("fashion-mnist")
    except FileNotFoundError as error:
        sys.exit(str(error))
    x, y = np.asarray(data.x_train[:samples]), data.y_train[:samples]
    x_test = np.asarray(data.x_test)
    model = nn.mlp([784, 256, 128, 10], activation=nn.GELU, dropout=0.1, rng=rng)
    # A strong decay: it wipes what is left of the random start out of the weights
    optimizer = nn.AdamW(model, learning_rate=0.002, weight_decay=0.2)
    schedule = nn.CosineDecay(optimizer, steps=epochs * -(-len(x) // 128))
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, schedule)
    trainer.fit(x, y, epochs=epochs, batch_size=128, rng=rng)

    logits = model.eval().forward(x_test)
    accuracy = nn.accuracy(logits, data.y_test)
    print(f"test accuracy {accuracy:.4f}")
    # Each of the 256 rows of the first W is as large as an image, and can be seen as one
    W = model[1].params["W"]
    largest = np.argsort(np.linalg.norm(W, axis=1))[:-25:-1]
    nn.plots.plot_filters(
        W[largest], title="Fashion-MNIST: the 24 largest of 256 first units", image_shape=(28, 28)
    ).savefig("fashion_mnist_weights.png")
    nn.plots.plot_predictions(x_test, logits, data.y_test, data.class_names, count=15).savefig(
        "fashion_mnist_predictions.png"
    )
    print("drawn: fashion_mnist_weights.png, fashion_mnist_predictions.png")
    return accuracy


if __name__ == "__main__":
    main()
