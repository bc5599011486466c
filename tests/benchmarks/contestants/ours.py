"""nnscratch through its ordinary interface: a Sequential, an optimizer and `Trainer.fit`."""

from tests.benchmarks.nets import LEARNING_RATE, MOMENTUM


def model_of(net, weights):
    import nnscratch as nn

    builders = {
        "linear": nn.Linear,
        "conv": lambda inputs, outputs, size, p: nn.Conv2d(inputs, outputs, size, padding=p),
        "relu": nn.ReLU,
        "pool": lambda: nn.MaxPool2d(2),
        "flatten": nn.Flatten,
        "lstm": nn.LSTM,
        "gru": nn.GRU,
        "last": nn.LastStep,
    }
    model = nn.Sequential(*(builders[kind](*sizes) for kind, *sizes in net.layers))
    left = iter(weights)
    for layer in model.layers:
        if layer.params:
            layer.params.update(zip(layer.params, next(left), strict=True))
    return model


def nnscratch(case, x, y, weights, workers=1):
    import nnscratch as nn

    model, rate = model_of(case.net, weights), LEARNING_RATE[case.rule]
    if case.rule == "sgd":
        optimizer = nn.SGD(model, rate, momentum=MOMENTUM)
    else:
        optimizer = nn.Adam(model, rate)
    loss = nn.SoftmaxCrossEntropy()
    trainer = nn.Trainer(model, loss, optimizer, workers=workers, progress=False)

    def train(samples, epochs):
        history = trainer.fit(x[:samples], y[:samples], None, epochs, case.batch_size, rng=0)
        return history["train_loss"][-1]

    return train


def nnscratch_workers(case, x, y, weights):
    return nnscratch(case, x, y, weights, workers=2)
