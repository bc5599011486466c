"""PyTorch: the loop of its tutorials, and three ways in which its users make it faster.

The loop keeps a sum of the losses and a count of right answers, as `Trainer.fit` does.
"""

from tests.benchmarks.nets import BETA1, BETA2, EPSILON, LEARNING_RATE, MOMENTUM, orders
from tests.benchmarks.threads import allowed


def model_of(net, weights):
    import torch
    from torch import nn

    class LastStep(nn.Module):
        def forward(self, outputs):
            return outputs[0][:, -1]

    builders = {
        "linear": nn.Linear,
        "conv": lambda inputs, outputs, size, p: nn.Conv2d(inputs, outputs, size, padding=p),
        "relu": nn.ReLU,
        "pool": lambda: nn.MaxPool2d(2),
        "flatten": nn.Flatten,
        "lstm": lambda inputs, outputs: nn.LSTM(inputs, outputs, batch_first=True),
        "gru": lambda inputs, outputs: nn.GRU(inputs, outputs, batch_first=True),
        "last": LastStep,
    }
    model = nn.Sequential(*(builders[kind](*sizes) for kind, *sizes in net.layers))
    left = iter(weights)
    with torch.no_grad():
        for layer in model:
            parameters = list(layer.parameters())
            for parameter, array in zip(parameters, next(left) if parameters else (), strict=True):
                parameter.copy_(torch.from_numpy(array))
    return model


def eager(case, x, y, weights, fused=None, memory_format=None, compile=False):
    import torch

    torch.set_num_threads(allowed())
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    model, rate = model_of(case.net, weights), LEARNING_RATE[case.rule]
    if memory_format is not None:
        model, x = model.to(memory_format=memory_format), x.to(memory_format=memory_format)
    if case.rule == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), rate, MOMENTUM, fused=fused)
    else:
        optimizer = torch.optim.Adam(model.parameters(), rate, (BETA1, BETA2), EPSILON, fused=fused)
    loss = torch.nn.CrossEntropyLoss()

    def step(x_batch, y_batch):
        optimizer.zero_grad()
        logits = model(x_batch)
        value = loss(logits, y_batch)
        value.backward()
        optimizer.step()
        return value.detach(), (logits.argmax(1) == y_batch).sum()

    if compile:
        step = torch.compile(step)

    def train(samples, epochs):
        for order in orders(samples, epochs):
            total = right = 0.0
            for rows in torch.from_numpy(order).split(case.batch_size):
                value, correct = step(x[rows], y[rows])
                total += value.item() * len(rows)
                right += correct.item()
        return total / samples

    return train


def fused(case, x, y, weights):
    return eager(case, x, y, weights, fused=True)


def channels_last(case, x, y, weights):
    import torch

    return eager(case, x, y, weights, memory_format=torch.channels_last)


def compiled(case, x, y, weights):
    """Forward, loss, backward and update in one function under torch.compile."""
    import logging

    import torch

    torch._logging.set_logs(dynamo=logging.ERROR)  # else a remark on profiling with each model
    return eager(case, x, y, weights, compile=True)
