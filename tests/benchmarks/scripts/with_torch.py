"""Fashion-MNIST with PyTorch: python with_torch.py NET FOLDER SEED"""

import gzip
import sys
from pathlib import Path


def main(net, folder, seed):
    import numpy as np
    import torch
    from torch import nn

    def images(name):
        file = gzip.decompress((Path(folder) / f"{name}-images-idx3-ubyte.gz").read_bytes())
        pixels = np.frombuffer(file, np.uint8, offset=16).reshape(-1, 1, 28, 28)
        return torch.from_numpy(pixels.astype(np.float32) / 255)

    def labels(name):
        file = gzip.decompress((Path(folder) / f"{name}-labels-idx1-ubyte.gz").read_bytes())
        return torch.from_numpy(np.frombuffer(file, np.uint8, offset=8).astype(np.int64))

    torch.manual_seed(int(seed))
    x_train, y_train, x_test, y_test = (
        images("train"),
        labels("train"),
        images("t10k"),
        labels("t10k"),
    )
    if net == "mlp":
        layers = [nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU()]
        model, batch_size = nn.Sequential(*layers, nn.Linear(128, 10)), 128
    else:
        layers = [nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
        model, batch_size = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 10)), 64
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss = nn.CrossEntropyLoss()
    accuracy = 0.0
    while accuracy < 0.88:
        model.train()
        for rows in torch.randperm(len(x_train)).split(batch_size):
            optimizer.zero_grad()
            loss(model(x_train[rows]), y_train[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.inference_mode():
            predicted = torch.cat([model(x).argmax(1) for x in x_test.split(1000)])
        accuracy = (predicted == y_test).float().mean().item()
        print(f"{accuracy:.4f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
