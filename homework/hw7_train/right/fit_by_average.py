"""np.average with weights, and an order that is shuffled on and on."""

import numpy as np


def fit(model, loss, optimizer, x, y, x_valid, y_valid, epochs, batch_size, rng):
    generator, order = np.random.default_rng(rng), np.arange(len(x))
    losses, accuracies = np.zeros(epochs), []
    for epoch in range(epochs):
        generator.shuffle(order)
        batches = minibatches(x, y, batch_size, order)
        values = [train_step(model, loss, optimizer, *batch) for batch in batches]
        losses[epoch] = np.average(values, weights=[len(batch[0]) for batch in batches])
        accuracies += [evaluate(model, x_valid, y_valid, batch_size)]
    return {"valid_accuracy": accuracies, "train_loss": losses.tolist()}
