"""Fashion-MNIST with scikit-learn: python with_sklearn.py mlp FOLDER SEED"""

import gzip
import sys
from pathlib import Path


def main(net, folder, seed):
    import numpy as np
    from sklearn.neural_network import MLPClassifier

    assert net == "mlp"

    def images(name):
        file = gzip.decompress((Path(folder) / f"{name}-images-idx3-ubyte.gz").read_bytes())
        pixels = np.frombuffer(file, np.uint8, offset=16).reshape(-1, 784)
        return pixels.astype(np.float32) / 255

    def labels(name):
        file = gzip.decompress((Path(folder) / f"{name}-labels-idx1-ubyte.gz").read_bytes())
        return np.frombuffer(file, np.uint8, offset=8)

    x_train, y_train, x_test, y_test = (
        images("train"),
        labels("train"),
        images("t10k"),
        labels("t10k"),
    )
    # an int would give each epoch the same order
    rng = np.random.RandomState(int(seed))
    model = MLPClassifier([256, 128], alpha=0.0, batch_size=128, random_state=rng)  # with Adam
    accuracy = 0.0
    while accuracy < 0.88:
        model.partial_fit(x_train, y_train, classes=range(10))  # an epoch
        accuracy = model.score(x_test, y_test)
        print(f"{accuracy:.4f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
