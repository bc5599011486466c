"""Add numbers that are written out, "58+67=", as one sequence is translated into another.

python -m nnscratch.examples.addition      about half a minute
"""

import numpy as np

import nnscratch as nn
from nnscratch.data.sequences import ADDITION, addition

DIGITS, HIDDEN, SYMBOLS = 2, 64, len(ADDITION)


def translator(rng: np.random.Generator) -> nn.Graph:
    """Two LSTMs: one reads the sum, the other goes on from its state and writes the answer."""
    question, before = nn.Input("question"), nn.Input("before")
    embedding = nn.Embedding(SYMBOLS, 16, rng=rng)
    reader = nn.LSTM(16, HIDDEN, return_state=True, rng=rng)
    writer = nn.LSTM(16, HIDDEN, rng=rng)
    _, state = reader(embedding(question, name="symbols"), name="reader")
    written = writer(embedding(before, name="answer"), state, name="writer")
    return nn.Graph([question, before], nn.Linear(HIDDEN, SYMBOLS, rng=rng)(written, name="next"))


def before(answer: np.ndarray) -> np.ndarray:
    """What stands before each symbol of the answer: "=", then the answer itself."""
    first = np.full((len(answer), 1), ADDITION.index("="))
    return np.concatenate([first, answer[:, :-1]], axis=1)


def answers(model: nn.Graph, question: np.ndarray) -> np.ndarray:
    """Symbol after symbol, each with those before it as the model has written them."""
    answer = np.zeros((len(question), DIGITS + 1), np.int64)
    for t in range(DIGITS + 1):
        answer[:, t] = nn.predict(model, (question, before(answer)))[:, t].argmax(axis=1)
    return answer


def main(epochs: int = 20, samples: int = 6000, seed: int = 0) -> float:
    rng = np.random.default_rng(seed)
    x, y = addition(samples + samples // 6, DIGITS, rng)
    y = y[:, ::-1].copy()  # the lowest digit first, as one adds by hand
    known = {tuple(question) for question in x[:samples]}
    new = [i for i in range(samples, len(x)) if tuple(x[i]) not in known]

    model = translator(rng)
    optimizer = nn.Adam(model, learning_rate=0.01)
    steps = epochs * -(-samples // 64)
    schedule = nn.CosineDecay(optimizer, steps=steps)
    loss = nn.SoftmaxCrossEntropy()
    trainer = nn.Trainer(model, loss, optimizer, schedule, clip_norm=1.0, progress=False)
    # In training the symbols before are the right ones ("teacher forcing")
    train, valid = (x[:samples], before(y[:samples])), (x[new], before(y[new]))
    history = trainer.fit(train, y[:samples], (valid, y[new]), epochs, batch_size=64, rng=rng)

    found = answers(model, x[new])
    for i in range(4):
        question, answer = (
            "".join(ADDITION[code] for code in row) for row in (x[new[i]], found[i])
        )
        print(f"{question}{answer[::-1]}")
    history.plot(
        "addition.png", title="sums that were not learned: each symbol, given those before"
    )
    print("drawn: addition.png")
    right = float(np.mean((found == y[new]).all(axis=1)))
    print(f"right answers {right:.4f}")
    return right


if __name__ == "__main__":
    main()
