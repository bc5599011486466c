"""Fashion-MNIST with nnscratch: python with_nnscratch.py NET FOLDER SEED [WORKERS]"""

import sys


def main(net, folder, seed, workers="1"):
    import numpy as np

    import nnscratch as nn

    data = nn.load_dataset("fashion-mnist", root=folder)
    rng = np.random.default_rng(int(seed))
    model = nn.mlp([784, 256, 128, 10], rng=rng) if net == "mlp" else nn.lenet(rng=rng)
    optimizer = nn.Adam(model, learning_rate=1e-3)
    loss = nn.SoftmaxCrossEntropy()
    trainer = nn.Trainer(model, loss, optimizer, workers=int(workers), progress=False)
    test = data.x_test, data.y_test
    batch_size = 128 if net == "mlp" else 64
    accuracy = 0.0
    while accuracy < 0.88:
        history = trainer.fit(data.x_train, data.y_train, test, 1, batch_size, rng)
        accuracy = history["valid_accuracy"][-1]
        print(f"{accuracy:.4f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
