"""Recognize digits by reading them row by row, and watch how the answer forms.

python -m nnscratch.examples.digits_by_rows      a few seconds
"""

import numpy as np

import nnscratch as nn


def main(epochs: int = 30, seed: int = 0) -> float:
    data = nn.load_dataset("digits")
    # An image of 8 x 8 is a sequence of 8 rows with 8 features each
    x_train, x_test = data.x_train[:, 0], data.x_test[:, 0]
    rng = np.random.default_rng(seed)
    reader, head = nn.LSTM(8, 64, rng=rng), nn.Linear(64, 10, rng=rng)
    model = nn.Sequential(reader, nn.LastStep(), head)
    optimizer = nn.Adam(model, learning_rate=0.01)
    schedule = nn.CosineDecay(optimizer, steps=epochs * -(-len(x_train) // 64))
    loss = nn.SoftmaxCrossEntropy()
    trainer = nn.Trainer(model, loss, optimizer, schedule, clip_norm=1.0, progress=False)
    trainer.fit(x_train, data.y_train, epochs=epochs, batch_size=64, rng=rng)
    _, accuracy = nn.evaluate(model, loss, x_test, data.y_test)

    # The head was trained on the last row alone; here it answers after every row
    shown = [int(np.argmax(data.y_test == digit)) for digit in (3, 6, 9)]
    p = nn.Softmax().forward(head.forward(reader.forward(x_test[shown])))
    between = np.zeros((8, 1), np.float32)
    panels = {
        f"a {data.y_test[sample]}, and what it is taken for after each row": np.concatenate(
            [x_test[sample], between, p[i]], axis=1
        )
        for i, sample in enumerate(shown)
    }
    title = "digits read from the top row down"
    columns = [*[""] * 9, *"0123456789"]
    nn.plots.plot_matrices(panels, None, columns, title).savefig("digits_by_rows.png")
    print("drawn: digits_by_rows.png")
    print(f"test accuracy {accuracy:.4f}")
    return float(accuracy or 0)


if __name__ == "__main__":
    main()
