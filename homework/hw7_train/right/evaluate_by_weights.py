"""Shares of batches, weighted by their sizes; sample by sample within."""


def evaluate(model, x, labels, batch_size):
    total = start = 0
    while start < len(x):
        scores = model.forward(x[start : start + batch_size])
        hits = [
            s.argmax() == c for s, c in zip(scores, labels[start : start + batch_size], strict=True)
        ]
        total += sum(hits) / len(hits) * len(hits) / len(x)
        start += batch_size
    return float(total)
