"""A transformer of two blocks expects the next character, and shows where it looks.

python -m nnscratch.examples.tiny_transformer      about half a minute
"""

import numpy as np

import nnscratch as nn

LENGTH, STEP, FEATURES = 40, 10, 48


def main(epochs: int = 12, seed: int = 0) -> float:
    text = nn.data.text()
    x, y = text.windows(LENGTH, STEP)
    starts, held_out = STEP * np.arange(len(x)), len(text) * 9 // 10
    learned, new = starts + LENGTH < held_out, starts >= held_out  # the last sonnets are new

    rng = np.random.default_rng(seed)
    characters = len(text.vocabulary)
    blocks = [
        nn.TransformerBlock(FEATURES, 4, 2 * FEATURES, causal=True, dropout=0.1, rng=rng)
        for _ in range(2)
    ]
    model = nn.Sequential(
        nn.Embedding(characters, FEATURES, rng=rng),
        nn.PositionalEncoding(FEATURES),  # attention alone knows no order
        *blocks,
        nn.LayerNorm(FEATURES),
        nn.Linear(FEATURES, characters, rng=rng),
    )
    optimizer = nn.AdamW(model, learning_rate=0.003)
    steps = epochs * -(-learned.sum() // 32)
    schedule = nn.WarmupCosine(optimizer, warmup=steps // 10, steps=steps)
    loss = nn.SoftmaxCrossEntropy()  # each character counts as a sample
    trainer = nn.Trainer(model, loss, optimizer, schedule, clip_norm=1.0, progress=False)
    history = trainer.fit(x[learned], y[learned], (x[new], y[new]), epochs, batch_size=32, rng=rng)

    line = x[new][3, :24]
    model.eval().forward(line[np.newaxis])
    heads = blocks[0].attention.weights[0]  # (heads, time, time)
    panels = {f"block 1, head {i + 1}": weights for i, weights in enumerate(heads)}
    title = "where each character (row) of a line that was not learned looks (column)"
    names = text.decode(line)
    nn.plots.plot_matrices(panels, names, names, title).savefig("tiny_transformer.png")
    print("drawn: tiny_transformer.png")
    found = history["valid_loss"][-1]
    print(f"loss per character {found:.2f} of log(vocabulary) {np.log(characters):.2f}")
    return found


if __name__ == "__main__":
    main()
