"""Read a line of digits without being told where one ends and the next begins.

python -m nnscratch.examples.ctc_digits      about half a minute
"""

from typing import Any

import numpy as np

import nnscratch as nn

MOST, GAP = 5, 4  # digits in a line, and columns between two of them, at most
FRAMES, BLANK = MOST * (8 + GAP), 0  # a digit is 8 columns wide


def lines(
    images: Any, labels: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Lines (count, FRAMES, 8), a column being a step, and what `CTCLoss` takes as target."""
    x = np.zeros((count, FRAMES, 8), np.float32)
    digits, sizes = np.zeros((count, MOST), np.int64), rng.integers(1, MOST + 1, count)
    for line, size in enumerate(sizes):
        at = 0
        for place, sample in enumerate(rng.integers(len(images), size=size)):
            at += int(rng.integers(GAP + 1))
            x[line, at : at + 8] = images[sample, 0].T
            digits[line, place] = labels[sample] + 1  # 0 is the blank
            at += 8
    return x, (digits, sizes, np.full(count, FRAMES))


def main(epochs: int = 20, count: int = 1500, seed: int = 0) -> float:
    data = nn.load_dataset("digits")
    rng = np.random.default_rng(seed)
    x, target = lines(data.x_train, data.y_train, count, rng)
    x_test, (digits, sizes, _) = lines(data.x_test, data.y_test, 300, rng)

    model = nn.Sequential(nn.Bidirectional(nn.GRU(8, 48, rng=rng)), nn.Linear(96, 11, rng=rng))
    optimizer = nn.Adam(model, learning_rate=0.01)
    schedule = nn.CosineDecay(optimizer, steps=epochs * -(-count // 32))
    loss = nn.CTCLoss(BLANK)
    trainer = nn.Trainer(model, loss, optimizer, schedule, clip_norm=1.0, progress=False)
    trainer.fit(x, target, epochs=epochs, batch_size=32, rng=rng)

    scores = nn.predict(model, x_test)
    read = nn.ctc_decode(scores, blank=BLANK)
    right = [
        found == list(row[:size]) for found, row, size in zip(read, digits, sizes, strict=True)
    ]
    shown = int(np.argmax(sizes == MOST))
    p = nn.Softmax().forward(scores[shown])
    image = np.pad(x_test[shown].T, ((1, 2), (0, 0)))
    panels = {"the line": image, "blank and digits": p.T}
    title = "read as " + "".join(str(label - 1) for label in read[shown])
    names = {"blank and digits": "-0123456789"}
    nn.plots.plot_matrices(panels, names, title=title).savefig("ctc_digits.png")
    print("drawn: ctc_digits.png")
    print(f"lines read without a mistake {np.mean(right):.4f}")
    return float(np.mean(right))


if __name__ == "__main__":
    main()
