"""Train a small convolutional net on Fashion-MNIST; draw its kernels and its mistakes.

python -m nnscratch.examples.lenet      half a minute; needs the data (datasets/README.md)
"""

import sys

import numpy as np

import nnscratch as nn


def main(epochs: int = 10, seed: int = 0, samples: int = 60000) -> float:
    rng = np.random.default_rng(seed)
    try:
        data = nn.load_dataset("fashion-mnist")
    except FileNotFoundError as error:
        sys.exit(str(error))
    x, y = data.x_train[:samples], data.y_train[:samples]
    model = nn.lenet(rng=rng)
    optimizer = nn.AdamW(model, learning_rate=0.003)
    schedule = nn.CosineDecay(optimizer, epochs * -(-len(x) // 64))
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, schedule)
    trainer.fit(x, y, epochs=epochs, batch_size=64, rng=rng)

    model.eval()
    logits = np.concatenate([model.forward(x) for x in np.array_split(np.asarray(data.x_test), 20)])
    nn.plots.plot_filters(model[0]).savefig("lenet_filters.png")
    nn.plots.plot_confusion(logits, data.y_test, data.class_names).savefig("lenet_confusion.png")
    print("drawn: lenet_filters.png, lenet_confusion.png")
    accuracy = nn.accuracy(logits, data.y_test)
    print(f"test accuracy {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    main()
