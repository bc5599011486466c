"""Learn a sine from noisy samples: a regression, with the loss and the targets that it needs.

python -m nnscratch.examples.regression      a few seconds
"""

import numpy as np

import nnscratch as nn

NOISE = 0.2


def main(epochs: int = 400) -> float:
    rng = np.random.default_rng(0)
    # Inputs and targets are columns: (samples, 1), as the model returns them
    x = rng.uniform(-np.pi, np.pi, size=(200, 1)).astype(np.float32)
    y = (np.sin(x) + NOISE * rng.normal(size=x.shape)).astype(np.float32)

    model = nn.mlp([1, 32, 32, 1], activation=nn.Tanh, rng=rng)
    optimizer = nn.Adam(model, learning_rate=0.01)
    schedule = nn.CosineDecay(optimizer, steps=epochs * 4)  # 4 batches make an epoch
    trainer = nn.Trainer(model, nn.MSELoss(), optimizer, schedule, progress=False)
    history = trainer.fit(x, y, epochs=epochs, batch_size=50, rng=rng)

    # The loss is half the squared error. Noise alone has half its variance: less on the samples
    # means that they are learned by heart.
    print(f"loss on the noisy samples {history['train_loss'][-1]:.4f}")
    print(f"half the noise's variance {NOISE**2 / 2:.4f}")
    along = np.linspace(-np.pi, np.pi, 1000, dtype=np.float32)[:, np.newaxis]
    error = float(np.sqrt(np.mean((model.forward(along) - np.sin(along)) ** 2)))
    print(f"root mean square distance from the sine {error:.4f}")
    nn.plots.plot_fit(model, x, y, truth=np.sin, title="a noisy sine").savefig("regression.png")
    print("drawn: regression.png")
    return error


if __name__ == "__main__":
    main()
