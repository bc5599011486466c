"""Squeeze digits of 64 pixels through 8 numbers, and look at what comes out again.

python -m nnscratch.examples.autoencoder      a few seconds
"""

import numpy as np

import nnscratch as nn

CODE = 8  # numbers that are left of an image


def main(epochs: int = 100) -> dict[str, float]:
    data = nn.load_dataset("digits")
    rng = np.random.default_rng(0)
    encoder = nn.mlp([64, 64, CODE], rng=rng)
    decoder = nn.Sequential(
        *nn.mlp([CODE, 64, 64], rng=rng), nn.Sigmoid(), nn.Reshape((-1, 1, 8, 8))
    )
    model = nn.Sequential(encoder, decoder)
    optimizer = nn.AdamW(model, learning_rate=0.003)
    schedule = nn.CosineDecay(optimizer, steps=epochs * -(-len(data.x_train) // 32))
    trainer = nn.Trainer(model, nn.MSELoss(), optimizer, schedule, progress=False)
    trainer.fit(data.x_train, data.x_train, epochs=epochs, batch_size=32, rng=rng)  # target: itself

    # The best that a linear map to as many numbers can do: the principal components
    mean = data.x_train.mean(axis=0)
    _, _, axes = np.linalg.svd((data.x_train - mean).reshape(-1, 64), full_matrices=False)
    centred = (data.x_test - mean).reshape(-1, 64)
    linear = (centred @ axes[:CODE].T @ axes[:CODE]).reshape(data.x_test.shape) + mean

    rows = {"digit": data.x_test, f"from {CODE} numbers": model.forward(data.x_test)}
    rows[f"{CODE} principal components"] = linear
    errors = {name: float(np.mean((row - data.x_test) ** 2)) for name, row in rows.items()}
    for name in [*rows][1:]:
        print(f"{name:22}  mean squared error of a pixel {errors[name]:.4f}")
    nn.plots.plot_image_rows(rows, title="digits never seen in training").savefig("autoencoder.png")
    print("drawn: autoencoder.png")
    return errors


if __name__ == "__main__":
    main()
