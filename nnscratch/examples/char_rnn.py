"""Learn to write sonnets, one character after the other, and read what it writes meanwhile.

python -m nnscratch.examples.char_rnn      about half a minute
"""

import numpy as np

import nnscratch as nn

LENGTH, STEP = 50, 10  # characters in a window, and from one window to the next


def write(
    model: nn.Sequential, text: nn.data.Text, start: str, count: int, rng: np.random.Generator
) -> str:
    """So many characters after the start, each drawn from what the model expects."""
    codes = text.encode(start)
    for _ in range(count):
        scores = nn.predict(model, codes[np.newaxis, -LENGTH:])[0, -1] / 0.7  # a little bolder
        p = np.exp(scores - scores.max(), dtype=float)
        codes = np.append(codes, rng.choice(len(p), p=p / p.sum()))
    return text.decode(codes)


def main(epochs: int = 10, seed: int = 0) -> float:
    text = nn.data.text()
    x, y = text.windows(LENGTH, STEP)
    starts, held_out = STEP * np.arange(len(x)), len(text) * 9 // 10
    learned, new = starts + LENGTH < held_out, starts >= held_out  # the last sonnets are new

    rng = np.random.default_rng(seed)
    characters = len(text.vocabulary)
    model = nn.Sequential(
        nn.Embedding(characters, 32, rng=rng),
        nn.LSTM(32, 128, rng=rng),
        nn.Dropout(0.5, rng=rng),
        nn.Linear(128, characters, rng=rng),
    )
    losses = []

    def report(trainer: nn.Trainer, values: dict[str, float]) -> None:
        losses.append(values["valid_loss"])
        if len(losses) % 2 == 0:
            print(f"epoch {len(losses)}, loss {losses[-1]:.2f}: ", end="")
            print(repr(write(model, text, "From fairest ", 60, np.random.default_rng(1))))

    optimizer = nn.Adam(model, learning_rate=0.004)
    trainer = nn.Trainer(
        model,
        nn.SoftmaxCrossEntropy(),  # each character counts as a sample
        optimizer,
        nn.CosineDecay(optimizer, steps=epochs * -(-learned.sum() // 32)),
        clip_norm=1.0,
        progress=False,
        callbacks=[report],
    )
    trainer.fit(x[learned], y[learned], (x[new], y[new]), epochs, batch_size=32, rng=rng)

    line = x[new][3]
    p = nn.Softmax().forward(nn.predict(model, line[np.newaxis])[0])
    title = "what comes next, as expected after each character of a line that was not learned"
    names = text.decode(line), text.vocabulary
    nn.plots.plot_matrices({"": p.T}, names[1], names[0], title).savefig("char_rnn.png")
    print("drawn: char_rnn.png")
    print(f"loss per character {losses[-1]:.2f} of log(vocabulary) {np.log(characters):.2f}")
    return losses[-1]


if __name__ == "__main__":
    main()
